import type { EntityManager } from "typeorm";
import type { OutboxStats } from "./scaling/autoscaler.ts";

/**
 * By queue: jobs on the outbox that have been due for a second, how many seconds the oldest has been, and the oldest
 * that does not wait for its group's share; also the queues that people have paused.
 */
export async function readOutboxStats(tx: EntityManager): Promise<OutboxStats> {
  // Younger rows are being published, or are in Redis already and not removed yet.
  const promised: OutboxStats["promised"] = await tx.query(
    `SELECT queue, count(*)::int AS jobs, extract(epoch FROM now() - min(run_at))::float8 AS "oldestSeconds",
       coalesce(extract(epoch FROM now() - min(run_at) FILTER (WHERE group_key IS NULL)), 0)::float8 AS "lagSeconds"
     FROM job_outbox WHERE run_at <= now() - interval '1 second' GROUP BY queue ORDER BY queue`,
  );
  const paused: { queue: string }[] = await tx.query("SELECT queue FROM queue_pause ORDER BY queue");
  return { promised, paused: paused.map(({ queue }) => queue) };
}
