import type { EntityManager } from "typeorm";
import type { Queues } from "./bull-queues.ts";

/** That a queue is paused: by whom (an id of the application, or null), since when, and why. */
export interface QueuePause {
  queue: string;
  by: string | null;
  reason: string;
  at: Date;
}

/** Pauses as people want them; Redis is made to agree, whatever happens to it. */
export const queuePauses = {
  list: (tx: EntityManager): Promise<QueuePause[]> =>
    tx.query('SELECT queue, paused_by AS "by", reason, paused_at AS at FROM queue_pause ORDER BY queue'),

  /** Pauses a queue; one that is paused keeps who did it, when and why. */
  add: (tx: EntityManager, queue: string, by: string | null, reason: string) =>
    tx.query("INSERT INTO queue_pause (queue, paused_by, reason) VALUES ($1, $2, $3) ON CONFLICT (queue) DO NOTHING", [
      queue,
      by,
      reason,
    ]),

  remove: (tx: EntityManager, queue: string) => tx.query("DELETE FROM queue_pause WHERE queue = $1", [queue]),
};

/**
 * Pauses the queues of these pauses in Redis and lets all others go on; may be repeated, by any process, and has to be
 * now and then, since Redis may forget.
 */
export async function applyPauses({ byName }: Queues, pauses: readonly { queue: string }[]): Promise<void> {
  for (const [name, queue] of Object.entries(byName)) {
    const isWanted = pauses.some((pause) => pause.queue === name);
    if ((await queue.isPaused()) === isWanted) continue;
    await (isWanted ? queue.pause() : queue.resume());
  }
}
