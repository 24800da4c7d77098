import type { EntityManager } from "typeorm";

/** Groups of jobs that get several turns where others get one. */
export const jobGroupWeights = {
  /** Gives a group so many turns, 1 to 100, from the next one on; 1 is what all have. */
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
