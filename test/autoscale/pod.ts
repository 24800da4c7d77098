import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { connectDatabase } from "../../src/db/data-source.ts";
import { createQueues } from "../../src/engine/bull-queues.ts";
import { createJobMetrics } from "../../src/engine/metrics.ts";
import { countThroughput } from "../../src/engine/scaling/throughput.ts";
import { startWorker } from "../../src/engine/start-worker.ts";
import { queues as queueDefinitions, queueNames } from "../../src/jobs/queues.ts";
import { createLogger } from "../../src/platform/logger.ts";
import { createMetrics } from "../../src/platform/metrics.ts";
import { consumerConnection, producerConnection } from "../../src/platform/redis.ts";
import type { WorkerContext } from "../../src/workers/context.ts";
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
const queues = createQueues(queueNames, producer, settings.prefix, log);
const throughput = countThroughput(queues, { name: settings.name, queues: [queue] }, settings.pace);
const cutOff = new AbortController();
const metrics = createMetrics();
const worker = startWorker({
  ...queueDefinitions[queue],
  db,
  log,
  metrics: createJobMetrics(metrics.registry),
  queue,
  worker: settings.name,
  cutOff: cutOff.signal,
  context: { db, log, metrics } as unknown as WorkerContext,
  // The API moves and reconciles; ten pods that do so as well would only keep this machine busy.
  relay: { offer: () => undefined, wake: () => undefined },
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
await throughput.close();
process.exit(0);
