import type { Queues } from "./queues.ts";

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
