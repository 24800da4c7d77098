import type { Queues } from "./queues.ts";

/** Pauses the queues of these names in Redis and lets all others go on; may be repeated, by any process. */
export async function applyPauses({ byName }: Queues, paused: readonly string[]): Promise<void> {
  for (const [name, queue] of Object.entries(byName)) {
    const isWanted = paused.includes(name);
    if ((await queue.isPaused()) === isWanted) continue;
    await (isWanted ? queue.pause() : queue.resume());
  }
}
