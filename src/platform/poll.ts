import { setTimeout as sleep } from "node:timers/promises";
import type { Log } from "./logger.ts";

export interface PollOptions {
  /** Looks once; true when there is more to do at once. */
  look: () => Promise<boolean | undefined>;
  /** Between two looks, on average: processes do not look at the same moment. */
  everyMs: number;
  /** After a look that failed; `everyMs` when absent. */
  backoffMs?: number;
  /** Logged once for each row of failures. */
  failure: string;
  log: Log;
  signal: AbortSignal;
}

/** Looks again and again until told to stop, whatever a look throws; never twice at once. */
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
