import { setTimeout as sleep } from "node:timers/promises";
import type { Log } from "./logger.ts";

export interface PollOptions {
  /** Does one pass; true when there is more to do at once. */
  look: () => Promise<boolean | undefined>;
  /** Average time between two passes: processes do not poll at the same moment. */
  everyMs: number;
  /** Time after a pass that failed; `everyMs` when absent. */
  backoffMs?: number;
  /** Logged once for each series of failures. */
  failure: string;
  log: Log;
  signal: AbortSignal;
}

/** Repeats a pass until the signal, whatever a pass throws; never two at once. */
export async function poll({ look, everyMs, backoffMs = everyMs, failure, log, signal }: PollOptions): Promise<void> {
  const pause = (ms: number) => sleep(ms * (0.5 + Math.random()), undefined, { signal }).catch(() => undefined);
  let isFailing = false;
  while (!signal.aborted) {
    try {
      const hasMore = await look();
      isFailing = false;
      if (!hasMore) await pause(everyMs);
    } catch (error) {
      if (!isFailing) log.warn({ err: error }, failure);
      isFailing = true;
      await pause(backoffMs);
    }
  }
}
