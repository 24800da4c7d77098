import { randomUUID } from "node:crypto";
import { afterAll, beforeAll } from "vitest";
import { z } from "zod";
import { Job } from "../../src/db/entities/job.ts";
import { createOutbox, enqueue, type PromiseOptions } from "../../src/db/outbox.ts";
import { keepBooks } from "../../src/db/reconcile.ts";
import { createTransact, type Transact } from "../../src/db/transaction.ts";
import { type AnyJob, defineJob, type PayloadOf, priorities } from "../../src/jobs/define-job.ts";
import { type QueueName, queueNames } from "../../src/jobs/queues.ts";
import { createLogger } from "../../src/platform/logger.ts";
import { createMetrics } from "../../src/platform/metrics.ts";
import { createQueues, type Queues } from "../../src/platform/queues.ts";
import { startReconciler } from "../../src/platform/reconciler.ts";
import { consumerConnection, producerConnection } from "../../src/platform/redis.ts";
import { type Relay, startRelay } from "../../src/platform/relay.ts";
import type { Kinds, RunOf, WorkerContext } from "../../src/workers/context.ts";
import { startWorker } from "../../src/workers/start-worker.ts";
import { useDatabase } from "./database.ts";
import { redisUrl } from "./redis.ts";

/** A job of tests in the queue `upkeep`, with whatever else the test wants of it. */
export function testJob(name: string, changes: Partial<AnyJob> = {}) {
  return defineJob({
    name,
    queue: "upkeep",
    version: 1,
    payload: z.object({ id: z.uuid() }),
    key: idOf,
    entity: (payload) => ({ type: "test", id: idOf(payload) }),
    priority: priorities.normal,
    retry: { attempts: 3, backoffMs: 20, outageMs: 50 },
    timeoutMs: 10_000,
    description: "Is there to be tested.",
    ...changes,
  }) as AnyJob;
}

const idOf = (payload: unknown) => (payload as { id: string }).id;

export interface EngineOptions {
  /** Jobs at once. */
  concurrency?: number;
  lockMs?: number;
  /** Address of a Redis of the test's own; the shared one otherwise. */
  redis?: { url: string };
  /** The queue that is worked at; `upkeep` otherwise. */
  queue?: QueueName;
  /** What processors may use besides. */
  context?: Partial<WorkerContext>;
  /** What the processors do, by name of the job. */
  run: Record<string, (job: RunOf<{ id: string }>, context: WorkerContext) => Promise<void>>;
}

/** Ledger, relay, reconciler and a worker of one queue in this process, with jobs of the test's own. */
export function useEngine(jobs: AnyJob[], options: EngineOptions) {
  const { concurrency = 10, lockMs, redis, queue = "upkeep", run } = options;
  const db = useDatabase();
  const prefix = `test-${randomUUID()}`;
  const log = createLogger(process.env.TEST_LOG_LEVEL ?? "silent", "test");
  const stop = new AbortController();
  const engine = {
    db,
    prefix,
    log,
    origin: { actorId: null, traceId: null },
    queues: undefined as unknown as Queues,
    relay: undefined as unknown as Relay,
    transact: undefined as unknown as Transact,
    worker: undefined as unknown as ReturnType<typeof startWorker>,
    /** Promises a job as a request does; returns its id. */
    promise<J extends AnyJob>(job: J, payload: PayloadOf<J>, options?: PromiseOptions) {
      return engine.transact(engine.origin, (tx) => enqueue(tx, job, payload, options));
    },
    find: (id: string) => db.manager.findOneByOrFail(Job, { id }),
  };
  let close = async () => {};

  beforeAll(async () => {
    const url = redis?.url ?? redisUrl;
    const producer = producerConnection(url, log);
    const connection = consumerConnection(url, log);
    const kinds: Kinds = {
      jobs: Object.fromEntries(jobs.map((job) => [job.name, job])),
      processors: Object.fromEntries(Object.entries(run).map(([name, work]) => [name, { run: work }])),
    };
    engine.queues = createQueues(producer, prefix, log);
    const signal = stop.signal;
    const outbox = createOutbox(db, queueNames);
    engine.relay = startRelay({ outbox, queues: engine.queues, log, signal, jobs: kinds.jobs });
    engine.transact = createTransact(db, engine.relay.offer);
    const { wake } = engine.relay;
    const reconciler = startReconciler({ asOnlyOne: keepBooks(db), queues: engine.queues, wake, log, signal });
    const cutOff = new AbortController();
    const context = { db, log, metrics: createMetrics(), ...options.context } as unknown as WorkerContext;
    const worker = startWorker({
      queue,
      worker: "test",
      cutOff: cutOff.signal,
      context,
      relay: engine.relay,
      connection,
      prefix,
      concurrency,
      lockMs,
      kinds,
    });
    engine.worker = worker;
    close = async () => {
      stop.abort();
      cutOff.abort();
      await worker.close();
      await Promise.all([engine.relay.done, reconciler]);
      await Promise.all(Object.values(engine.queues.byName).map((queue) => queue.obliterate({ force: true })));
      await engine.queues.close();
      connection.disconnect();
      producer.disconnect();
    };
  });
  afterAll(() => close());
  return engine;
}
