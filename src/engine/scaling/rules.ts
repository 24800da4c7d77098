/** What the number of a queue's workers depends on besides its load. */
export interface ScalingRule {
  /** How long a job that is ready may wait until it starts, in seconds. */
  goalSeconds: number;
  /** Workers that stay when there is nothing to do. */
  minWorkers: number;
  maxWorkers: number;
  /** Jobs at once in one worker, as its WORKER_CONCURRENCY says. */
  concurrency: number;
  /** What one job takes, in seconds, as long as nothing is measured. */
  priorSeconds: number;
  /** From the moment that another worker is wanted until it takes jobs, in seconds. */
  startSeconds: number;
  /** What running jobs are given when a worker is stopped, in seconds: its DRAIN_TIMEOUT_MS. */
  graceSeconds: number;
}

/** Rules by queue. */
export type ScalingRules = Readonly<Record<string, ScalingRule>>;
