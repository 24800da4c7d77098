import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { Webhook } from "standardwebhooks";
import { loadApiConfig } from "../config.ts";
import { queuePauses } from "../db/dao/queue-pauses.ts";
import { connectDatabase } from "../db/data-source.ts";
import { createOutbox } from "../db/outbox.ts";
import { keepBooks } from "../db/reconcile.ts";
import { createTransact } from "../db/transaction.ts";
import { queueNames } from "../jobs/queues.ts";
import { applyPauses } from "../platform/apply-pauses.ts";
import { openCache } from "../platform/cache.ts";
import { createLogger } from "../platform/logger.ts";
import { createMailLinks } from "../platform/mail-links.ts";
import { createMetrics, measureQueues } from "../platform/metrics.ts";
import { createObjectStore } from "../platform/object-store.ts";
import { createQueues } from "../platform/queues.ts";
import { createRateLimits } from "../platform/rate-limits.ts";
import { startReconciler } from "../platform/reconciler.ts";
import { cacheConnection, producerConnection } from "../platform/redis.ts";
import { startRelay } from "../platform/relay.ts";
import { shutdownSignal } from "../platform/shutdown.ts";
import { endOnUncaughtError } from "../platform/start-up.ts";
import { packageVersion } from "../platform/version.ts";
import { createApiServer } from "./app.ts";
import { createAuthenticate } from "./authenticate.ts";
import type { ApiContext } from "./context.ts";
import { inNetworks } from "./networks.ts";
import { createReadyAnswers } from "./ready-answers.ts";
import { createSecrets } from "./secrets.ts";
import { createTestProvider } from "./test-payment-provider.ts";

endOnUncaughtError("The API");
const config = loadApiConfig();
const log = createLogger(config.LOG_LEVEL, "api");
const stopping = shutdownSignal();

const db = await connectDatabase(config.DATABASE_URL, config.DATABASE_POOL_MAX);
const producer = producerConnection(config.REDIS_URL, log);
const queues = createQueues(producer, config.QUEUE_PREFIX, log);
const metrics = createMetrics();
measureQueues(metrics, queues);
const store = createObjectStore(config.s3);
const count = (source: string) => metrics.cacheReads.inc({ source });
const cache = openCache(config.redisCacheUrl, { prefix: `${config.QUEUE_PREFIX}-cache`, log, count });

const limiter = cacheConnection(config.redisCacheUrl, log);

const relay = startRelay({ outbox: createOutbox(db, queueNames), queues, log, signal: stopping });
const also = async () => applyPauses(queues, await queuePauses.list(db.manager));
const reconciler = startReconciler({ asOnlyOne: keepBooks(db), queues, wake: relay.wake, also, log, signal: stopping });
const context: ApiContext = {
  db,
  transact: createTransact(db, relay.offer),
  store,
  cache,
  log,
  metrics,
  authenticate: createAuthenticate(db, config.issuers),
  secrets: createSecrets(config.API_KEY, config.BETTER_AUTH_WEBHOOK_SECRET),
  limits: createRateLimits({ redis: limiter, prefix: `${config.QUEUE_PREFIX}-limit`, ...config.limits }),
  answers: createReadyAnswers(config.TRUST_PROXY),
  cards: config.testPaymentSecret ? createTestProvider(config.testPaymentSecret, config.publicUrl) : undefined,
  mailLinks: config.MAIL_LINK_SECRET
    ? createMailLinks({ publicUrl: config.publicUrl, secret: config.MAIL_LINK_SECRET })
    : undefined,
  mailWebhook: config.MAIL_WEBHOOK_SECRET ? new Webhook(config.MAIL_WEBHOOK_SECRET) : undefined,
  isExempt: inNetworks(config.RATE_LIMIT_EXEMPT_CIDRS),
  isPrinter: inNetworks(config.PRINT_ALLOWED_CIDRS),
  webhookRules: { allowPrivate: config.WEBHOOK_ALLOW_PRIVATE },
  stopping,
  publicUrl: config.publicUrl,
};
const { identity } = config.board;
const server = createApiServer({
  context,
  queues,
  health: {
    probes: {
      postgres: () => db.query("SELECT 1"),
      redis: () => producer.ping(),
      s3: (signal) => store.ping(signal),
    },
    version: packageVersion(),
    isStopping: () => stopping.aborted,
  },
  corsOrigins: config.CORS_ORIGINS,
  trustProxy: config.TRUST_PROXY,
  board: {
    ...config.board,
    identity: identity && { header: identity.header, from: inNetworks(identity.proxies) },
  },
  demoTokensUrl: config.DEMO_TOKENS_URL,
});

server.listen(config.PORT, config.HOST);
await once(server, "listening");
log.info({ address: server.address() }, "API started");
if (context.cards?.name === "test") log.warn("PAYMENT_PROVIDER=test: payments by card take no money");
process.send?.("ready");

if (!stopping.aborted) await once(stopping, "abort");
log.info("API stops: finishing its running requests");
// Whoever sends requests here has to see first that it is not ready any more.
await sleep(Math.min(5_000, config.DRAIN_TIMEOUT_MS / 4));
server.close();
server.closeIdleConnections();
await Promise.race([once(server, "close"), sleep(config.DRAIN_TIMEOUT_MS, undefined, { ref: false })]);
server.closeAllConnections();
await Promise.all([relay.done, reconciler]);
await queues.close();
cache.close();
limiter.disconnect();
producer.disconnect();
store.close();
await db.destroy();
log.info("API stopped");
process.exit(0);
