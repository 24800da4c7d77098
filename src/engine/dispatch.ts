/** An enqueued job on its way from Postgres to Redis. */
export interface Dispatch {
  jobId: string;
  queue: string;
  kind: string;
  gen: number;
  priority: number;
  maxFailures: number;
}

/** A job that was just added to the outbox. */
export interface PromisedJob extends Dispatch {
  /** A member of a group waits for its group's share. */
  groupKey: string | null;
  /** False when it must not start yet. */
  isDue: boolean;
}

/** All that Redis stores of a job: nothing that could leak or be forged there. */
export interface QueuedData {
  id: string;
}

/** BullMQ's id of one dispatch; a job that is dispatched again gets a new one, since Redis may remember the old. */
export function queuedJobId({ jobId, gen }: Pick<Dispatch, "jobId" | "gen">) {
  return `${jobId}-${gen}`;
}

/** A job that can never be published: it ends as failed, so that people see it and other jobs go on. */
export interface Unpublishable {
  job: Dispatch;
  reason: string;
}

/** Publishes jobs to Redis and returns those that never can be; rejects when none can be for now. May be repeated. */
export type Publish = (jobs: Dispatch[]) => Promise<Unpublishable[]>;

/** Enqueued jobs in Postgres that are not known to be in Redis; any number of processes may use it at once. */
export interface Outbox {
  /**
   * Passes jobs that have been due for `olderThanMs` to `publish`, and removes them when it resolves; returns their
   * number. After a crash half-way some of them are published again, under the same id.
   */
  take(size: number, olderThanMs: number, publish: Publish): Promise<number>;
  /** The same for members of groups, by the share of each group. One process at a time does this; others get 0. */
  takeFairShare(publish: Publish): Promise<number>;
  /** Removes jobs that are published. */
  remove(jobs: readonly Dispatch[]): Promise<void>;
}
