import { once } from "node:events";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { loadWorkerConfig } from "../config.ts";
import { queueBooks } from "../db/dao/queue-books.ts";
import { queuePauses } from "../db/dao/queue-pauses.ts";
import { connectDatabase, poolState } from "../db/data-source.ts";
import { createOutbox } from "../db/outbox.ts";
import { keepBooks } from "../db/reconcile.ts";
import { createTransact } from "../db/transaction.ts";
import { jobs } from "../jobs/index.ts";
import { queueNames } from "../jobs/queues.ts";
import { applyPauses } from "../platform/apply-pauses.ts";
import { createAutoscaler } from "../platform/autoscaler.ts";
import { openCache } from "../platform/cache.ts";
import { createHttpProbe } from "../platform/delivery-probe.ts";
import { watchFetching } from "../platform/liveness.ts";
import { createLogger } from "../platform/logger.ts";
import { createMailLinks } from "../platform/mail-links.ts";
import { createMailer } from "../platform/mailer.ts";
import { measureOutbox, measurePool, measureQueues, measureRedis, measureSchedules } from "../platform/measure.ts";
import { createMetrics } from "../platform/metrics.ts";
import { createObjectStore } from "../platform/object-store.ts";
import { startOpsServer } from "../platform/ops-server.ts";
import { createPoster } from "../platform/outbound-post.ts";
import { askProbes, ProbeError } from "../platform/probes.ts";
import { hasReady } from "../platform/queue-load.ts";
import { createQueues } from "../platform/queues.ts";
import { startReconciler } from "../platform/reconciler.ts";
import { consumerConnection, producerConnection, warnOfEviction } from "../platform/redis.ts";
import { startRelay } from "../platform/relay.ts";
import { remembered } from "../platform/remembered.ts";
import { drainOnUncaughtError, shutdownSignal } from "../platform/shutdown.ts";
import { endOnUncaughtError } from "../platform/start-up.ts";
import { countThroughput, noteMoved } from "../platform/throughput.ts";
import { startTracing } from "../platform/tracing.ts";
import { packageVersion } from "../platform/version.ts";
import { whileUnreachable } from "../platform/while-unreachable.ts";
import { startEventFanOut } from "./fan-out-events.ts";
import { createMailBooks } from "./mail/mail-books.ts";
import { processors } from "./processors/index.ts";
import { staleSchedules, startScheduler } from "./scheduler.ts";
import { startWorker } from "./start-worker.ts";

/** What the last steps of a shutdown may take: giving jobs back, closing connections. */
const lastStepsMs = 3_000;

const hasStarted = endOnUncaughtError("The worker");
const config = loadWorkerConfig();
const log = createLogger(config.LOG_LEVEL, `worker-${config.WORKER_QUEUES.join("-")}`);
for (const warning of config.warnings) log.warn(warning);
const stopping = shutdownSignal();
const tracing = startTracing({ ...config.tracing, service: "tcf-worker", version: packageVersion() });
const cutOff = new AbortController();

const db = await whileUnreachable(() => connectDatabase(config.DATABASE_URL, config.DATABASE_POOL_MAX), {
  say: (text) => log.warn(text),
  signal: stopping,
});
const consumer = consumerConnection(config.REDIS_URL, log);
const producer = producerConnection(config.REDIS_URL, log);
warnOfEviction(producer, log);
const queues = createQueues(producer, config.QUEUE_PREFIX, log);
const metrics = createMetrics();
const readBooks = remembered(() => queueBooks.read(db.manager));
const autoscaler = createAutoscaler({ queues, rules: config.scaling, readBooks });
measureQueues(metrics, autoscaler.reports);
measureOutbox(metrics, readBooks);
measureRedis(metrics, queues);
measurePool(metrics, () => poolState(db));
const store = createObjectStore(config.s3);
const cache = openCache(config.redisCacheUrl, { prefix: `${config.QUEUE_PREFIX}-cache`, log });
const probe = config.MAIL_PROBE_URL ? createHttpProbe(config.MAIL_PROBE_URL) : undefined;
const { MAIL_LINK_SECRET: secret, PUBLIC_URL: publicUrl } = config;
const links = secret && publicUrl ? createMailLinks({ publicUrl, secret }) : undefined;
const mailer = createMailer({ ...config.smtp, probe, links });

const worker = `${hostname()}-${process.pid}`;
const throughput = countThroughput(queues, { name: worker, queues: config.WORKER_QUEUES });
const moved = noteMoved(metrics, throughput);
const relay = startRelay({ outbox: createOutbox(db, queueNames), queues, log, signal: stopping, moved });
const also = async () => applyPauses(queues, await queuePauses.list(db.manager));
const reconciler = startReconciler({ asOnlyOne: keepBooks(db), queues, wake: relay.wake, also, log, signal: stopping });
const scheduler = startScheduler({ db, transact: createTransact(db, relay.offer), log, signal: stopping });
const { mailRules, RETENTION: retention } = config;
const fanOut = startEventFanOut({ db, mailRules, offer: relay.offer, log, signal: stopping });
const poster = createPoster({ allowPrivate: config.WEBHOOK_ALLOW_PRIVATE });
const shop = { payee: config.PAYEE ?? null, publicUrl: store.publicUrl };
const context = {
  db,
  store,
  shop,
  cache,
  mailer,
  mailBooks: createMailBooks(db),
  mailRules,
  retention,
  poster,
  log,
  metrics,
};
const workers = config.WORKER_QUEUES.map((queue) =>
  startWorker({
    queue,
    worker,
    cutOff: cutOff.signal,
    context,
    relay,
    throughput,
    kinds: { jobs, processors },
    connection: consumer,
    prefix: config.QUEUE_PREFIX,
    concurrency: config.WORKER_CONCURRENCY,
  }),
);
const isStale = () => staleSchedules(db);
measureSchedules(metrics, isStale);
const fetching = watchFetching({
  fetching: workers.map((one) => one.fetching),
  hasReady: async (queue) => hasReady((await autoscaler.reports())[queue].state),
  isStopping: () => stopping.aborted,
});
const checks = askProbes({
  jobs: async () => {
    if (stopping.aborted) throw new ProbeError("stopping");
    if (!workers.every(({ fetching: { isRunning } }) => isRunning())) throw new ProbeError("not taken");
  },
  postgres: () => db.query("SELECT 1"),
  redis: () => producer.ping(),
  s3: (signal) => store.ping(signal),
  schedules: async () => {
    const schedules = Object.entries(await isStale()).flatMap(([name, stale]) => (stale ? [name] : []));
    if (schedules.length > 0) throw new ProbeError(`not succeeded for two periods: ${schedules.join(", ")}`);
  },
});
const ops = await startOpsServer({
  host: config.HOST,
  port: config.OPS_PORT,
  metrics,
  log,
  liveness: fetching.checks,
  readiness: { checks, required: ["jobs", "postgres", "redis"] },
  explain: autoscaler.explain,
  token: config.AUTOSCALER_TOKEN,
});
log.info({ environment: config.ENVIRONMENT, queues: config.WORKER_QUEUES, ops: ops.port }, "worker started");
hasStarted();
// Its last steps come twice: once for jobs that are given back, once for connections.
drainOnUncaughtError({ log, withinMs: config.DRAIN_TIMEOUT_MS + 2 * lastStepsMs });
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
fetching.close();
ops.close();
await throughput.close();
await queues.close();
cache.close();
consumer.disconnect();
producer.disconnect();
store.close();
mailer.close();
await db.destroy();
await tracing.close();
log.info("worker stopped");
process.exit();

async function isLate(work: Promise<unknown>, ms: number) {
  return (await Promise.race([work, sleep(ms, "late", { ref: false })])) === "late";
}
