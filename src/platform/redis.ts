import { type Command, Redis } from "ioredis";
import { isNetworkError } from "../errors.ts";
import type { Log } from "./logger.ts";
import { tlsFault } from "./tls.ts";

/** A connection to Redis, as the factories below make it. */
export type RedisConnection = Redis;

const known = new WeakSet<object>();

/** A connection whose errors are known to be those of Redis. */
class KnownRedis extends Redis {
  override sendCommand(command: Command, stream?: Parameters<Redis["sendCommand"]>[1]) {
    const { reject } = command;
    command.reject = (error) => {
      known.add(error);
      reject(error);
    };
    return super.sendCommand(command, stream);
  }
}

/** Reconnects without end, at most a second apart: BullMQ's own default waits up to 20 s after an outage. */
const retryStrategy = (times: number) => Math.min(200 * times, 1_000);

/** After a failover the old connection answers READONLY: reconnect and send the command again. */
const reconnectOnError = (error: Error) => (error.message.startsWith("READONLY") ? 2 : false);

const troubles =
  /^(?:DENIED|OOM|READONLY|LOADING|MISCONF|NOREPLICAS|CLUSTERDOWN|MASTERDOWN|TRYAGAIN|BUSY|NOAUTH|WRONGPASS|NOPERM|UNBLOCKED)\b|Connection is closed|Command timed out|max retries per request|isn't writeable/;

/** True when a command of one of our connections failed since Redis is unavailable, full or not ready. */
export function isRedisUnavailable(error: unknown) {
  return error instanceof Error && known.has(error) && isRedisTrouble(error);
}

/**
 * True when an error says that Redis is unavailable, full or not ready, rather than the command wrong. For places that
 * call no other server: it takes the connection errors of any.
 */
export function isRedisTrouble(error: unknown) {
  return isNetworkError(error) || troubles.test(error instanceof Error ? error.message : String(error));
}

/** A connection that waits for Redis as long as it takes: for BullMQ workers. */
export function consumerConnection(url: string, log: Log) {
  return observed(new KnownRedis(url, { retryStrategy, reconnectOnError, maxRetriesPerRequest: null }), log);
}

/**
 * A connection whose commands fail within two seconds when Redis is unavailable: for code that falls back on Postgres.
 */
export function producerConnection(url: string, log: Log) {
  return observed(
    new KnownRedis(url, {
      retryStrategy,
      reconnectOnError,
      maxRetriesPerRequest: 1,
      enableOfflineQueue: false,
      commandTimeout: 2_000,
    }),
    log,
  );
}

/** A connection whose commands fail after 100 ms: a cache that is slower than Postgres is of no use. */
export function cacheConnection(url: string, log: Log) {
  return observed(
    new KnownRedis(url, {
      retryStrategy,
      reconnectOnError,
      maxRetriesPerRequest: 0,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      commandTimeout: 100,
    }),
    log,
  );
}

/** A connection that connects within two seconds or throws what is wrong; it does not reconnect when it breaks. */
export async function connectOnce(url: string): Promise<RedisConnection> {
  const redis = new KnownRedis(url, {
    lazyConnect: true,
    retryStrategy: () => null,
    connectTimeout: 2_000,
    commandTimeout: 2_000,
  });
  let reason: unknown;
  redis.on("error", (error: Error) => {
    reason = error;
  });
  await redis.connect().catch((error: unknown) => {
    throw reason ?? error;
  });
  return redis;
}

/** A connection for subscriptions: it waits for Redis, since no caller waits for it. */
export function subscriberConnection(url: string, log: Log) {
  return observed(new KnownRedis(url, { retryStrategy, reconnectOnError, maxRetriesPerRequest: null }), log);
}

/**
 * Logs an error at each connect when this Redis evicts jobs when it is full, instead of refusing new ones. The process
 * goes on: the ledger enqueues lost jobs again, only late, and refusing to start would turn that into an outage.
 */
export function warnOfEviction(redis: RedisConnection, log: Log) {
  redis.on("ready", () => {
    redis.info("memory").then(
      (info) => {
        const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1];
        if (policy === undefined || policy === "noeviction") return;
        log.error({ policy }, "Redis may evict jobs: set its maxmemory-policy to noeviction (REDIS_URL)");
      },
      () => undefined,
    );
  });
}

function observed(redis: Redis, log: Log) {
  let away = false;
  redis.on("error", (error: Error) => {
    const fault = tlsFault(error, `Redis at ${redis.options.host}:${redis.options.port}`);
    if (!away && fault) log.error({ err: error }, `${fault}. Reconnecting`);
    else if (!away) log.warn({ err: error }, "Redis is unavailable; reconnecting");
    away = true;
  });
  redis.on("ready", () => {
    if (away) log.info("Redis is available again");
    away = false;
  });
  return redis;
}
