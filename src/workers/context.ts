import type { DataSource, EntityManager } from "typeorm";
import type { JobName, JobPayload } from "../jobs/index.ts";
import type { Cache } from "../platform/cache.ts";
import type { Log } from "../platform/logger.ts";
import type { Mailer } from "../platform/mailer.ts";
import type { Metrics } from "../platform/metrics.ts";
import type { ObjectStore } from "../platform/object-store.ts";

/** What a processor may use. `main.ts` builds it once. */
export interface WorkerContext {
  db: DataSource;
  store: ObjectStore;
  cache: Cache;
  mailer: Mailer;
  log: Log;
  metrics: Metrics;
}

/** One run of a job. */
export interface JobRun<N extends JobName> {
  id: string;
  payload: JobPayload<N>;
  /** Fires when the job takes too long, when another worker has taken it, or past the grace period of a shutdown. */
  signal: AbortSignal;
  /**
   * Commits the effect together with the job's success, once and only while this worker holds the job; what `effect`
   * returns is the job's result. Throws `FencedError`, and nothing happened, when the job is another worker's now.
   */
  complete(effect: (tx: EntityManager) => Promise<unknown>): Promise<void>;
  /** Commits an effect without ending the job, under the same condition. */
  commit(effect: (tx: EntityManager) => Promise<unknown>): Promise<void>;
}

export interface Processor<N extends JobName> {
  /** The work. When it returns without `complete`, the job has succeeded without a result. */
  run(job: JobRun<N>, context: WorkerContext): Promise<void>;
  /**
   * What is left to do when the success is committed: dropping caches, removing what was only needed until then.
   * Runs at least once, also when the worker died in between, so it has to bear repeating.
   */
  afterwards?(payload: JobPayload<N>, context: WorkerContext): Promise<void>;
}
