import type { EntityManager } from "typeorm";

/** Groups of jobs of which no more are begun for now. */
export const groupPauses = {
  async add(tx: EntityManager, row: { queue: string; groupKey: string; pausedBy: string | null }): Promise<void> {
    await tx.query(
      "INSERT INTO job_group_pause (queue, group_key, paused_by) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
      [row.queue, row.groupKey, row.pausedBy],
    );
  },

  /** Has what waits go on at once, also what was snoozed while it was paused. */
  async remove(tx: EntityManager, queue: string, groupKey: string): Promise<void> {
    await tx.query("DELETE FROM job_group_pause WHERE queue = $1 AND group_key = $2", [queue, groupKey]);
    await tx.query("UPDATE job_outbox SET run_at = now() WHERE queue = $1 AND group_key = $2 AND run_at > now()", [
      queue,
      groupKey,
    ]);
  },
};

/** Groups of jobs that get several places where others get one. */
export const groupWeights = {
  /** Weighs a group with 1 to 100, from its next job on; 1 is what all have. */
  async set(tx: EntityManager, queue: string, groupKey: string, weight: number): Promise<void> {
    if (weight === 1) {
      await tx.query("DELETE FROM job_group_weight WHERE queue = $1 AND group_key = $2", [queue, groupKey]);
      return;
    }
    await tx.query(
      `INSERT INTO job_group_weight (queue, group_key, weight) VALUES ($1, $2, $3)
       ON CONFLICT (queue, group_key) DO UPDATE SET weight = excluded.weight`,
      [queue, groupKey, weight],
    );
  },
};
