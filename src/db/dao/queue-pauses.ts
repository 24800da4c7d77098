import type { EntityManager } from "typeorm";

/** That a queue is paused: by whom (null when that user is gone), since when, and why. */
export interface QueuePause {
  queue: string;
  by: string | null;
  byEmail: string | null;
  reason: string;
  at: Date;
}

/** Pauses as people want them; Redis is made to agree, whatever happens to it. */
export const queuePauses = {
  list: (tx: EntityManager): Promise<QueuePause[]> =>
    tx.query(
      `SELECT queue, paused_by AS "by", email AS "byEmail", reason, paused_at AS at
       FROM queue_pause LEFT JOIN users ON users.id = paused_by ORDER BY queue`,
    ),

  /** Pauses a queue; one that is paused keeps who did it, when and why. */
  add: (tx: EntityManager, queue: string, by: string | null, reason: string) =>
    tx.query("INSERT INTO queue_pause (queue, paused_by, reason) VALUES ($1, $2, $3) ON CONFLICT (queue) DO NOTHING", [
      queue,
      by,
      reason,
    ]),

  remove: (tx: EntityManager, queue: string) => tx.query("DELETE FROM queue_pause WHERE queue = $1", [queue]),
};
