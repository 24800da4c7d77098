import { once } from "node:events";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { loadWorkerConfig } from "../config.ts";
import { queuePauses } from "../db/dao/queue-pauses.ts";
import { connectDatabase } from "../db/data-source.ts";
import { createOutbox } from "../db/outbox.ts";
import { keepBooks } from "../db/reconcile.ts";
import { createTransact } from "../db/transaction.ts";
import { queueNames } from "../jobs/queues.ts";
import { applyPauses } from "../platform/apply-pauses.ts";
import { openCache } from "../platform/cache.ts";
import { createHttpProbe } from "../platform/delivery-probe.ts";
import { createLogger } from "../platform/logger.ts";
import { createMailLinks } from "../platform/mail-links.ts";
import { createMailer } from "../platform/mailer.ts";
import { createMetrics, measureQueues, measureSchedules } from "../platform/metrics.ts";
import { createObjectStore } from "../platform/object-store.ts";
import { createPoster } from "../platform/outbound-post.ts";
import { createQueues } from "../platform/queues.ts";
import { startReconciler } from "../platform/reconciler.ts";
import { consumerConnection, producerConnection } from "../platform/redis.ts";
import { startRelay } from "../platform/relay.ts";
import { shutdownSignal } from "../platform/shutdown.ts";
import { endOnUncaughtError } from "../platform/start-up.ts";
import { startEventFanOut } from "./fan-out-events.ts";
import { startProbes } from "./probes.ts";
import { staleSchedules, startScheduler } from "./scheduler.ts";
import { startWorker } from "./start-worker.ts";

/** What the last steps of a shutdown may take: giving jobs back, closing connections. */
const lastStepsMs = 3_000;

endOnUncaughtError("The worker");
const config = loadWorkerConfig();
const log = createLogger(config.LOG_LEVEL, `worker-${config.WORKER_QUEUES.join("-")}`);
const stopping = shutdownSignal();
const cutOff = new AbortController();

const db = await connectDatabase(config.DATABASE_URL, config.DATABASE_POOL_MAX);
const consumer = consumerConnection(config.REDIS_URL, log);
const producer = producerConnection(config.REDIS_URL, log);
const queues = createQueues(producer, config.QUEUE_PREFIX, log);
const metrics = createMetrics();
measureQueues(metrics, queues);
const store = createObjectStore(config.s3);
const cache = openCache(config.redisCacheUrl, { prefix: `${config.QUEUE_PREFIX}-cache`, log });
const probe = config.MAIL_PROBE_URL ? createHttpProbe(config.MAIL_PROBE_URL) : undefined;
const { MAIL_LINK_SECRET: secret, PUBLIC_URL: publicUrl } = config;
const links = secret && publicUrl ? createMailLinks({ publicUrl, secret }) : undefined;
const mailer = createMailer({ ...config.smtp, probe, links });

const relay = startRelay({ outbox: createOutbox(db, queueNames), queues, log, signal: stopping });
const also = async () => applyPauses(queues, await queuePauses.list(db.manager));
const reconciler = startReconciler({ asOnlyOne: keepBooks(db), queues, wake: relay.wake, also, log, signal: stopping });
const scheduler = startScheduler({ db, transact: createTransact(db, relay.offer), log, signal: stopping });
const fanOut = startEventFanOut({ db, staff: config.mailRules.staff, offer: relay.offer, log, signal: stopping });
const poster = createPoster({ allowPrivate: config.WEBHOOK_ALLOW_PRIVATE });
const { mailRules } = config;
const context = { db, store, cache, mailer, mailRules, poster, log, metrics };
const worker = `${hostname()}-${process.pid}`;
const workers = config.WORKER_QUEUES.map((queue) =>
  startWorker({
    queue,
    worker,
    cutOff: cutOff.signal,
    context,
    relay,
    connection: consumer,
    prefix: config.QUEUE_PREFIX,
    concurrency: config.WORKER_CONCURRENCY,
  }),
);
const isReady = () =>
  !stopping.aborted && consumer.status === "ready" && workers.every(({ worker: one }) => one.isRunning());
const isStale = () => staleSchedules(db);
measureSchedules(metrics, isStale);
const probes = await startProbes({ host: config.HOST, port: config.OPS_PORT, metrics, isReady, isStale });
log.info({ queues: config.WORKER_QUEUES, probes: probes.port }, "worker started");
process.send?.("ready");

if (!stopping.aborted) await once(stopping, "abort");
log.info("worker stops: finishing its running jobs");
const drained = Promise.allSettled(workers.map((one) => one.close()));
if (await isLate(drained, config.DRAIN_TIMEOUT_MS)) {
  log.warn("grace period over: running jobs are given back");
  cutOff.abort();
  if (await isLate(drained, lastStepsMs)) log.error("a job did not stop; its lease will run out");
}
await Promise.all([relay.done, reconciler, fanOut, scheduler]);
await queues.close();
probes.close();
cache.close();
consumer.disconnect();
producer.disconnect();
store.close();
mailer.close();
await db.destroy();
log.info("worker stopped");
process.exit(0);

async function isLate(work: Promise<unknown>, ms: number) {
  return (await Promise.race([work, sleep(ms, "late", { ref: false })])) === "late";
}
