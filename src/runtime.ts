import { connectDatabase, poolState } from "./db/data-source.ts";
import { createEngine } from "./engine/index.ts";
import { jobs } from "./jobs/index.ts";
import { type QueueName, queues } from "./jobs/queues.ts";
import type { ScalingRules } from "./jobs/scaling.ts";
import { openCache } from "./platform/cache.ts";
import { createLogger, logConsole } from "./platform/logger.ts";
import { measurePool, measureRedis } from "./platform/measure.ts";
import { createMetrics } from "./platform/metrics.ts";
import { createObjectStore, type S3Options } from "./platform/object-store.ts";
import { connectionsOf } from "./platform/postgres/connections.ts";
import { producerConnection, type RedisAddress, warnOfUnfit } from "./platform/redis.ts";
import { shutdownSignal } from "./platform/shutdown.ts";
import { trustAlso } from "./platform/tls.ts";
import { startTracing, type TracingOptions } from "./platform/tracing.ts";
import { packageVersion } from "./platform/version.ts";
import { whileUnreachable } from "./platform/while-unreachable.ts";

/** The settings of every process of this back end. */
export interface RuntimeConfig {
  warnings: readonly string[];
  LOG_LEVEL: string;
  EXTRA_CA_FILE: readonly string[];
  DATABASE_URL: string;
  DATABASE_POOLER: "none" | "transaction";
  DATABASE_POOL_MAX: number;
  QUEUE_PREFIX: string;
  redis: { broker: RedisAddress; cache: RedisAddress };
  scaling: ScalingRules;
  s3: S3Options;
  tracing: Omit<TracingOptions, "service" | "version" | "log">;
}

export interface RuntimeOptions {
  config: RuntimeConfig;
  /** Names the process in its log. */
  name: string;
  /** Names it in traces. */
  service: string;
  /** The queues that it works on, and its name in the ledger; absent: none. */
  worker?: { name: string; queues: readonly QueueName[] };
}

/**
 * Starts what the API and the workers have in common: log, traces, metrics, Postgres, Redis, S3, the cache and the job
 * engine. Waits for Postgres while it cannot be reached; throws `StartUpError` when it can never be used.
 */
export async function startRuntime({ config, name, service, worker }: RuntimeOptions) {
  const log = createLogger(config.LOG_LEVEL, name);
  logConsole(log);
  for (const warning of config.warnings) log.warn(warning);
  trustAlso(config.EXTRA_CA_FILE);
  const stopping = shutdownSignal();
  const version = packageVersion();
  const tracing = startTracing({ ...config.tracing, service, version, log });
  const session = {
    isPooled: config.DATABASE_POOLER === "transaction",
    name: worker ? `tcf worker ${worker.queues.join(",")}` : `tcf ${name}`,
  };
  const db = await whileUnreachable(() => connectDatabase(config.DATABASE_URL, config.DATABASE_POOL_MAX, session), {
    say: (text) => log.warn(text),
    signal: stopping,
  });
  const connections = connectionsOf(config.DATABASE_POOL_MAX, worker?.queues.length ?? 0);
  log.info({ connections, applicationName: session.name }, "connected to Postgres");
  const redis = producerConnection(config.redis.broker, log);
  warnOfUnfit(redis, log);
  const metrics = createMetrics();
  const { registry } = metrics;
  measureRedis(registry, redis);
  measurePool(registry, () => poolState(db));
  const engine = createEngine({
    queues,
    jobs,
    scaling: config.scaling,
    db,
    redis,
    prefix: config.QUEUE_PREFIX,
    log,
    registry,
    signal: stopping,
    ...(worker && { worker }),
  });
  const store = createObjectStore(config.s3);
  const count = (source: string) => metrics.cacheReads.inc({ source });
  const cache = openCache(config.redis.cache, { prefix: `${config.QUEUE_PREFIX}-cache`, log, count });
  return {
    log,
    /** Fires when the process has to stop. */
    stopping,
    version,
    db,
    redis,
    metrics,
    engine,
    store,
    cache,
    /** Closes all of it, once nothing uses it any more and `engine.done` has resolved. */
    async close() {
      await engine.close();
      cache.close();
      redis.disconnect();
      store.close();
      await db.destroy();
      await tracing.close();
    },
  };
}
