import { once } from "node:events";
import { Webhook } from "standardwebhooks";
import { loadApiConfig } from "../config.ts";
import { queueBooks } from "../db/dao/queue-books.ts";
import { queuePauses } from "../db/dao/queue-pauses.ts";
import { connectDatabase, pendingOf, poolState } from "../db/data-source.ts";
import { createOutbox } from "../db/outbox.ts";
import { keepBooks } from "../db/reconcile.ts";
import { createTransact } from "../db/transaction.ts";
import { queueNames } from "../jobs/queues.ts";
import { applyPauses } from "../platform/apply-pauses.ts";
import { createAutoscaler } from "../platform/autoscaler.ts";
import { openCache } from "../platform/cache.ts";
import { createKeptFile } from "../platform/kept-file.ts";
import { listen } from "../platform/listen.ts";
import { createLogger } from "../platform/logger.ts";
import { createMailLinks } from "../platform/mail-links.ts";
import { measureOutbox, measurePool, measureQueues, measureRedis } from "../platform/measure.ts";
import { createMetrics } from "../platform/metrics.ts";
import { createObjectStore } from "../platform/object-store.ts";
import { startOpsServer } from "../platform/ops-server.ts";
import { askProbes, type Probe, ProbeError } from "../platform/probes.ts";
import { createQueues } from "../platform/queues.ts";
import { createRateLimits } from "../platform/rate-limits.ts";
import { startReconciler } from "../platform/reconciler.ts";
import { cacheConnection, producerConnection, warnOfEviction } from "../platform/redis.ts";
import { startRelay } from "../platform/relay.ts";
import { remembered } from "../platform/remembered.ts";
import { drainOnUncaughtError, hasFailed, shutdownSignal } from "../platform/shutdown.ts";
import { endOnUncaughtError } from "../platform/start-up.ts";
import { countThroughput, noteMoved } from "../platform/throughput.ts";
import { startTracing } from "../platform/tracing.ts";
import { packageVersion } from "../platform/version.ts";
import { whileUnreachable } from "../platform/while-unreachable.ts";
import { createApiServer } from "./app.ts";
import { createAuthenticate } from "./authenticate.ts";
import { closeServer } from "./close-server.ts";
import type { ApiContext } from "./context.ts";
import { inNetworks } from "./networks.ts";
import { createReadyAnswers } from "./ready-answers.ts";
import { createRightWatch } from "./right-watch.ts";
import { createSecrets } from "./secrets.ts";
import { createTestProvider } from "./test-payment-provider.ts";

/** What the last steps of a shutdown may take: closing connections. */
const lastStepsMs = 5_000;
/** After SIGTERM so much of the time is spent on taking connections of those who have not heard of the end. */
const longestNoticeMs = 5_000;

const hasStarted = endOnUncaughtError("The API");
const config = loadApiConfig();
const log = createLogger(config.LOG_LEVEL, "api");
for (const warning of config.warnings) log.warn(warning);
const stopping = shutdownSignal();
const tracing = startTracing({ ...config.tracing, service: "tcf-api", version: packageVersion() });

const db = await whileUnreachable(() => connectDatabase(config.DATABASE_URL, config.DATABASE_POOL_MAX), {
  say: (text) => log.warn(text),
  signal: stopping,
});
const producer = producerConnection(config.REDIS_URL, log);
warnOfEviction(producer, log);
const queues = createQueues(producer, config.QUEUE_PREFIX, log);
const metrics = createMetrics();
const readBooks = remembered(() => queueBooks.read(db.manager));
const autoscaler = createAutoscaler({ queues, rules: config.scaling, readBooks, log });
measureQueues(metrics, autoscaler.reports);
measureOutbox(metrics, readBooks);
measureRedis(metrics, queues);
measurePool(metrics, () => poolState(db));
const store = createObjectStore(config.s3);
const count = (source: string) => metrics.cacheReads.inc({ source });
const cache = openCache(config.redisCacheUrl, { prefix: `${config.QUEUE_PREFIX}-cache`, log, count });

const limiter = cacheConnection(config.redisCacheUrl, log);

const throughput = countThroughput(queues);
const moved = noteMoved(metrics, throughput);
const relay = startRelay({ outbox: createOutbox(db, queueNames), queues, log, signal: stopping, moved });
const also = async () => applyPauses(queues, await queuePauses.list(db.manager));
const reconciler = startReconciler({ asOnlyOne: keepBooks(db), queues, wake: relay.wake, also, log, signal: stopping });
const context: ApiContext = {
  db,
  transact: createTransact(db, relay.offer),
  store,
  keptFeed: createKeptFile(),
  shop: { payee: config.PAYEE ?? null, publicUrl: store.publicUrl },
  cache,
  log,
  metrics,
  authenticate: createAuthenticate(db, config.issuers),
  rights: createRightWatch(db),
  operators: config.board.operators,
  // The one secret that every process has: what is signed needs no setting of its own.
  secrets: createSecrets(config.API_KEY, config.BETTER_AUTH_WEBHOOK_SECRET, config.s3.secretAccessKey),
  limits: createRateLimits({ redis: limiter, prefix: `${config.QUEUE_PREFIX}-limit`, ...config.limits }),
  answers: createReadyAnswers(config.TRUST_PROXY),
  cards: config.testPaymentSecret ? createTestProvider(config.testPaymentSecret, config.publicUrl) : undefined,
  mailLinks: config.MAIL_LINK_SECRET
    ? createMailLinks({ publicUrl: config.publicUrl, secret: config.MAIL_LINK_SECRET })
    : undefined,
  unprovedMailsPerDay: config.MAIL_UNPROVED_PER_DAY,
  mailWebhook: config.MAIL_WEBHOOK_SECRET ? new Webhook(config.MAIL_WEBHOOK_SECRET) : undefined,
  isExempt: inNetworks(config.RATE_LIMIT_EXEMPT_CIDRS),
  isPrinter: inNetworks(config.PRINT_ALLOWED_CIDRS),
  webhookRules: { allowPrivate: config.WEBHOOK_ALLOW_PRIVATE },
  stopping,
  publicUrl: config.publicUrl,
};
const { identity } = config.board;
const probes: Record<string, Probe> = {
  postgres: () => db.query("SELECT 1"),
  redis: () => producer.ping(),
  s3: (signal) => store.ping(signal),
};
const server = createApiServer({
  context,
  queues,
  health: {
    probes,
    version: packageVersion(),
    isStopping: () => stopping.aborted,
  },
  corsOrigins: config.CORS_ORIGINS,
  trustProxy: config.TRUST_PROXY,
  connections: { perClient: config.CONNECTIONS_PER_CLIENT, unreadMs: config.UNREAD_ANSWER_SECONDS * 1_000 },
  board: {
    ...config.board,
    identity: identity && { header: identity.header, from: inNetworks(identity.proxies) },
  },
  demoTokensUrl: config.DEMO_TOKENS_URL,
});

const ops = await startOpsServer({
  host: config.HOST,
  port: config.OPS_PORT,
  metrics,
  log,
  liveness: () => ({}),
  readiness: {
    checks: askProbes({
      ...probes,
      schema: async () => {
        const { pending } = await pendingOf(db.manager);
        if (pending.length > 0) throw new ProbeError(`migrate first: ${pending.join(", ")}`);
      },
      process: async () => {
        if (stopping.aborted) throw new ProbeError("stopping");
      },
    }),
    // Without Redis and S3 nearly everything is answered still, and all pods would leave the Service at once.
    required: ["postgres", "schema", "process"],
  },
  explain: autoscaler.explain,
  token: config.AUTOSCALER_TOKEN,
});
const advice = "Stop that one, or set PORT to a free port.";
await listen(server, { port: config.PORT, host: config.HOST, advice, log });
log.info({ environment: config.ENVIRONMENT, address: server.address(), ops: ops.port }, "API started");
hasStarted();
drainOnUncaughtError({ log, withinMs: config.DRAIN_TIMEOUT_MS + lastStepsMs });
process.send?.("ready");

if (!stopping.aborted) await once(stopping, "abort");
log.info("API stops: finishing its running requests");
await closeServer(server, {
  // What has failed in an unknown way takes no more requests.
  noticeMs: hasFailed() ? 0 : Math.min(longestNoticeMs, config.DRAIN_TIMEOUT_MS / 4),
  drainMs: config.DRAIN_TIMEOUT_MS,
});
await Promise.all([relay.done, reconciler]);
ops.close();
await throughput.close();
await queues.close();
cache.close();
limiter.disconnect();
producer.disconnect();
store.close();
await db.destroy();
await tracing.close();
log.info("API stopped");
process.exit();
