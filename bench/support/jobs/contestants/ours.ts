import { Registry } from "prom-client";
import { createJobMetrics } from "../../../../src/engine/metrics.ts";
import { enqueue, enqueueAll } from "../../../../src/engine/outbox.ts";
import { startWorker } from "../../../../src/engine/start-worker.ts";
import { createTransact } from "../../../../src/engine/transaction.ts";
import { queues } from "../../../../src/jobs/queues.ts";
import { createLogger } from "../../../../src/platform/logger.ts";
import { consumerConnection } from "../../../../src/platform/redis.ts";
import { type Contestant, concurrency, now, numbersFrom, payloadOf, producers } from "../contestant.ts";
import { kinds, noop, openEngine } from "../engine.ts";

const origin = { actorId: null, traceId: null };

/** Promised in a transaction, relayed, claimed, run and finished as everything in this back end is. */
export const contestant: Contestant = {
  async producer(servers) {
    const { db, relay } = await openEngine(servers, producers + 4);
    const transact = createTransact(db, relay.offer);
    return {
      async one(n) {
        let committed = 0;
        const timed = createTransact(db, (jobs) => {
          committed = now();
          relay.offer(jobs);
        });
        await timed(origin, (tx) => enqueue(tx, noop, payloadOf(n)));
        return committed;
      },
      page: (n) => transact(origin, (tx) => enqueueAll(tx, noop, numbersFrom(n).map(payloadOf))),
      async unkicked(n) {
        const silent = createTransact(db, () => undefined);
        await silent(origin, (tx) => enqueue(tx, noop, payloadOf(n)));
        return now();
      },
    };
  },
  async worker(servers, started, finished) {
    const { log, db, relay, prefix } = await openEngine(servers, 10);
    const { worker } = startWorker({
      ...queues.maintenance,
      db,
      log: createLogger("silent", "bench"),
      metrics: createJobMetrics(new Registry()),
      queue: noop.queue,
      worker: "bench",
      cutOff: new AbortController().signal,
      context: {},
      relay,
      connection: consumerConnection(servers.redisUrl, log),
      prefix,
      concurrency,
      kinds: kinds(started),
    });
    worker.on("completed", finished);
    await worker.waitUntilReady();
  },
};
