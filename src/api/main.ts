import { once } from "node:events";
import { Webhook } from "standardwebhooks";
import { loadApiConfig } from "../config.ts";
import { pendingOf } from "../db/data-source.ts";
import { queueNames } from "../jobs/queues.ts";
import { createKeptFile } from "../platform/kept-file.ts";
import { listen } from "../platform/listen.ts";
import { createMailLinks } from "../platform/mail-links.ts";
import { startOpsServer } from "../platform/ops-server.ts";
import { createCardCheckout } from "../platform/payments/create-card-provider.ts";
import { askProbes, type Probe, ProbeError } from "../platform/probes.ts";
import { createRateLimits } from "../platform/rate-limits.ts";
import { cacheConnection } from "../platform/redis.ts";
import { drainOnUncaughtError, hasFailed } from "../platform/shutdown.ts";
import { endOnUncaughtError } from "../platform/start-up.ts";
import { startRuntime } from "../runtime.ts";
import { createApiServer } from "./app.ts";
import { createAuthenticate } from "./http/authenticate.ts";
import { closeServer } from "./http/close-server.ts";
import { inNetworks } from "./http/networks.ts";
import { createResponseCache } from "./http/response-cache.ts";
import { createRightWatch } from "./http/right-watch.ts";
import { createSecrets } from "./http/secrets.ts";
import type { ApiContext } from "./http/types.ts";

/** Time limit of the last steps of a shutdown: closing connections. */
const lastStepsMs = 5_000;
/** How long it accepts connections after SIGTERM, for proxies that have not noticed the end yet. */
const maxNoticeMs = 5_000;

const hasStarted = endOnUncaughtError("The API");
const config = loadApiConfig();
const runtime = await startRuntime({ config, name: "api", service: "tcf-api" });
const { log, stopping, version, db, redis, metrics, engine, store, cache } = runtime;
const limiter = cacheConnection(config.redis.cache, log);
const context: ApiContext = {
  db,
  transact: engine.transact,
  store,
  keptFeed: createKeptFile(),
  shop: { payee: config.PAYEE ?? null, publicUrl: store.publicUrl },
  cache,
  log,
  metrics,
  authenticate: createAuthenticate(db, config.issuers, log),
  rights: createRightWatch(db),
  operators: config.board.operators,
  // Every process has this secret, so that signatures need no setting of their own.
  secrets: createSecrets(config.API_KEY, config.BETTER_AUTH_WEBHOOK_SECRET, config.s3.secretAccessKey),
  limits: createRateLimits({ redis: limiter, prefix: `${config.QUEUE_PREFIX}-limit`, ...config.limits }),
  answers: createResponseCache(config.TRUST_PROXY),
  cards: createCardCheckout(config.cards, {
    webhookSecret: config.PAYMENT_WEBHOOK_SECRET,
    publicUrl: config.publicUrl,
  }),
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
  redis: () => redis.ping(),
  s3: (signal) => store.ping(signal),
};
const server = createApiServer({
  context,
  queues: engine.queues,
  health: {
    probes,
    version,
    isStopping: () => stopping.aborted,
  },
  corsOrigins: config.CORS_ORIGINS,
  trustProxy: config.TRUST_PROXY,
  pathIsKept: !config.PUBLIC_PATH_STRIPPED,
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
    // Without Redis and S3 nearly every request still works, and all pods would leave the Service at once.
    required: ["postgres", "schema", "process"],
  },
  explain: engine.autoscaler.explain,
  queues: queueNames,
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
  // A process that has failed in an unknown way accepts no more requests.
  noticeMs: hasFailed() ? 0 : Math.min(maxNoticeMs, config.DRAIN_TIMEOUT_MS / 4),
  drainMs: config.DRAIN_TIMEOUT_MS,
});
await engine.done;
ops.close();
limiter.disconnect();
await runtime.close();
log.info("API stopped");
process.exit();
