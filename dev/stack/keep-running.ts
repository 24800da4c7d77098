import { setTimeout as sleep } from "node:timers/promises";
import type { Running } from "../services/service.ts";

export interface KeepOptions<R extends Running> {
  name: string;
  start: () => Promise<R>;
  /** Called without a process when it has ended by itself, and with the next one when that is ready. */
  changed: (running?: R) => void;
  say: (text: string) => void;
  lastLines: () => string[];
  pauses?: Pauses;
}

export interface Pauses {
  firstMs: number;
  /** So many ends within the window are a loop … */
  loopEnds: number;
  windowMs: number;
  /** … and then it is tried this often. */
  loopMs: number;
}

export interface Keeper<R extends Running> {
  /** The first process, or why there is none. */
  first: Promise<R>;
  /** Ends the process for good; tells whether force was needed. */
  stop(graceMs: number): Promise<boolean>;
}

const defaults: Pauses = { firstMs: 200, loopEnds: 5, windowMs: 60_000, loopMs: 10_000 };

/** Starts a process; once it was ready, starts it again whenever it ends, until `stop`. */
export function keepRunning<R extends Running>(options: KeepOptions<R>): Keeper<R> {
  const { start, changed, pauses = defaults } = options;
  const stopping = new AbortController();
  const ends: number[] = [];
  const first = start();
  let current = first;
  first.then(watch, () => {});
  return {
    first,
    async stop(graceMs) {
      stopping.abort();
      const running = await current.catch(() => undefined);
      return (await running?.stop(graceMs)) ?? false;
    },
  };

  async function watch(running: R): Promise<void> {
    let reason = await running.exited;
    if (!stopping.signal.aborted) changed();
    for (;;) {
      await pauseAfter(reason);
      if (stopping.signal.aborted) return;
      current = start();
      try {
        const next = await current;
        if (!stopping.signal.aborted) changed(next);
        return void watch(next);
      } catch (error) {
        reason = (error as Error).message;
      }
    }
  }

  async function pauseAfter(reason: string): Promise<void> {
    if (stopping.signal.aborted) return;
    const now = Date.now();
    ends.push(now);
    while (now - (ends[0] ?? now) > pauses.windowMs) ends.shift();
    const looping = ends.length >= pauses.loopEnds;
    options.say(`${options.name} ended (${reason}); ${looping ? tooOften() : "starting it again"}`);
    const pause = looping ? pauses.loopMs : pauses.firstMs * 2 ** (ends.length - 1);
    await sleep(pause, undefined, { signal: stopping.signal }).catch(() => {});
  }

  function tooOften(): string {
    const lines = options.lastLines().map((line) => `    ${line}`);
    const often = `${ends.length} times within ${pauses.windowMs / 1000} s`;
    return [`${often}, trying again every ${pauses.loopMs / 1000} s. Its last lines:`, ...lines].join("\n");
  }
}
