import type { EntityManager } from "typeorm";
import { users } from "../../db/dao/accounts/users.ts";
import {
  cancelJobs,
  findJob,
  groupWeights,
  type QueuePause,
  queuePauses,
  reopenJob,
  reopenJobs,
} from "../../engine/index.ts";
import { ConflictError, NotFoundError } from "../../errors.ts";
import type { QueueName } from "../../jobs/queues.ts";
import { type Act, type Operator, requireRight, requireRightTo } from "./job-rights.ts";

// All control of jobs goes through these functions. Each checks the table of rights: it throws `ForbiddenError` without the
// right, and `ReasonNeededError` when a reason is needed and none was given.

/**
 * Cancels a job and all its unfinished children: open ones at once; running ones are told to stop, and become
 * `cancelled` when they have. May be repeated; throws `ConflictError` when the job has ended in another way, and
 * `NotFoundError`.
 */
export async function cancelJob(tx: EntityManager, id: string, operator: Operator): Promise<void> {
  if (!(await findJob(tx, id))) throw noJob(id);
  await cancelUnfinished(tx, [id], operator, "cancel");
  const job = await findJob(tx, id);
  if (!job) throw noJob(id);
  if (job.cancellation || job.state === "cancelled") return;
  throw new ConflictError(`Job '${id}' has ${job.state} already; there is nothing to cancel`);
}

/** Cancels those of many jobs that are not over yet, as `cancelJob` does; ignores the others. */
export async function cancelUnfinished(
  tx: EntityManager,
  ids: readonly string[],
  operator: Operator,
  act: Act,
): Promise<void> {
  await requireRightTo(tx, act, ids, operator);
  await cancelJobs(tx, ids, { at: new Date().toISOString(), by: operator.id, reason: operator.reason });
}

/**
 * Retries a job that failed, was cancelled or is `unknown`, with all its attempts, and the parts that were cancelled with
 * it; of concurrent calls one does it.
 * Throws `ConflictError` when the job is in another state, and `NotFoundError`.
 */
export async function retryJob(tx: EntityManager, id: string, operator: Operator): Promise<void> {
  if (!(await findJob(tx, id))) throw noJob(id);
  await requireRightTo(tx, "retry", [id], operator);
  await reopen(tx, id);
}

/** As `retryJob`, for a caller whose right to its parent was checked. */
export async function reopen(tx: EntityManager, id: string): Promise<void> {
  if (await reopenJob(tx, id)) return;
  const job = await findJob(tx, id);
  if (!job) throw noJob(id);
  throw new ConflictError(`Job '${id}' is ${job.state}; only failed, cancelled and unknown jobs can be retried`);
}

/** Retries the unsuccessful ones of many jobs; returns their ids and ignores the others. */
export async function retryEnded(
  tx: EntityManager,
  ids: readonly string[],
  operator: Operator,
  act: Act,
): Promise<string[]> {
  await requireRightTo(tx, act, ids, operator);
  return reopenJobs(tx, ids);
}

/**
 * Pauses a queue: no other job starts until it is resumed. One that is paused already keeps its actor, time and reason.
 */
export async function pauseQueue(tx: EntityManager, queue: QueueName, operator: Operator): Promise<void> {
  requireRight("pause-queue", "", operator);
  await queuePauses.add(tx, queue, operator.id, String(operator.reason));
}

/** Resumes a queue. May be repeated. */
export async function resumeQueue(tx: EntityManager, queue: QueueName, operator: Operator): Promise<void> {
  requireRight("resume-queue", "", operator);
  await queuePauses.remove(tx, queue);
}

/** Gives a group of a queue a weight; others have 1. */
export async function weighGroup(
  tx: EntityManager,
  queue: QueueName,
  group: string,
  weight: number,
  operator: Operator,
) {
  requireRight("tune-queue", "", operator);
  await groupWeights.set(tx, queue, group, weight);
}

const noJob = (id: string) => new NotFoundError(`Job with id ${id} not found.`);

/** A pause, and the e-mail of the user who set it; null when that is unknown. */
export interface NamedPause extends QueuePause {
  byEmail: string | null;
}

/** The paused queues, and who paused them. */
export async function listPauses(tx: EntityManager): Promise<NamedPause[]> {
  const pauses = await queuePauses.list(tx);
  const found = await users.findByIds(
    tx,
    pauses.flatMap(({ by }) => by ?? []),
  );
  const emails = new Map(found.flatMap((user) => (user ? [[user.id, user.email]] : [])));
  return pauses.map((pause) => ({ ...pause, byEmail: emails.get(String(pause.by)) ?? null }));
}
