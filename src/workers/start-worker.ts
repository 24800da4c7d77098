import { type Job, Worker } from "bullmq";
import { isNetworkError } from "../errors.ts";
import type { QueuedData } from "../jobs/dispatch.ts";
import { queues } from "../jobs/queues.ts";
import type { RedisConnection } from "../platform/redis.ts";
import { createClaims } from "./claims.ts";
import { type Consumer, runJob } from "./run-job.ts";

export interface WorkerSettings extends Omit<Consumer, "claims"> {
  connection: RedisConnection;
  prefix: string;
  /** Names this process in the ledger. */
  worker: string;
  /** Jobs at once; absent: what the queue's definition says. */
  concurrency?: number | undefined;
  /** How long a silent worker keeps a job; absent: what the queue's definition says. */
  lockMs?: number | undefined;
}

/** Consumes one queue from now on. `close()` takes no new jobs and resolves when the running ones have ended. */
export function startWorker(settings: WorkerSettings) {
  const { queue, context, connection, prefix, worker: name } = settings;
  const { stalledMs, ...usual } = queues[queue];
  const { concurrency = usual.concurrency, lockMs = usual.lockMs } = settings;
  const claims = createClaims({ db: context.db, worker: name, leaseMs: lockMs, log: context.log });
  const consumer: Consumer = { ...settings, claims };
  let [running, begun] = [0, 0];
  const work = (job: Job<QueuedData>, token = "") => {
    running++;
    begun++;
    return runJob(consumer, job, token).finally(() => running--);
  };
  const worker = new Worker<QueuedData>(queue, work, {
    connection,
    prefix,
    name,
    concurrency,
    lockDuration: lockMs,
    stalledInterval: Math.min(stalledMs, lockMs),
    // The ledger counts crashes; BullMQ's own limit would fail a job that a few deploys have interrupted.
    maxStalledCount: 1_000,
  });
  worker.on("error", (error) => isNetworkError(error) || context.log.warn({ err: error, queue }, "worker error"));
  worker.on("stalled", (job) => {
    context.metrics.jobsStalled.inc({ queue });
    context.log.warn({ queue, queuedJob: job }, "a worker died with this job; it runs again");
  });
  worker.on("lockRenewalFailed", (ids) => context.metrics.lockRenewalsFailed.inc({ queue }, ids.length));
  context.metrics.workerSlots.set({ queue }, concurrency);
  return {
    worker,
    /** What a watch over its fetch loop needs to know. */
    fetching: { queue, isRunning: () => worker.isRunning(), running: () => running, begun: () => begun },
    async close() {
      await worker.close();
      await claims.close();
    },
  };
}
