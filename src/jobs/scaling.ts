import { type QueueName, queueNames, queues } from "./queues.ts";

/** What the number of a queue's workers depends on besides its load. */
export interface ScalingRule {
  /** How long a job that is ready may wait until it starts, in seconds. */
  goalSeconds: number;
  /** Workers that stay when there is nothing to do. */
  minWorkers: number;
  maxWorkers: number;
  /** Jobs at once in one worker, as its WORKER_CONCURRENCY says. */
  concurrency: number;
  /** What one job takes, in seconds, as long as nothing is measured. */
  priorSeconds: number;
  /** From the wish for a worker until it takes jobs, in seconds. */
  startSeconds: number;
  /** What running jobs are given when a worker is stopped, in seconds: its DRAIN_TIMEOUT_MS. */
  graceSeconds: number;
}

const usual = { minWorkers: 0, maxWorkers: 10, startSeconds: 5, graceSeconds: 20 };

/** Goals as the descriptions of the queues promise them; prior times as docs/benchmarks.md measured them, rounded up. */
const ours: Record<QueueName, Omit<ScalingRule, "concurrency">> = {
  images: { ...usual, goalSeconds: 15, priorSeconds: 0.5, minWorkers: 1 },
  documents: { ...usual, goalSeconds: 15, priorSeconds: 0.5, minWorkers: 1 },
  mail: { ...usual, goalSeconds: 30, priorSeconds: 1, minWorkers: 1 },
  webhooks: { ...usual, goalSeconds: 30, priorSeconds: 1, minWorkers: 1 },
  // Replays and fan-outs run as long as they like, and nobody waits for them.
  upkeep: { ...usual, goalSeconds: 600, priorSeconds: 10, maxWorkers: 3 },
};

export type ScalingRules = Readonly<Record<QueueName, ScalingRule>>;

/** What an installation wants otherwise. */
export type ScalingChanges = {
  [N in QueueName]?: { [K in keyof ScalingRule]?: ScalingRule[K] | undefined } | undefined;
};

/** The rules of all queues, with what an installation wants otherwise. */
export function scalingRules(changes: ScalingChanges = {}): ScalingRules {
  const entries = queueNames.map((name) => [
    name,
    { concurrency: queues[name].concurrency, ...ours[name], ...changes[name] },
  ]);
  return Object.freeze(Object.fromEntries(entries)) as ScalingRules;
}
