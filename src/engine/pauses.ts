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
