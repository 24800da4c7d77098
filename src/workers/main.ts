import { once } from "node:events";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { loadWorkerConfig } from "../config.ts";
import { payments } from "../db/dao/payments/payments.ts";
import {
  hasReady,
  measureSchedules,
  staleSchedules,
  startScheduler,
  startWorker,
  watchFetching,
} from "../engine/worker.ts";
import { jobs } from "../jobs/index.ts";
import { queueNames, queues } from "../jobs/queues.ts";
import { schedules } from "../jobs/schedules.ts";
import { createHttpProbe } from "../platform/delivery-probe.ts";
import { createMailLinks } from "../platform/mail-links.ts";
import { createMailer } from "../platform/mailer.ts";
import { measureMailServer, measureUnmatched } from "../platform/measure.ts";
import { memoizeFor } from "../platform/memoize-for.ts";
import { startOpsServer } from "../platform/ops-server.ts";
import { createCardSettlement } from "../platform/payments/create-card-provider.ts";
import { askProbes, ProbeError } from "../platform/probes.ts";
import { consumerConnection } from "../platform/redis.ts";
import { drainOnUncaughtError } from "../platform/shutdown.ts";
import { endOnUncaughtError } from "../platform/start-up.ts";
import { createWebhookClient } from "../platform/webhook-client.ts";
import { startRuntime } from "../runtime.ts";
import { startEventFanOut } from "./fan-out-events.ts";
import { createMailStatements } from "./mail/mail-statements.ts";
import { processors } from "./processors/index.ts";
import { scheduleConditions } from "./schedule-conditions.ts";

/** Time limit of the last steps of a shutdown: releasing jobs, closing connections. */
const lastStepsMs = 3_000;

const hasStarted = endOnUncaughtError("The worker");
const config = loadWorkerConfig();
const name = `${hostname()}-${process.pid}`;
const runtime = await startRuntime({
  config,
  name: `worker-${config.WORKER_QUEUES.join("-")}`,
  service: "tcf-worker",
  worker: { name, queues: config.WORKER_QUEUES },
});
const { log, stopping, db, redis, metrics, engine, store, cache } = runtime;
const consumer = consumerConnection(config.redis.broker, log);
const cutOff = new AbortController();
const probe = config.MAIL_PROBE_URL ? createHttpProbe(config.MAIL_PROBE_URL) : undefined;
const { MAIL_LINK_SECRET: secret, PUBLIC_URL: publicUrl } = config;
const links = secret && publicUrl ? createMailLinks({ publicUrl, secret }) : undefined;
const mailer = createMailer({ ...config.smtp, probe, links, log });

const { transact } = engine;
const scheduler = startScheduler({ schedules, conditions: scheduleConditions, transact, log, signal: stopping });
const { mailRules, RETENTION: retention } = config;
const fanOut = startEventFanOut({ db, mailRules, transact, log, signal: stopping });
const webhookClient = createWebhookClient({ allowPrivate: config.WEBHOOK_ALLOW_PRIVATE });
const shop = { payee: config.PAYEE ?? null, publicUrl: store.publicUrl };
const context = {
  db,
  store,
  shop,
  cache,
  mailer,
  mailStatements: createMailStatements(db),
  mailRules,
  retention,
  webhookClient,
  cards: createCardSettlement(config.cards),
  log,
  metrics,
};
const workers = config.WORKER_QUEUES.map((queue) =>
  startWorker({
    ...queues[queue],
    concurrency: config.WORKER_CONCURRENCY ?? queues[queue].concurrency,
    queue,
    worker: name,
    cutOff: cutOff.signal,
    db,
    log,
    metrics: engine.metrics,
    context,
    relay: engine.relay,
    throughput: engine.throughput,
    kinds: { jobs, processors },
    connection: consumer,
    prefix: config.QUEUE_PREFIX,
  }),
);
const isStale = () => staleSchedules(db, schedules);
measureSchedules(metrics.registry, isStale);
measureUnmatched(
  metrics.registry,
  memoizeFor(() => payments.unmatchedTotals(db.manager)),
);
measureMailServer(metrics.registry, mailer.fault);
const fetching = watchFetching({
  fetching: workers.map((one) => one.fetching),
  hasReady: async (queue) => {
    const report = (await engine.autoscaler.reports())[queue];
    return report !== undefined && hasReady(report.state);
  },
  isStopping: () => stopping.aborted,
});
const checks = askProbes({
  jobs: async () => {
    if (stopping.aborted) throw new ProbeError("stopping");
    if (!workers.every(({ fetching: { isRunning } }) => isRunning())) throw new ProbeError("not taken");
  },
  postgres: () => db.query("SELECT 1"),
  redis: () => redis.ping(),
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
  explain: engine.autoscaler.explain,
  queues: queueNames,
  token: config.AUTOSCALER_TOKEN,
});
log.info({ environment: config.ENVIRONMENT, queues: config.WORKER_QUEUES, ops: ops.port }, "worker started");
hasStarted();
// The time of the last steps counts twice: once for released jobs, once for connections.
drainOnUncaughtError({ log, withinMs: config.DRAIN_TIMEOUT_MS + 2 * lastStepsMs });
process.send?.("ready");

if (!stopping.aborted) await once(stopping, "abort");
log.info("worker stops: finishing its running jobs");
const drained = Promise.allSettled(workers.map((one) => one.close()));
if (await isLate(drained, config.DRAIN_TIMEOUT_MS)) {
  log.warn("grace period over: running jobs are released");
  cutOff.abort();
  if (await isLate(drained, lastStepsMs)) log.error("a job did not stop; its lease will expire");
}
await Promise.all([engine.done, fanOut, scheduler]);
fetching.close();
ops.close();
mailer.close();
consumer.disconnect();
await runtime.close();
log.info("worker stopped");
process.exit();

async function isLate(work: Promise<unknown>, ms: number) {
  return (await Promise.race([work, sleep(ms, "late", { ref: false })])) === "late";
}
