import { once } from "node:events";
import { createJobMetrics } from "../../../src/engine/metrics.ts";
import { startWorker } from "../../../src/engine/start-worker.ts";
import { queues } from "../../../src/jobs/queues.ts";
import { createMetrics } from "../../../src/platform/metrics.ts";
import { createObjectStore } from "../../../src/platform/object-store.ts";
import { consumerConnection } from "../../../src/platform/redis.ts";
import type { WorkerContext } from "../../../src/workers/context.ts";
import { askSink } from "./ask-sink.ts";
import { createChaosMailer } from "./chaos-mailer.ts";
import { createKinds } from "./processors.ts";
import { startRuntime } from "./runtime.ts";

/** Short, so that a run of a minute sees many take-overs. */
const lockMs = 5_000;
const concurrency = { maintenance: 20, mail: 5 } as const;

const { settings, jobs, crash, log, signal, db, relay, end } = await startRuntime("worker");
const connection = consumerConnection(settings.redis, log);
const store = createObjectStore({
  endpoint: settings.S3_ENDPOINT_URL,
  region: "us-east-1",
  bucket: settings.S3_BUCKET_NAME,
  accessKeyId: settings.S3_ACCESS_KEY,
  secretAccessKey: settings.S3_SECRET_KEY,
  publicUrl: settings.S3_ENDPOINT_URL,
});
const mailer = createChaosMailer(settings.SMTP_PORT);
const cutOff = new AbortController();
// The jobs of the harness use neither a cache nor outgoing webhooks.
const metrics = createMetrics();
const context = { db, log, metrics, store, mailer } as unknown as WorkerContext;
const jobMetrics = createJobMetrics(metrics.registry);
const kinds = createKinds(jobs, { crash, workMs: settings.WORK_MS, hasArrived: askSink(settings.PROBE_URL) });
const workers = (["maintenance", "mail"] as const).map((queue) =>
  startWorker({
    ...queues[queue],
    db,
    log,
    metrics: jobMetrics,
    queue,
    worker: `worker-${process.pid}`,
    cutOff: cutOff.signal,
    context,
    relay,
    connection,
    prefix: settings.QUEUE_PREFIX,
    concurrency: concurrency[queue],
    lockMs,
    kinds,
  }),
);
// BullMQ says so before it calls the processor, which claims the job.
for (const { worker } of workers) worker.on("active", () => crash("worker.before-claim"));
process.send?.("ready");

if (!signal.aborted) await once(signal, "abort");
const timer = setTimeout(() => cutOff.abort(), 5_000);
await Promise.all(workers.map((worker) => worker.close()));
clearTimeout(timer);
await end();
connection.disconnect();
store.close();
mailer.close();
process.exit(0);
