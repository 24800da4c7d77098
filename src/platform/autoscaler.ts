import { type QueueName, queueNames } from "../jobs/queues.ts";
import type { ScalingRule, ScalingRules } from "../jobs/scaling.ts";
import { type Desired, desiredWorkers } from "./desired-workers.ts";
import type { Log } from "./logger.ts";
import { type PromisedLoad, type QueueState, readQueueLoad } from "./queue-load.ts";
import type { Queues } from "./queues.ts";
import { remembered } from "./remembered.ts";
import type { Pace } from "./throughput.ts";

/** What Postgres knows of all queues. */
export interface Books {
  promised: readonly PromisedLoad[];
  /** Queues that people want paused. */
  paused: readonly string[];
}

export interface AutoscalerOptions {
  queues: Queues;
  rules: ScalingRules;
  readBooks: () => Promise<Books>;
  /** Where a change of a wish is told, with its reason; absent: nowhere. */
  log?: Log;
  pace?: Pace;
}

export interface QueueReport {
  rule: ScalingRule;
  state: QueueState;
  desired: Desired;
}

export type Reports = Record<QueueName, QueueReport>;

/** What the autoscaler is told about one queue, and what people read to understand it. */
export interface Explanation extends Omit<Desired, "ready" | "serviceSeconds"> {
  queue: string;
  min: number;
  max: number;
  concurrency: number;
  inputs: Omit<QueueState, "failed"> & { ready: number; serviceSeconds: number; goalSeconds: number };
  computedAt: string;
}

/** Looks at all queues; rejects when Redis or Postgres does not answer, since half of the truth would look like calm. */
export function createAutoscaler({ queues, rules, readBooks, log, pace }: AutoscalerOptions) {
  const told = new Map<QueueName, number>();
  const tell = (name: QueueName, { desired }: QueueReport) => {
    const before = told.get(name);
    told.set(name, desired.desiredWorkers);
    if (before === undefined || before === desired.desiredWorkers) return;
    log?.info({ queue: name, from: before, to: desired.desiredWorkers, reason: desired.reason }, "workers wanted");
  };
  const reports = remembered(async (): Promise<Reports> => {
    const { promised, paused } = await readBooks();
    const entries = await Promise.all(
      queueNames.map(async (name): Promise<[QueueName, QueueReport]> => {
        const waits = promised.find(({ queue }) => queue === name);
        const state = await readQueueLoad(queues, name, waits, paused.includes(name), pace);
        return [name, { rule: rules[name], state, desired: desiredWorkers(state, rules[name]) }];
      }),
    );
    for (const [name, report] of entries) tell(name, report);
    return Object.fromEntries(entries) as Reports;
  });
  return {
    /** All queues as they were at most half a second ago. */
    reports,
    /** The same for one queue, in the words of the endpoint. */
    async explain(queue: QueueName): Promise<Explanation> {
      const { rule, state, desired } = (await reports())[queue];
      const { failed, ...inputs } = state;
      const { ready, serviceSeconds, ...answer } = desired;
      return {
        queue,
        ...answer,
        min: rule.minWorkers,
        max: rule.maxWorkers,
        concurrency: rule.concurrency,
        inputs: { ...inputs, ready, serviceSeconds, goalSeconds: rule.goalSeconds },
        computedAt: new Date().toISOString(),
      };
    },
  };
}
