import { Worker } from "bullmq";
import { isNetworkError } from "../errors.ts";
import type { QueuedData } from "../jobs/dispatch.ts";
import { queues } from "../jobs/queues.ts";
import type { RedisConnection } from "../platform/redis.ts";
import { type Consumer, runJob } from "./run-job.ts";

export interface WorkerSettings {
  connection: RedisConnection;
  prefix: string;
  /** Jobs at once; absent: what the queue's definition says. */
  concurrency?: number | undefined;
}

/** Consumes one queue from now on. `close()` takes no new jobs and resolves when the running ones have ended. */
export function startWorker(consumer: Consumer, { connection, prefix, concurrency }: WorkerSettings) {
  const { queue, context } = consumer;
  const { lockMs, stalledMs, concurrency: usual } = queues[queue];
  const worker = new Worker<QueuedData>(
    queue,
    (job, token = "", signal = new AbortController().signal) => runJob(consumer, job, token, signal),
    {
      connection,
      prefix,
      name: consumer.worker,
      concurrency: concurrency ?? usual,
      lockDuration: lockMs,
      stalledInterval: stalledMs,
      // The ledger counts crashes; BullMQ's own limit would fail a job that a few deploys have interrupted.
      maxStalledCount: 1_000,
    },
  );
  worker.on("error", (error) => isNetworkError(error) || context.log.warn({ err: error, queue }, "worker error"));
  worker.on("stalled", (job) =>
    context.log.warn({ queue, queuedJob: job }, "a worker died with this job; it runs again"),
  );
  worker.on("lockRenewalFailed", (ids) => {
    for (const id of ids) worker.cancelJob(id, "lost its lock");
  });
  return worker;
}
