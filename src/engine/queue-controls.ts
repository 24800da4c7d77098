import type { EntityManager } from "typeorm";
import type { Queues } from "./bull-queues.ts";

/** The pause of a queue: by whom (an id of the application, or null), since when, and why. */
export interface QueuePause {
  queue: string;
  by: string | null;
  reason: string;
  at: Date;
}

/** The pauses that people have set; Redis is brought in line with them. */
export const queuePauses = {
  list: (tx: EntityManager): Promise<QueuePause[]> =>
    tx.query('SELECT queue, paused_by AS "by", reason, paused_at AS at FROM queue_pause ORDER BY queue'),

  /** Pauses a queue; one that is paused already keeps its actor, time and reason. */
  add: (tx: EntityManager, queue: string, by: string | null, reason: string) =>
    tx.query("INSERT INTO queue_pause (queue, paused_by, reason) VALUES ($1, $2, $3) ON CONFLICT (queue) DO NOTHING", [
      queue,
      by,
      reason,
    ]),

  remove: (tx: EntityManager, queue: string) => tx.query("DELETE FROM queue_pause WHERE queue = $1", [queue]),
};

/**
 * Pauses these queues in Redis and resumes all others. Any process may repeat it, and one has to from time to time,
 * since Redis may lose a pause.
 */
export async function applyPauses({ byName }: Queues, pauses: readonly { queue: string }[]): Promise<void> {
  for (const [name, queue] of Object.entries(byName)) {
    const isWanted = pauses.some((pause) => pause.queue === name);
    if ((await queue.isPaused()) === isWanted) continue;
    await (isWanted ? queue.pause() : queue.resume());
  }
}

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
