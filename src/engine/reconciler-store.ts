import type { DataSource, EntityManager } from "typeorm";
import { tryLock } from "../platform/postgres/locks.ts";
import { forceIndexScan } from "../platform/postgres/prepared.ts";
import type { Dispatch, PromisedJob } from "./dispatch.ts";
import { dispatchSql } from "./outbox.ts";

/** Runs work of the reconciler in a transaction; does nothing while another process does this. */
export function withReconcilerLock(db: DataSource) {
  return (work: (store: ReconcilerStore) => Promise<void>) =>
    db.transaction(async (tx) => {
      if (!(await tryLock(tx, "reconciler"))) return;
      await tx.query(forceIndexScan);
      await work(storeOf(tx));
    });
}

/** The reconciler's statements, in a transaction that only one process has open. */
export type ReconcilerStore = ReturnType<typeof storeOf>;

function storeOf(tx: EntityManager) {
  return {
    findSuspects: (cursor: string, quietMs: number, size: number) => findSuspects(tx, cursor, quietMs, size),
    dispatchAgain: (jobs: readonly Dispatch[]) => dispatchAgain(tx, jobs),
    cancelAbandoned: () => cancelAbandoned(tx),
    settleParents: () => settleParents(tx),
  };
}

/**
 * Jobs that should be in Redis: unfinished, not on the outbox, and neither dispatched nor held by a worker within the
 * last `quietMs`; in the order of their ids, after `cursor`.
 */
function findSuspects(tx: EntityManager, cursor: string, quietMs: number, size: number): Promise<Dispatch[]> {
  return tx.query(
    `SELECT id AS "jobId", queue, kind, gen, priority, max_failures AS "maxFailures" FROM job
     WHERE finished_at IS NULL AND id > $1
       AND (state = 'open' AND run_at < now() - $2 * interval '1 millisecond'
         OR state = 'running' AND lease_until < now() - $2 * interval '1 millisecond')
       AND NOT EXISTS (SELECT 1 FROM job_outbox WHERE job_outbox.job_id = job.id)
     ORDER BY id LIMIT $3`,
    [cursor, quietMs, size],
  );
}

/**
 * Enqueues jobs that Redis has lost again, under their next generation; those that have changed since they were found
 * stay as they are.
 */
function dispatchAgain(tx: EntityManager, jobs: readonly Dispatch[]): Promise<PromisedJob[]> {
  return tx.query(
    `WITH lost AS (
       UPDATE job SET gen = job.gen + 1, run_at = now()
       FROM unnest($1::uuid[], $2::int[]) AS suspect (id, gen)
       WHERE job.id = suspect.id AND job.gen = suspect.gen AND job.finished_at IS NULL
       RETURNING job.id, queue, kind, job.gen, priority, max_failures, run_at, group_key
     )
     ${dispatchSql("lost")}`,
    [jobs.map(({ jobId }) => jobId), jobs.map(({ gen }) => gen)],
  );
}

/** Ends jobs that were cancelled while they ran and whose workers have died. */
async function cancelAbandoned(tx: EntityManager): Promise<void> {
  await tx.query(
    `UPDATE job SET state = 'cancelled', finished_at = now(), lease_until = NULL
     WHERE finished_at IS NULL AND state = 'running' AND cancellation IS NOT NULL AND lease_until < now()`,
  );
}

/**
 * Ends jobs that waited for their children, all of which are over; their results count the children by state. A job
 * that was cancelled while it ended its own work is cancelled. Those that succeed are enqueued once more, under their
 * next generation: a worker finds that they are over, and calls `onSucceeded`. Any process may run it at any time.
 */
export async function settleParents(tx: EntityManager): Promise<void> {
  await tx.query(
    `WITH settled AS (
       SELECT id FROM job
       WHERE finished_at IS NULL AND state = 'waiting' AND NOT EXISTS (
         SELECT 1 FROM job child WHERE child.parent_id = job.id AND child.finished_at IS NULL)
       FOR UPDATE SKIP LOCKED
     ), ended AS (
       UPDATE job SET finished_at = now(), gen = gen + CASE WHEN cancellation IS NULL THEN 1 ELSE 0 END,
         state = CASE WHEN cancellation IS NULL THEN 'succeeded' ELSE 'cancelled' END,
         result = coalesce(result, '{}') || jsonb_build_object('children', (
           SELECT coalesce(jsonb_object_agg(state, jobs), '{}')
           FROM (SELECT state, count(*) AS jobs FROM job child WHERE child.parent_id = job.id GROUP BY state) counted))
       FROM settled WHERE job.id = settled.id
       RETURNING job.id, state, queue, kind, gen, priority, max_failures, group_key
     ), succeeded AS (
       SELECT id, queue, kind, gen, priority, max_failures, now() AS run_at, group_key
       FROM ended WHERE state = 'succeeded'
     )
     ${dispatchSql("succeeded")}`,
  );
}
