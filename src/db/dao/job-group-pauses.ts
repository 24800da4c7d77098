import type { EntityManager } from "typeorm";

/** Groups of jobs of which no more are begun for now. */
export const jobGroupPauses = {
  async add(tx: EntityManager, row: { queue: string; groupKey: string; pausedBy: string | null }): Promise<void> {
    await tx.query(
      "INSERT INTO job_group_pause (queue, group_key, paused_by) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
      [row.queue, row.groupKey, row.pausedBy],
    );
  },

  /** Has what waits go on at once, also what was deferred while it was paused. */
  async remove(tx: EntityManager, queue: string, groupKey: string): Promise<void> {
    await tx.query("DELETE FROM job_group_pause WHERE queue = $1 AND group_key = $2", [queue, groupKey]);
    await tx.query("UPDATE job_outbox SET run_at = now() WHERE queue = $1 AND group_key = $2 AND run_at > now()", [
      queue,
      groupKey,
    ]);
  },
};
