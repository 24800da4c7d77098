import type { Registry } from "prom-client";
import type { DataSource } from "typeorm";
import type { Log } from "../platform/logger.ts";
import { memoizeFor } from "../platform/memoize-for.ts";
import type { RedisConnection } from "../platform/redis.ts";
import { createQueues, type Queues } from "./bull-queues.ts";
import type { JobDefinition } from "./define-job.ts";
import { createJobMetrics, type JobMetrics, measureOutbox, measureQueues } from "./metrics.ts";
import { createOutbox, readOutboxStats } from "./outbox.ts";
import { applyPauses, queuePauses } from "./queue-controls.ts";
import { startReconciler } from "./reconciler.ts";
import { withReconcilerLock } from "./reconciler-store.ts";
import { type Relay, startRelay } from "./relay.ts";
import { type Autoscaler, createAutoscaler } from "./scaling/autoscaler.ts";
import type { ScalingRules } from "./scaling/desired-workers.ts";
import { countThroughput, recordPublished, type Throughput } from "./scaling/throughput.ts";
import { createTransact, type Transact } from "./transaction.ts";

/** A queue of jobs: one for each kind of load, so that each can be scaled, slowed and paused by itself. */
export interface QueueDefinition {
  /** The people to ask about it. */
  readonly owner: string;
  /** Concurrent jobs in one worker, unless its setting says otherwise. */
  readonly concurrency: number;
  /**
   * How long a silent worker keeps a job before another may claim it; a crash costs at most `lockMs` + 2 × `stalledMs`,
   * since BullMQ's stalled check needs two passes.
   */
  readonly lockMs: number;
  readonly stalledMs: number;
  /** One sentence for people who read a list of queues. */
  readonly description: string;
  /** Former names: jobs that older processes put there are run here. */
  readonly formerly?: readonly string[];
}

/** Queues by name. */
export type QueueDefinitions = Readonly<Record<string, QueueDefinition>>;

/** The present name of each former name of a queue. */
function presentNames(queues: QueueDefinitions): ReadonlyMap<string, string> {
  return new Map(Object.entries(queues).flatMap(([name, { formerly = [] }]) => formerly.map((old) => [old, name])));
}

/** The application's jobs; the engine knows none of them by itself. */
export interface EngineDefinitions<Queue extends string> {
  queues: Readonly<Record<Queue, QueueDefinitions[string]>>;
  // biome-ignore lint/suspicious/noExplicitAny: payloads of many types; each job has checked its own.
  jobs: Readonly<Record<string, JobDefinition<string, any, Queue>>>;
}

export interface EngineOptions<Queue extends string> extends EngineDefinitions<Queue> {
  scaling: ScalingRules;
  db: DataSource;
  /** A connection that fails fast; the caller closes it after the engine. */
  redis: RedisConnection;
  /** Prefix of all keys in Redis. */
  prefix: string;
  log: Log;
  registry: Registry;
  /** Stops the relay and the reconciler. */
  signal: AbortSignal;
  /** The queues that this process works on, and its name; absent: it only enqueues jobs. */
  worker?: { name: string; queues: readonly Queue[] };
}

/** What a process needs to enqueue jobs, to publish them to Redis and to control them. */
export interface Engine<Queue extends string = string> {
  /** Opens transactions; the jobs that one enqueues are published to Redis as soon as it has committed. */
  transact: Transact;
  queues: Queues<Queue>;
  relay: Relay;
  autoscaler: Autoscaler;
  throughput: Throughput;
  metrics: JobMetrics;
  /** Resolves when relay and reconciler have ended after the signal. */
  done: Promise<unknown>;
  /** Closes the queues; after `done`. */
  close(): Promise<void>;
}

/**
 * Starts the engine in this process: the relay, the reconciler, the metrics and the autoscaler's answers. Any number of
 * processes may do so on one database and one Redis.
 *
 * ```ts
 * const engine = createEngine({ queues, jobs, scaling, db, redis, prefix: "shop", log, registry, signal });
 * await engine.transact({ actorId, traceId }, (tx) => enqueue(tx, sendInvoice, { orderId }));
 * ```
 */
export function createEngine<const Queue extends string>(options: EngineOptions<Queue>): Engine<Queue> {
  const { db, redis, prefix, log, registry, signal, jobs, scaling: rules, worker } = options;
  const names = Object.keys(options.queues) as Queue[];
  const former = presentNames(options.queues);
  const queues = createQueues(names, redis, prefix, log, former);
  const metrics = createJobMetrics(registry);
  const readStats = memoizeFor(() => readOutboxStats(db.manager));
  const autoscaler = createAutoscaler({ queues, rules, readStats, log });
  measureQueues(registry, autoscaler.reports);
  measureOutbox(registry, readStats);
  const throughput = countThroughput(queues, worker);
  const onPublished = recordPublished(metrics, throughput);
  const relay = startRelay({
    outbox: createOutbox(db, [...names, ...former.keys()]),
    queues,
    jobs,
    log,
    signal,
    onPublished,
  });
  const reconciler = startReconciler({
    withLock: withReconcilerLock(db),
    queues,
    wake: relay.wake,
    // Redis may forget a pause.
    onEachPass: async () => applyPauses(queues, await queuePauses.list(db.manager)),
    log,
    signal,
  });
  return {
    transact: createTransact(db, relay.offer),
    queues,
    relay,
    autoscaler,
    throughput,
    metrics,
    done: Promise.all([relay.done, reconciler]),
    async close() {
      await throughput.close();
      await queues.close();
    },
  };
}
