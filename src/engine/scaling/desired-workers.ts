/** What the number of a queue's workers depends on besides its load. */
export interface ScalingRule {
  /** How long a job that is ready may wait until it starts, in seconds. */
  goalSeconds: number;
  /** Minimum number of workers, also without jobs. */
  minWorkers: number;
  maxWorkers: number;
  /** Concurrent jobs in one worker, as its WORKER_CONCURRENCY says. */
  concurrency: number;
  /** Expected duration of one job, in seconds, until one is measured. */
  priorSeconds: number;
  /** Time from the decision for another worker until it takes jobs, in seconds. */
  startSeconds: number;
  /** Time that running jobs have when a worker is stopped, in seconds: its DRAIN_TIMEOUT_MS. */
  graceSeconds: number;
}

/** Rules by queue. */
export type ScalingRules = Readonly<Record<string, ScalingRule>>;

/** The load of a queue, the same in every process. */
export interface QueueLoad {
  /** Jobs that could start now, by where they are. */
  waiting: number;
  prioritized: number;
  /** Delayed until a moment that has passed. */
  delayedDue: number;
  /** Enqueued in Postgres and due for a second, but not in Redis yet. */
  unpublished: number;
  /** Jobs that workers hold. */
  active: number;
  /** Seconds that those have been running, in total. */
  activeSeconds: number;
  /** Runs that ended in the last ten minutes, and the seconds that they took in total. */
  completions: number;
  busySeconds: number;
  /** Jobs put into the queue per second; the last half minute counts most. */
  arrivalsPerSecond: number;
  /** How long the oldest job that could start has been waiting. */
  oldestReadyAgeSeconds: number;
  /** Workers that have said in the last 15 s that they live. */
  workers: number;
  isPaused: boolean;
  /** Jobs that all workers together may run at once; null: any number. */
  globalConcurrency: number | null;
  /** Jobs that all workers together may start per second; null: any number. */
  startsPerSecond: number | null;
  /** The number that an operator has set in place of the computed one; null: none. */
  wanted: number | null;
}

export interface Desired {
  desiredWorkers: number;
  /** The number of workers without minimum and maximum. */
  unclamped: number;
  /** Estimated duration of one job. */
  serviceSeconds: number;
  /** Jobs that could start now; none while the queue is paused. */
  ready: number;
  /** For people. */
  reason: string;
}

/** Weight of the prior estimate, in measured runs. */
const priorRuns = 2;
/** The target utilization of workers: at 100 % a queue only grows. */
const utilisation = 0.8;

/**
 * How many workers a queue needs: as many as its arrivals keep busy (Little's law), and those that reduce its backlog
 * before the oldest job has waited longer than the goal. A pure function of its arguments, so that every process gives
 * the same answer at the same moment.
 */
export function desiredWorkers(load: QueueLoad, rule: ScalingRule): Desired {
  const { active, arrivalsPerSecond, isPaused, wanted } = load;
  const { concurrency, goalSeconds, minWorkers, maxWorkers, priorSeconds, startSeconds, graceSeconds } = rule;
  const ready = isPaused ? 0 : load.waiting + load.prioritized + load.delayedDue + load.unpublished;
  // Includes running jobs: a job of minutes would otherwise not count before it has ended.
  const serviceSeconds =
    (priorRuns * priorSeconds + load.busySeconds + load.activeSeconds) / (priorRuns + load.completions);

  const leftSeconds = Math.max(goalSeconds / 4, goalSeconds - load.oldestReadyAgeSeconds - startSeconds);
  const steady = (arrivalsPerSecond * serviceSeconds) / utilisation;
  const backlog = (ready * serviceSeconds) / leftSeconds;
  const limits: [string, number][] = [[`${ready + active} jobs at all`, ready + active]];
  if (load.globalConcurrency !== null) limits.push(["the queue's concurrency", load.globalConcurrency]);
  if (load.startsPerSecond !== null) limits.push(["the rate limit", load.startsPerSecond * serviceSeconds]);
  const [limit, maxSlots] = limits.reduce((lowest, next) => (next[1] < lowest[1] ? next : lowest));
  const slots = Math.min(steady + backlog, maxSlots);

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
    steady + backlog > maxSlots && `${limit}: ${round(maxSlots)} slots`,
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

/** Rounded up, except for the rounding error of a division. */
const whole = (workers: number) => Math.ceil(workers - 1e-9);

const round = (value: number) => Math.round(value * 100) / 100;
