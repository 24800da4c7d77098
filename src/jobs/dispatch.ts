/** A promised job on its way from Postgres to Redis. */
export interface Dispatch {
  jobId: string;
  queue: string;
  kind: string;
  gen: number;
  priority: number;
  maxFailures: number;
}

/** What Redis knows of a job: nothing that could leak or be forged there. */
export interface QueuedData {
  id: string;
}

/** BullMQ's id of one dispatch; a job that is dispatched again gets a new one, since Redis may remember the old. */
export function queuedJobId({ jobId, gen }: Pick<Dispatch, "jobId" | "gen">) {
  return `${jobId}-${gen}`;
}
