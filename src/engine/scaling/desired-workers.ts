import type { ScalingRule } from "./rules.ts";

/** How a queue stands, the same whichever process asks. */
export interface QueueLoad {
  /** Jobs that could start now, by where they are. */
  waiting: number;
  prioritized: number;
  /** Put off until a moment that has passed. */
  delayedDue: number;
  /** Promised in Postgres and due for a second, but not in Redis yet. */
  unpublished: number;
  /** Jobs that workers hold. */
  active: number;
  /** Seconds that those have been running, together. */
  activeSeconds: number;
  /** Runs that ended in the last ten minutes, and the seconds that they took together. */
  completions: number;
  busySeconds: number;
  /** Jobs put into the queue in a second, the last half minute counting most. */
  arrivalsPerSecond: number;
  /** How long the oldest job that could start has been waiting. */
  oldestReadyAgeSeconds: number;
  /** Workers that have said in the last 15 s that they live. */
  workers: number;
  isPaused: boolean;
  /** Jobs that all workers together may run at once; null: any number. */
  globalConcurrency: number | null;
  /** Jobs that all workers together may start in a second; null: any number. */
  startsPerSecond: number | null;
  /** What an operator wants instead of what is computed; null: nothing. */
  wanted: number | null;
}

export interface Desired {
  desiredWorkers: number;
  /** What it would be without least and most, in workers. */
  unclamped: number;
  /** What one job takes, as it was estimated. */
  serviceSeconds: number;
  /** Jobs that could start now; none while the queue is paused. */
  ready: number;
  /** For people. */
  reason: string;
}

/** How much the prior counts, in runs: two measured runs weigh as much. */
const priorRuns = 2;
/** Workers are kept busy so far and no further: at 100 % a queue only grows. */
const utilisation = 0.8;

/**
 * How many workers a queue needs: as many as its arrivals keep busy (Little's law), and those that bring its backlog
 * down before the oldest job has waited longer than the goal. A pure function of its arguments, so that every process
 * that is asked at the same moment says the same.
 */
export function desiredWorkers(load: QueueLoad, rule: ScalingRule): Desired {
  const { active, arrivalsPerSecond, isPaused, wanted } = load;
  const { concurrency, goalSeconds, minWorkers, maxWorkers, priorSeconds, startSeconds, graceSeconds } = rule;
  const ready = isPaused ? 0 : load.waiting + load.prioritized + load.delayedDue + load.unpublished;
  // With those that still run: a job of minutes would otherwise not count before it has ended.
  const serviceSeconds =
    (priorRuns * priorSeconds + load.busySeconds + load.activeSeconds) / (priorRuns + load.completions);

  const leftSeconds = Math.max(goalSeconds / 4, goalSeconds - load.oldestReadyAgeSeconds - startSeconds);
  const steady = (arrivalsPerSecond * serviceSeconds) / utilisation;
  const backlog = (ready * serviceSeconds) / leftSeconds;
  const limits: [string, number][] = [[`${ready + active} jobs at all`, ready + active]];
  if (load.globalConcurrency !== null) limits.push(["the queue's concurrency", load.globalConcurrency]);
  if (load.startsPerSecond !== null) limits.push(["the rate limit", load.startsPerSecond * serviceSeconds]);
  const [limit, most] = limits.reduce((least, next) => (next[1] < least[1] ? next : least));
  const slots = Math.min(steady + backlog, most);

  const isProtecting = serviceSeconds > graceSeconds / 2;
  const protectedWorkers = isProtecting ? Math.ceil(active / concurrency) : 0;
  const isNeeded = ready + active > 0 ? 1 : 0;
  const computed = Math.max(whole(slots / concurrency), isNeeded, protectedWorkers);
  const unclamped = wanted ?? computed;
  const reason = [
    isPaused && "paused: only what runs counts",
    wanted !== null && `an operator wants ${wanted}; computed were ${computed}`,
    `arrivals ${round(arrivalsPerSecond)}/s x ${round(serviceSeconds)} s / ${utilisation}` +
      ` + drain ${ready} x ${round(serviceSeconds)} s in ${round(leftSeconds)} s = ${round(steady + backlog)} slots`,
    steady + backlog > most && `${limit}: ${round(most)} slots`,
    `${concurrency} in a worker`,
    isProtecting && active > 0 && `${active} long jobs keep ${protectedWorkers} workers`,
    unclamped < minWorkers && `at least ${minWorkers}`,
    unclamped > maxWorkers && `at most ${maxWorkers}`,
  ];
  return {
    desiredWorkers: Math.min(maxWorkers, Math.max(minWorkers, unclamped)),
    unclamped,
    serviceSeconds,
    ready,
    reason: reason.filter(Boolean).join("; "),
  };
}

/** Rounded up, but not for what a division has left over. */
const whole = (workers: number) => Math.ceil(workers - 1e-9);

const round = (value: number) => Math.round(value * 100) / 100;
