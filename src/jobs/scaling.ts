import type { ScalingRule } from "../engine/index.ts";
import { type QueueName, queueNames, queues } from "./queues.ts";

const defaults = { minWorkers: 0, maxWorkers: 10, startSeconds: 5, graceSeconds: 20 };

/** Goals from the descriptions of the queues; prior times from the measurements in docs/benchmarks.md, rounded up. */
const ours: Record<QueueName, Omit<ScalingRule, "concurrency">> = {
  images: { ...defaults, goalSeconds: 15, priorSeconds: 0.5, minWorkers: 1 },
  documents: { ...defaults, goalSeconds: 15, priorSeconds: 0.5, minWorkers: 1 },
  mail: { ...defaults, goalSeconds: 30, priorSeconds: 1, minWorkers: 1 },
  webhooks: { ...defaults, goalSeconds: 30, priorSeconds: 1, minWorkers: 1 },
  payments: { ...defaults, goalSeconds: 30, priorSeconds: 2, maxWorkers: 3 },
  // Replays and fan-outs may run for hours, and no caller waits for them.
  maintenance: { ...defaults, goalSeconds: 600, priorSeconds: 10, maxWorkers: 3 },
};

export type ScalingRules = Readonly<Record<QueueName, ScalingRule>>;

/** Overrides of an installation. */
export type ScalingChanges = {
  [N in QueueName]?: { [K in keyof ScalingRule]?: ScalingRule[K] | undefined } | undefined;
};

/** The rules of all queues, with the overrides of an installation. */
export function scalingRules(changes: ScalingChanges = {}): ScalingRules {
  const entries = queueNames.map((name) => [
    name,
    { concurrency: queues[name].concurrency, ...ours[name], ...changes[name] },
  ]);
  return Object.freeze(Object.fromEntries(entries)) as ScalingRules;
}
