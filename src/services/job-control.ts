import type { EntityManager } from "typeorm";
import { cancelJobs, findJob, reopenJob } from "../db/ledger.ts";
import { ConflictError, NotFoundError } from "../errors.ts";

/** Who steers a job, and why. */
export interface Steering {
  /** User; null for a rule of ours. */
  by: string | null;
  reason: string | null;
}

/**
 * Cancels a job and all its unfinished children. What waits is cancelled at once; what runs is told to stop, and
 * becomes `cancelled` when it has. May be repeated; throws `ConflictError` when the job is over in another way, and
 * `NotFoundError`.
 */
export async function cancelJob(tx: EntityManager, id: string, steering: Steering): Promise<void> {
  await cancelJobs(tx, [id], { at: new Date().toISOString(), ...steering });
  const job = await findJob(tx, id);
  if (!job) throw noJob(id);
  if (job.cancellation || job.state === "cancelled") return;
  throw new ConflictError(`Job '${id}' has ${job.state} already; there is nothing to cancel`);
}

/** Cancels those of many jobs that are not over yet, as `cancelJob` does; says nothing of the others. */
export function cancelUnfinished(tx: EntityManager, ids: readonly string[], steering: Steering): Promise<void> {
  return cancelJobs(tx, ids, { at: new Date().toISOString(), ...steering });
}

/**
 * Has a job that failed, was cancelled or is `unknown` run again with all its attempts; of several who ask at once one
 * does it. Throws `ConflictError` when the job is in another state, and `NotFoundError`.
 */
export async function retryJob(tx: EntityManager, id: string): Promise<void> {
  if (await reopenJob(tx, id)) return;
  const job = await findJob(tx, id);
  if (!job) throw noJob(id);
  throw new ConflictError(`Job '${id}' is ${job.state}; only failed, cancelled and unknown jobs can be retried`);
}

const noJob = (id: string) => new NotFoundError(`Job with id ${id} not found.`);
