import type { EntityManager } from "typeorm";

/** What Postgres knows of the queues that Redis does not. */
export const queueBooks = {
  /**
   * By queue: jobs on the outbox that have been due for a second, for how many seconds the oldest has, and the oldest
   * that does not wait for its group's turn; and the queues that are to be paused.
   */
  async read(tx: EntityManager) {
    // Younger rows are on their way, or in Redis already and not struck off yet.
    const promised: { queue: string; jobs: number; oldestSeconds: number; lagSeconds: number }[] = await tx.query(
      `SELECT queue, count(*)::int AS jobs, extract(epoch FROM now() - min(run_at))::float8 AS "oldestSeconds",
         coalesce(extract(epoch FROM now() - min(run_at) FILTER (WHERE group_key IS NULL)), 0)::float8 AS "lagSeconds"
       FROM job_outbox WHERE run_at <= now() - interval '1 second' GROUP BY queue ORDER BY queue`,
    );
    const paused: { queue: string }[] = await tx.query("SELECT queue FROM queue_pause ORDER BY queue");
    return { promised, paused: paused.map(({ queue }) => queue) };
  },
};
