import type { Checks } from "../platform/probes.ts";

/** A consumer that takes no job for this long although some are ready does not work any more. */
const limitMs = 180_000;
const lookMs = 15_000;

/** What can be observed of a consumer of jobs. */
export interface Fetching {
  queue: string;
  /** False once its loop has ended. */
  isRunning: () => boolean;
  /** Jobs that it holds now. */
  running: () => number;
  /** Jobs that it has started since its own start. */
  begun: () => number;
}

export interface LivenessOptions {
  fetching: readonly Fetching[];
  /** Whether a free worker would get a job from this queue now; rejects when that is unknown. */
  hasReady: (queue: string) => Promise<boolean>;
  /** A process that is stopping counts as alive. */
  isStopping: () => boolean;
  limitMs?: number;
  lookMs?: number;
}

/**
 * Finds consumers that are alive and take no jobs: loops that have ended, and loops that hang, whose sign is that jobs
 * stay ready while they hold none. An outage of Redis never counts: without its answer no consumer is reported. Call
 * `close` to end it.
 */
export function watchFetching({ fetching, hasReady, isStopping, ...limits }: LivenessOptions) {
  const maxIdleMs = limits.limitMs ?? limitMs;
  const watched = fetching.map((one) => ({ ...one, seen: one.begun(), idleSince: undefined as number | undefined }));
  const look = async () => {
    for (const one of watched) {
      const isBusy = one.running() > 0 || one.begun() !== one.seen;
      one.seen = one.begun();
      const isLeftWaiting = !isBusy && (await hasReady(one.queue).catch(() => false));
      one.idleSince = isLeftWaiting ? (one.idleSince ?? performance.now()) : undefined;
    }
  };
  let isLooking = false;
  const timer = setInterval(() => {
    if (isLooking) return;
    isLooking = true;
    void look().finally(() => {
      isLooking = false;
    });
  }, limits.lookMs ?? lookMs);
  return {
    /** The state of each queue's consumer: "ok" or what is wrong. */
    checks(): Checks {
      const now = performance.now();
      return Object.fromEntries(
        watched.map(({ queue, isRunning, idleSince }) => [
          `fetch ${queue}`,
          verdict(queue, isRunning(), idleSince, now),
        ]),
      );
    },
    close: () => clearInterval(timer),
  };

  function verdict(queue: string, isRunning: boolean, idleSince: number | undefined, now: number) {
    if (isStopping()) return "ok";
    if (!isRunning) return `the loop that takes jobs of queue '${queue}' has ended`;
    if (idleSince === undefined || now - idleSince <= maxIdleMs) return "ok";
    return `no job of queue '${queue}' was taken for ${Math.round((now - idleSince) / 1_000)} s although jobs are ready`;
  }
}
