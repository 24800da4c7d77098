import { NotFoundError } from "../../errors.ts";
import type { Log } from "../../platform/logger.ts";
import { memoizeFor } from "../../platform/memoize-for.ts";
import type { Queues } from "../bull-queues.ts";
import type { ScalingRule, ScalingRules } from "./desired-workers.ts";
import { type Desired, desiredWorkers } from "./desired-workers.ts";
import { type PromisedLoad, type QueueState, readQueueLoad } from "./queue-load.ts";
import type { Pace } from "./throughput.ts";

/** What Postgres knows of all queues. */
export interface OutboxStats {
  promised: readonly PromisedLoad[];
  /** Queues that people have paused. */
  paused: readonly string[];
}

export interface AutoscalerOptions {
  queues: Queues;
  rules: ScalingRules;
  readStats: () => Promise<OutboxStats>;
  /** Logs each change of the desired number, with its reason; absent: no log. */
  log?: Log;
  pace?: Pace;
}

export interface QueueReport {
  rule: ScalingRule;
  state: QueueState;
  desired: Desired;
}

/** Reports by queue. */
export type Reports = Readonly<Record<string, QueueReport>>;

/** The autoscaler's report about one queue, with the figures that explain it to people. */
export interface Explanation extends Omit<Desired, "ready" | "serviceSeconds"> {
  queue: string;
  min: number;
  max: number;
  concurrency: number;
  inputs: Omit<QueueState, "failed"> & { ready: number; serviceSeconds: number; goalSeconds: number };
  computedAt: string;
}

export type Autoscaler = ReturnType<typeof createAutoscaler>;

/** Reads all queues; rejects when Redis or Postgres does not answer, since half of the figures would look like calm. */
export function createAutoscaler({ queues, rules, readStats, log, pace }: AutoscalerOptions) {
  const logged = new Map<string, number>();
  const logChange = (name: string, { desired }: QueueReport) => {
    const before = logged.get(name);
    logged.set(name, desired.desiredWorkers);
    if (before === undefined || before === desired.desiredWorkers) return;
    log?.info(
      { queue: name, from: before, to: desired.desiredWorkers, reason: desired.reason },
      "desired workers changed",
    );
  };
  const reports = memoizeFor(async (): Promise<Reports> => {
    const { promised, paused } = await readStats();
    const entries = await Promise.all(
      Object.entries(rules).map(async ([name, rule]): Promise<[string, QueueReport]> => {
        const waits = promised.find(({ queue }) => queue === name);
        const state = await readQueueLoad(queues, name, waits, paused.includes(name), pace);
        return [name, { rule, state, desired: desiredWorkers(state, rule) }];
      }),
    );
    for (const [name, report] of entries) logChange(name, report);
    return Object.fromEntries(entries);
  });
  return {
    /** All queues, at most half a second old. */
    reports,
    /** The same for one queue, with the field names of the endpoint. */
    async explain(queue: string): Promise<Explanation> {
      const report = (await reports())[queue];
      if (!report) throw new NotFoundError(`There is no queue '${queue}'; there are ${Object.keys(rules).join(", ")}`);
      const { rule, state, desired } = report;
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
