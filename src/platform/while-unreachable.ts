import { setTimeout as sleep } from "node:timers/promises";
import { NotThereYetError } from "../errors.ts";

/** On a slow machine one attempt may take as long as all of them should. */
const leastFailures = 5;

export interface Patience {
  /** Told once for each new reason why it has to be tried again. */
  say?: (text: string) => void;
  /** Ends the waiting early; the last error is thrown then. */
  signal?: AbortSignal;
  /** So long after the first failure, and after five of them, it is given up; two minutes if not told otherwise. */
  limitMs?: number;
  pauseMs?: number;
}

/**
 * Does something again while it throws `NotThereYetError`: what is needed for a start may be starting as well. Gives what
 * `attempt` gives at last; throws its last error when the time is over, and any other error at once.
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

/** Gives a function that takes failures, says each new one, and throws the one that is too many. */
function countFailures({ say, limitMs = 120_000 }: Patience) {
  let [failures, firstAt, said] = [0, 0, ""];
  return (error: Error) => {
    if (failures++ === 0) firstAt = performance.now();
    if (failures >= leastFailures && performance.now() - firstAt >= limitMs) throw error;
    if (error.message !== said) say?.(`${error.message} Trying again for up to ${limitMs / 1_000} s.`);
    said = error.message;
  };
}
