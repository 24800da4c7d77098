import { type Job, Worker } from "bullmq";
import { isNetworkError } from "../errors.ts";
import { queuePrefix, type RedisConnection } from "../platform/redis.ts";
import { createClaims } from "./claims.ts";
import type { QueuedData } from "./dispatch.ts";
import { type Consumer, runJob } from "./run-job.ts";

export interface WorkerSettings<Context> extends Omit<Consumer<Context>, "claims"> {
  connection: RedisConnection;
  prefix: string;
  /** Names this process in the ledger. */
  worker: string;
  /** Maximum number of concurrent jobs. */
  concurrency: number;
  stalledMs: number;
}

/** Consumes one queue from now on. `close()` takes no new jobs and resolves when the running ones have ended. */
export function startWorker<Context>(settings: WorkerSettings<Context>) {
  const { queue, db, log, metrics, connection, prefix, worker: name, concurrency, lockMs, stalledMs } = settings;
  const claims = createClaims({ db, worker: name, leaseMs: lockMs, log });
  const consumer: Consumer<Context> = { ...settings, claims };
  let [running, begun] = [0, 0];
  const work = (job: Job<QueuedData>, token = "") => {
    running++;
    begun++;
    return runJob(consumer, job, token).finally(() => running--);
  };
  const worker = new Worker<QueuedData>(queue, work, {
    connection,
    prefix: queuePrefix(connection, prefix, queue),
    name,
    concurrency,
    lockDuration: lockMs,
    stalledInterval: Math.min(stalledMs, lockMs),
    // It would print a warning beside the log; `warnOfUnfit` looks at the version.
    skipVersionCheck: true,
    // The ledger counts crashes; BullMQ's own limit would fail a job that a few deploys have interrupted.
    maxStalledCount: 1_000,
  });
  worker.on("error", (error) => isNetworkError(error) || log.warn({ err: error, queue }, "worker error"));
  worker.on("stalled", (job) => {
    metrics.stalled.inc({ queue });
    log.warn({ queue, queuedJob: job }, "a worker died with this job; it runs again");
  });
  worker.on("lockRenewalFailed", (ids) => metrics.lockRenewalsFailed.inc({ queue }, ids.length));
  metrics.slots.set({ queue }, concurrency);
  return {
    worker,
    /** What the liveness check of its fetch loop reads. */
    fetching: { queue, isRunning: () => worker.isRunning(), running: () => running, begun: () => begun },
    async close() {
      await worker.close();
      await claims.close();
    },
  };
}
