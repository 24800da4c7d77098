import { randomUUID } from "node:crypto";
import { afterAll, beforeAll } from "vitest";
import { z } from "zod";
import { createQueues, type Queues } from "../../src/engine/bull-queues.ts";
import { type AnyJob, defineJob, type PayloadOf, priorities } from "../../src/engine/define-job.ts";
import { Job } from "../../src/engine/job-entity.ts";
import { createJobMetrics } from "../../src/engine/metrics.ts";
import { createOutbox, type EnqueueOptions, enqueue } from "../../src/engine/outbox.ts";
import type { JobRun, Kinds } from "../../src/engine/processor.ts";
import { startReconciler } from "../../src/engine/reconciler.ts";
import { withReconcilerLock } from "../../src/engine/reconciler-store.ts";
import { type Relay, startRelay } from "../../src/engine/relay.ts";
import { startWorker } from "../../src/engine/start-worker.ts";
import { createTransact, type Transact } from "../../src/engine/transaction.ts";
import { type QueueName, queueNames, queues } from "../../src/jobs/queues.ts";
import { createLogger } from "../../src/platform/logger.ts";
import { createMetrics } from "../../src/platform/metrics.ts";
import { consumerConnection, producerConnection } from "../../src/platform/redis.ts";
import type { WorkerContext } from "../../src/workers/context.ts";
import { useDatabase } from "./database.ts";
import { redisAddress } from "./redis.ts";

/** A job of tests in the queue `maintenance`, with whatever else the test wants of it. */
export function testJob(name: string, changes: Partial<AnyJob> = {}) {
  return defineJob({
    name,
    queue: "maintenance",
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
  /** The queue that is worked at; `maintenance` otherwise. */
  queue?: QueueName;
  /** What processors may use besides. */
  context?: Partial<WorkerContext>;
  /** What the processors do, by name of the job. */
  run: Record<string, (job: JobRun<{ id: string }>, context: WorkerContext) => Promise<void>>;
  /** Called after the success of each job. */
  onSucceeded?: (payload: { id: string }) => Promise<void>;
}

/** Ledger, relay, reconciler and a worker of one queue in this process, with jobs of the test's own. */
export function useEngine(jobs: AnyJob[], options: EngineOptions) {
  const { concurrency = 10, lockMs, redis, queue = "maintenance", run, onSucceeded } = options;
  const db = useDatabase();
  const prefix = `test-${randomUUID()}`;
  const log = createLogger(process.env.TEST_LOG_LEVEL ?? "silent", "test");
  const stop = new AbortController();
  const engine = {
    db,
    prefix,
    log,
    origin: { actorId: null, traceId: null },
    queues: undefined as unknown as Queues<QueueName>,
    relay: undefined as unknown as Relay,
    transact: undefined as unknown as Transact,
    worker: undefined as unknown as ReturnType<typeof startWorker>,
    /** Promises a job as a request does; returns its id. */
    promise<J extends AnyJob>(job: J, payload: PayloadOf<J>, options?: EnqueueOptions) {
      return engine.transact(engine.origin, (tx) => enqueue(tx, job, payload, options));
    },
    find: (id: string) => db.manager.findOneByOrFail(Job, { id }),
  };
  let close = async () => {};

  beforeAll(async () => {
    const url = redis?.url ?? redisAddress;
    const producer = producerConnection(url, log);
    const connection = consumerConnection(url, log);
    const kinds: Kinds<WorkerContext> = {
      jobs: Object.fromEntries(jobs.map((job) => [job.name, job])),
      processors: Object.fromEntries(
        Object.entries(run).map(([name, work]) => [name, { run: work, ...(onSucceeded && { onSucceeded }) }]),
      ),
    };
    engine.queues = createQueues(queueNames, producer, prefix, log);
    const signal = stop.signal;
    const outbox = createOutbox(db, queueNames);
    engine.relay = startRelay({ outbox, queues: engine.queues, log, signal, jobs: kinds.jobs });
    engine.transact = createTransact(db, engine.relay.offer);
    const { wake } = engine.relay;
    const reconciler = startReconciler({ withLock: withReconcilerLock(db), queues: engine.queues, wake, log, signal });
    const cutOff = new AbortController();
    const metrics = createMetrics();
    const context = { db, log, metrics, ...options.context } as unknown as WorkerContext;
    const worker = startWorker({
      ...queues[queue],
      ...(lockMs !== undefined && { lockMs }),
      db,
      log,
      metrics: createJobMetrics(metrics.registry),
      queue,
      worker: "test",
      cutOff: cutOff.signal,
      context,
      relay: engine.relay,
      connection,
      prefix,
      concurrency,
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
