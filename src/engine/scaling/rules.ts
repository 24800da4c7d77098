/** What the number of a queue's workers depends on besides its load. */
export interface ScalingRule {
  /** How long a job that is ready may wait until it starts, in seconds. */
  goalSeconds: number;
  /** Minimum number of workers, also without jobs. */
  minWorkers: number;
  maxWorkers: number;
  /** Concurrent jobs in one worker, as its WORKER_CONCURRENCY says. */
  concurrency: number;
  /** Expected duration of one job, in seconds, until one is measured. */
  priorSeconds: number;
  /** Time from the decision for another worker until it takes jobs, in seconds. */
  startSeconds: number;
  /** Time that running jobs have when a worker is stopped, in seconds: its DRAIN_TIMEOUT_MS. */
  graceSeconds: number;
}

/** Rules by queue. */
export type ScalingRules = Readonly<Record<string, ScalingRule>>;
