/** A promised job on its way from Postgres to Redis. */
export interface Dispatch {
  jobId: string;
  queue: string;
  kind: string;
  gen: number;
  priority: number;
  maxFailures: number;
}

/** A job that has just been put on the outbox. */
export interface PromisedJob extends Dispatch {
  /** A member of a group waits for its group's share. */
  groupKey: string | null;
  /** False when it is not to start yet. */
  isDue: boolean;
}

/** What Redis knows of a job: nothing that could leak or be forged there. */
export interface QueuedData {
  id: string;
}

/** BullMQ's id of one dispatch; a job that is dispatched again gets a new one, since Redis may remember the old. */
export function queuedJobId({ jobId, gen }: Pick<Dispatch, "jobId" | "gen">) {
  return `${jobId}-${gen}`;
}

/** A job that cannot be published, whatever else is: it ends as failed, so that people see it and others go on. */
export interface Unpublishable {
  job: Dispatch;
  reason: string;
}

/** Moves jobs to Redis and returns those that cannot be; rejects when none can be for now. May be repeated. */
export type Publish = (jobs: Dispatch[]) => Promise<Unpublishable[]>;

/** Promised jobs in Postgres that are not known to be in Redis; any number of processes may work on it at once. */
export interface Outbox {
  /**
   * Hands jobs that have been due for `olderThanMs` to `publish`, and removes them when it resolves; returns how
   * many there were. A crash half-way publishes some of them again, under the same id.
   */
  take(size: number, olderThanMs: number, publish: Publish): Promise<number>;
  /** The same for members of groups, by the share of each group. One process at a time does so; others get 0. */
  takeFairShare(publish: Publish): Promise<number>;
  /** Removes jobs that are published. */
  remove(jobs: readonly Dispatch[]): Promise<void>;
}
