import type { EntityManager } from "typeorm";
import { tryLock } from "../platform/postgres/locks.ts";
import { priorities } from "./define-job.ts";
import type { Dispatch } from "./dispatch.ts";

/**
 * How many jobs of one group of weight 1 may be in Redis or running in one queue. More than all workers of the queue
 * run at once, so that a single group keeps them busy; the rest waits in the outbox, where it delays no other group.
 */
const inFlightPerGroup = 200;
const batchSize = 500;
/** Levels that fit between two classes of priority: interactive work stays before normal, normal before bulk. */
const levels = priorities.normal - priorities.interactive - 1;
/** Jobs of a group that are over, wait for their children, or were dispatched again are not in flight any more. */
const landSql = `
  DELETE FROM job_in_flight USING job
  WHERE job.id = job_in_flight.job_id
    AND (job.finished_at IS NOT NULL OR job.state = 'waiting' OR job.gen <> job_in_flight.gen)`;

/**
 * The more jobs a group has in flight, the later its next one is dispatched: its level is their number. So ten jobs of
 * one customer go before the ten-thousandth of another, and groups with equal numbers alternate. A group of weight 3
 * has three jobs on each level, and three times as many in flight.
 */
const fairShareSql = `
  WITH RECURSIVE groups AS (
    (SELECT queue, group_key FROM job_outbox WHERE group_key IS NOT NULL AND queue = ANY($1)
     ORDER BY queue, group_key LIMIT 1)
    UNION ALL
    SELECT next.queue, next.group_key FROM groups CROSS JOIN LATERAL (
      SELECT queue, group_key FROM job_outbox
      WHERE group_key IS NOT NULL AND queue = ANY($1) AND (queue, group_key) > (groups.queue, groups.group_key)
      ORDER BY queue, group_key LIMIT 1
    ) next
  ), flight AS (
    SELECT queue, group_key, count(*)::int AS jobs FROM job_in_flight GROUP BY queue, group_key
  ), weighed AS (
    SELECT queue, group_key, coalesce(jobs, 0) AS jobs, coalesce(weight, 1) AS weight
    FROM groups LEFT JOIN flight USING (queue, group_key) LEFT JOIN job_group_weight USING (queue, group_key)
  ), due AS (
    SELECT next.job_id,
      (jobs + row_number() OVER (PARTITION BY queue, group_key ORDER BY priority, run_at) - 1) / weight AS level
    FROM weighed groups CROSS JOIN LATERAL (
      SELECT job_id, priority, run_at FROM job_outbox
      WHERE job_outbox.queue = groups.queue AND job_outbox.group_key = groups.group_key AND run_at <= now()
      ORDER BY priority, run_at LIMIT greatest(0, $2 * weight - jobs)
    ) next
    WHERE NOT EXISTS (SELECT FROM job_group_pause pause WHERE (pause.queue, pause.group_key) = (groups.queue, groups.group_key))
  ), chosen AS (
    SELECT job_id, level FROM due ORDER BY level LIMIT $3
  ), taken AS (
    DELETE FROM job_outbox USING chosen WHERE job_outbox.job_id = chosen.job_id
    RETURNING job_outbox.*, chosen.level
  ), flying AS (
    INSERT INTO job_in_flight (job_id, gen, queue, group_key) SELECT job_id, gen, queue, group_key FROM taken
    WHERE EXISTS (SELECT FROM job WHERE job.id = taken.job_id)
    ON CONFLICT (job_id) DO UPDATE SET gen = excluded.gen
  )
  SELECT job_id AS "jobId", queue, kind, gen, (priority + least(level, $4))::int AS priority,
    max_failures AS "maxFailures"
  FROM taken ORDER BY level, priority, run_at`;

/**
 * Removes members of groups from the outbox, first of the groups with the fewest jobs in flight, and none of paused
 * groups; does nothing while another process does this. Belongs in the transaction that publishes them.
 */
export async function takeFairShare(tx: EntityManager, queues: readonly string[]): Promise<Dispatch[]> {
  if (!(await tryLock(tx, "fairDispatch"))) return [];
  await tx.query(landSql);
  return tx.query(fairShareSql, [queues, inFlightPerGroup, batchSize, levels]);
}
