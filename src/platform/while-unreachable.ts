import { setTimeout as sleep } from "node:timers/promises";
import { NotThereYetError } from "../errors.ts";

/** Minimum number of attempts: on a slow machine one may take as long as all of them should. */
const leastFailures = 5;

export interface Patience {
  /** Called once for each new reason of a failure. */
  say?: (text: string) => void;
  /** Ends the wait early; the last error is thrown then. */
  signal?: AbortSignal;
  /** It gives up this long after the first failure, and after five failures; two minutes when absent. */
  limitMs?: number;
  pauseMs?: number;
}

/**
 * Retries `attempt` while it throws `NotThereYetError`: a dependency may be starting as well. Returns what `attempt`
 * returns in the end; throws its last error when the time is over, and any other error at once.
 */
export async function whileUnreachable<T>(attempt: () => Promise<T>, patience: Patience): Promise<T> {
  const { signal, pauseMs = 1_000 } = patience;
  const bear = countFailures(patience);
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof NotThereYetError) || signal?.aborted) throw error;
      bear(error);
    }
    await sleep(pauseMs, undefined, signal && { signal }).catch(() => undefined);
  }
}

/** Returns a function that takes failures, reports each new one, and throws the one that exceeds the limit. */
function countFailures({ say, limitMs = 120_000 }: Patience) {
  let [failures, firstAt, said] = [0, 0, ""];
  return (error: Error) => {
    if (failures++ === 0) firstAt = performance.now();
    if (failures >= leastFailures && performance.now() - firstAt >= limitMs) throw error;
    if (error.message !== said) say?.(`${error.message} Trying again for up to ${limitMs / 1_000} s.`);
    said = error.message;
  };
}
