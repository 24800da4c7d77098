import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { connectDatabase } from "../../src/db/data-source.ts";
import { createOutbox } from "../../src/db/outbox.ts";
import { keepBooks } from "../../src/db/reconcile.ts";
import { createLogger } from "../../src/platform/logger.ts";
import { createMetrics } from "../../src/platform/metrics.ts";
import { createQueues } from "../../src/platform/queues.ts";
import { startReconciler } from "../../src/platform/reconciler.ts";
import { consumerConnection, producerConnection } from "../../src/platform/redis.ts";
import { startRelay } from "../../src/platform/relay.ts";
import { countThroughput } from "../../src/platform/throughput.ts";
import type { WorkerContext } from "../../src/workers/context.ts";
import { startWorker } from "../../src/workers/start-worker.ts";
import { jobs, nap, queue } from "./work.ts";

// A pod of the simulation: the product's worker with jobs that only take time. It says "loaded" and waits to be told its
// settings, then says "ready"; it ends on SIGTERM as src/workers/main.ts does.

process.on("disconnect", () => process.exit(0));
process.send?.("loaded", () => undefined);
const [told] = await once(process, "message");

const settings = z
  .object({
    databaseUrl: z.string(),
    redisUrl: z.string(),
    prefix: z.string(),
    name: z.string(),
    concurrency: z.number(),
    lockMs: z.number(),
    drainMs: z.number(),
    pace: z.custom<Parameters<typeof countThroughput>[2]>(),
  })
  .parse(told);

const stopping = new AbortController();
process.on("SIGTERM", () => stopping.abort());

const log = createLogger("silent", settings.name);
const db = await connectDatabase(settings.databaseUrl, 3);
const { signal } = stopping;
const consumer = consumerConnection(settings.redisUrl, log);
const producer = producerConnection(settings.redisUrl, log);
const queues = createQueues(producer, settings.prefix, log);
const relay = startRelay({ outbox: createOutbox(db, [queue]), queues, log, signal, jobs });
const reconciler = startReconciler({ asOnlyOne: keepBooks(db), queues, wake: relay.wake, log, signal });
const throughput = countThroughput(queues, { name: settings.name, queues: [queue] }, settings.pace);
const cutOff = new AbortController();
const worker = startWorker({
  queue,
  worker: settings.name,
  cutOff: cutOff.signal,
  context: { db, log, metrics: createMetrics() } as unknown as WorkerContext,
  relay,
  throughput,
  connection: consumer,
  prefix: settings.prefix,
  concurrency: settings.concurrency,
  lockMs: settings.lockMs,
  kinds: {
    jobs,
    processors: {
      [nap.name]: {
        async run(job) {
          await sleep(job.payload.ms, undefined, { signal: job.signal });
          await job.complete((tx) => tx.query("INSERT INTO nap (n) VALUES ($1)", [job.payload.n]));
        },
      },
    },
  },
});
await worker.worker.waitUntilReady();
process.send?.("ready");

await new Promise((resolve) => signal.addEventListener("abort", resolve));
const drained = worker.close();
if ((await Promise.race([drained, sleep(settings.drainMs, "late")])) === "late") {
  cutOff.abort();
  await drained;
}
await Promise.all([relay.done, reconciler]);
await throughput.close();
process.exit(0);
