import type { EntityManager } from "typeorm";

/** Groups of jobs of which no more are started for now. */
export const groupPauses = {
  async add(tx: EntityManager, row: { queue: string; groupKey: string; pausedBy: string | null }): Promise<void> {
    await tx.query(
      "INSERT INTO job_group_pause (queue, group_key, paused_by) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
      [row.queue, row.groupKey, row.pausedBy],
    );
  },

  /** Resumes a group: its waiting jobs go on at once, also those snoozed during the pause. */
  async remove(tx: EntityManager, queue: string, groupKey: string): Promise<void> {
    await tx.query("DELETE FROM job_group_pause WHERE queue = $1 AND group_key = $2", [queue, groupKey]);
    await tx.query("UPDATE job_outbox SET run_at = now() WHERE queue = $1 AND group_key = $2 AND run_at > now()", [
      queue,
      groupKey,
    ]);
  },
};

/** Groups of jobs with a larger share than others. */
export const groupWeights = {
  /** Sets the weight of a group, 1 to 100, from its next job on; the default is 1. */
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
