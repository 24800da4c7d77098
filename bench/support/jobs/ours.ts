import { z } from "zod";
import { connectDatabase } from "../../../src/db/data-source.ts";
import { createOutbox, enqueue, enqueueAll } from "../../../src/db/outbox.ts";
import { keepBooks } from "../../../src/db/reconcile.ts";
import { createPromising } from "../../../src/db/transaction.ts";
import { defineJob, priorities } from "../../../src/jobs/define-job.ts";
import { queueNames } from "../../../src/jobs/queues.ts";
import { createLogger } from "../../../src/platform/logger.ts";
import { createMetrics } from "../../../src/platform/metrics.ts";
import { createQueues } from "../../../src/platform/queues.ts";
import { startReconciler } from "../../../src/platform/reconciler.ts";
import { consumerConnection, producerConnection } from "../../../src/platform/redis.ts";
import { startRelay } from "../../../src/platform/relay.ts";
import type { WorkerContext } from "../../../src/workers/context.ts";
import { startWorker } from "../../../src/workers/start-worker.ts";
import { type Contestant, concurrency, numbersFrom, payloadOf, producers, type Servers } from "./contestant.ts";

export const noop = defineJob({
  name: "noop",
  queue: "upkeep",
  version: 1,
  payload: z.object({ n: z.int(), note: z.string() }),
  key: ({ n }) => String(n),
  entity: ({ n }) => ({ type: "bench", id: String(n) }),
  priority: priorities.interactive,
  retry: { attempts: 5, backoffMs: 1_000, outageMs: 2_000 },
  timeoutMs: 30_000,
  description: "Does nothing, to be measured.",
});

/** What every process of ours has: connections, relay and reconciler. */
export async function openEngine({ databaseUrl, redisUrl }: Servers, pool: number) {
  const log = createLogger("warn", "bench");
  const signal = new AbortController().signal;
  const db = await connectDatabase(databaseUrl, pool);
  const queues = createQueues(producerConnection(redisUrl, log), "bench", log);
  const relay = startRelay({ outbox: createOutbox(db, queueNames), queues, log, signal, jobs: { noop } });
  void startReconciler({ asOnlyOne: keepBooks(db), queues, wake: relay.wake, log, signal });
  return { log, db, queues, relay };
}

/** Promised in a transaction, relayed, claimed, run and finished as everything in this back end is. */
export const contestant: Contestant = {
  async producer(servers) {
    const { db, relay } = await openEngine(servers, producers + 4);
    const promise = createPromising(db, relay.offer);
    const origin = { actorId: null, traceId: null };
    return {
      one: (n) => promise(origin, (tx) => enqueue(tx, noop, payloadOf(n))),
      page: (n) => promise(origin, (tx) => enqueueAll(tx, noop, numbersFrom(n).map(payloadOf))),
    };
  },
  async worker(servers, started, finished) {
    const { log, db, relay } = await openEngine(servers, 10);
    const { worker } = startWorker({
      queue: "upkeep",
      worker: "bench",
      cutOff: new AbortController().signal,
      context: { db, log: createLogger("silent", "bench"), metrics: createMetrics() } as unknown as WorkerContext,
      relay,
      connection: consumerConnection(servers.redisUrl, log),
      prefix: "bench",
      concurrency,
      kinds: { jobs: { noop }, processors: { noop: { run: async ({ payload }) => started(payload.n) } } },
    });
    worker.on("completed", finished);
    await worker.waitUntilReady();
  },
};
