import { Cluster, type ClusterOptions, type Command, Redis, type RedisOptions } from "ioredis";
import type { Log } from "./logger.ts";
import { fromRedis } from "./redis-errors.ts";
import { tlsFault } from "./tls.ts";

/** A connection to Redis, as the factories below make it; to a cluster it is a pool of one connection to each server. */
export type RedisConnection = Redis | Cluster;

/** A connection to one server. */
export type RedisServer = Redis;

/** Where a Redis is: one server by its URL, the master that sentinels name, or a cluster by some of its servers. */
export type RedisAddress = string | ServerAddress | SentinelAddress | ClusterAddress;

interface HostAndPort {
  host: string;
  port: number;
}

interface Login {
  username?: string | undefined;
  password?: string | undefined;
  isEncrypted: boolean;
}

/** One server whose login is not in a URL. */
interface ServerAddress extends Login, HostAndPort {}

/** The sentinels may have a login of their own; they are encrypted when the servers are. */
interface SentinelAddress extends Login {
  sentinels: readonly HostAndPort[];
  /** The name that the sentinels give to the group of master and replicas. */
  master: string;
  sentinelUsername?: string | undefined;
  sentinelPassword?: string | undefined;
}

interface ClusterAddress extends Login {
  nodes: readonly HostAndPort[];
}

/** Has the error of a command remembered as one of Redis. */
function remembering(command: Command) {
  const { reject } = command;
  command.reject = (error) => reject(fromRedis(error));
}

/** A connection whose errors are known to be those of Redis. */
class KnownRedis extends Redis {
  override sendCommand(command: Command, stream?: Parameters<Redis["sendCommand"]>[1]) {
    remembering(command);
    return super.sendCommand(command, stream);
  }
}

/** The same for a cluster. */
class KnownCluster extends Cluster {
  override sendCommand(...[command, ...rest]: Parameters<Cluster["sendCommand"]>) {
    remembering(command);
    return super.sendCommand(command, ...rest);
  }
}

/** Reconnects without end, at most a second apart: BullMQ's own default waits up to 20 s after an outage. */
const retryStrategy = (times: number) => Math.min(200 * times, 1_000);

/** After a failover the old connection answers READONLY: reconnect and send the command again. */
const reconnectOnError = (error: Error) => (error.message.startsWith("READONLY") ? 2 : false);

/** A server that stopped answering without closing its connections is given up after this long. */
const silentMs = 30_000;

/** A cluster's map of slots is read again this often, since a server that is only silent gives no sign of its fall. */
const slotsRefreshMs = 5_000;

interface Manner {
  redis: RedisOptions;
  cluster: ClusterOptions;
  sentinel?: SentinelOptions;
}

type SentinelOptions = Pick<RedisOptions, "sentinelRetryStrategy">;

/** Waits for Redis as long as it takes. */
const patient: Manner = {
  redis: { retryStrategy, reconnectOnError, maxRetriesPerRequest: null, socketTimeout: silentMs },
  // Each is a wait of 100 ms: an election has to end before.
  cluster: { clusterRetryStrategy: retryStrategy, maxRedirections: 1_000_000 },
};

/** Fails soon; `commandMs` bounds each command. */
const impatient = (commandMs: number, { retries = 0 }): Manner => ({
  redis: {
    retryStrategy,
    reconnectOnError,
    maxRetriesPerRequest: retries,
    enableOfflineQueue: false,
    commandTimeout: commandMs,
    ...(retries === 0 && { autoResendUnfulfilledCommands: false }),
  },
  cluster: {
    clusterRetryStrategy: retryStrategy,
    enableOfflineQueue: false,
    // Each is a wait of 100 ms.
    maxRedirections: Math.max(1, Math.floor(commandMs / 200)),
  },
});

function open(address: RedisAddress, { redis, cluster, sentinel }: Manner): RedisConnection {
  if (typeof address === "string") return new KnownRedis(address, redis);
  const { username, password, isEncrypted } = address;
  const login = { username, password, ...(isEncrypted && { tls: {} }) };
  if ("host" in address) return new KnownRedis({ ...redis, ...login, host: address.host, port: address.port });
  if ("sentinels" in address) {
    return new KnownRedis({
      ...redis,
      ...login,
      sentinels: [...address.sentinels],
      name: address.master,
      sentinelUsername: address.sentinelUsername,
      sentinelPassword: address.sentinelPassword,
      ...(isEncrypted && { enableTLSForSentinelMode: true, sentinelTLS: {} }),
      sentinelRetryStrategy: retryStrategy,
      sentinelCommandTimeout: 2_000,
      // No `failoverDetector`: what it hears while a connection is being made ends that connection for good.
      ...sentinel,
    });
  }
  const { retryStrategy: _, enableOfflineQueue: __, ...each } = redis;
  return new KnownCluster([...address.nodes], {
    ...cluster,
    redisOptions: { ...each, ...login },
    slotsRefreshInterval: slotsRefreshMs,
    // Names in certificates: the default would connect to addresses.
    dnsLookup: (host, callback) => callback(null, host),
  });
}

/** A connection that waits for Redis as long as it takes: for BullMQ workers. */
export function consumerConnection(address: RedisAddress, log: Log) {
  return observed(address, patient, log);
}

/**
 * A connection whose commands fail within two seconds when Redis is unavailable: for code that falls back on Postgres.
 */
export function producerConnection(address: RedisAddress, log: Log) {
  return observed(address, impatient(2_000, { retries: 1 }), log);
}

/** A connection whose commands fail after 100 ms: a cache that is slower than Postgres is of no use. */
export function cacheConnection(address: RedisAddress, log: Log) {
  return observed(address, impatient(100, { retries: 0 }), log);
}

/** A connection for subscriptions: it waits for Redis, since no caller waits for it. */
export function subscriberConnection(address: RedisAddress, log: Log) {
  return observed(address, patient, log);
}

/** A connection that connects within seconds or throws what is wrong; it does not reconnect when it breaks. */
export async function connectOnce(address: RedisAddress): Promise<RedisConnection> {
  const limits = { connectTimeout: 2_000, commandTimeout: 2_000 };
  const redis = open(address, {
    redis: { ...limits, lazyConnect: true, retryStrategy: () => null },
    cluster: { lazyConnect: true, clusterRetryStrategy: () => null, slotsRefreshTimeout: 2_000 },
    sentinel: { sentinelRetryStrategy: () => null },
  });
  let reason: unknown;
  redis.on("error", (error: Error) => {
    reason = error;
  });
  await redis.connect().catch((error: unknown) => {
    redis.disconnect();
    throw reason ?? error;
  });
  return redis;
}

/** The servers of an address as people write them, without logins. */
export function serversOf(address: RedisAddress): string {
  if (typeof address === "string") return new URL(address).host;
  const servers = "host" in address ? [address] : "nodes" in address ? address.nodes : address.sentinels;
  return servers.map(({ host, port }) => `${host}:${port}`).join(",");
}

/** Each server that holds keys: a single one, or the masters of a cluster. */
export function mastersOf(redis: RedisConnection): RedisServer[] {
  return redis instanceof Cluster ? redis.nodes("master") : [redis];
}

/** The key prefix of a queue: in a cluster all keys of a queue are on one server, and queues are on several. */
export function queuePrefix(redis: Pick<RedisConnection, "isCluster">, prefix: string, queue: string) {
  return redis.isCluster ? `{${prefix}:${queue}}` : prefix;
}

/** INFO by name of the field. */
export function fieldsOf(info: string): ReadonlyMap<string, string> {
  const pairs = [...info.matchAll(/^(\w+):(.*)\r?$/gm)];
  return new Map(pairs.map(([, name = "", value = ""]) => [name, value.trim()]));
}

/** Servers of Redis before this version lack commands of BullMQ's scripts. */
const minVersion = [6, 2] as const;

/** Sentences on what makes a server unfit for the queues, by its INFO: what was found, and what to do. */
export function faultsOf(info: ReadonlyMap<string, string>, isCluster: boolean): string[] {
  const policy = info.get("maxmemory_policy") ?? "noeviction";
  const version = info.get("redis_version") ?? "";
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const isOld = version !== "" && (major < minVersion[0] || (major === minVersion[0] && minor < minVersion[1]));
  return [
    policy !== "noeviction" && `Redis may evict jobs (${policy}): set its maxmemory-policy to noeviction`,
    isOld && `Redis has version ${version}: ${minVersion.join(".")} or newer is needed`,
    info.get("redis_mode") === "cluster" &&
      !isCluster &&
      "This Redis is a cluster: name some of its servers in REDIS_CLUSTER_NODES instead of REDIS_URL",
    info.get("role") === "slave" &&
      "This Redis is a replica: name the sentinels in REDIS_SENTINELS, or lead REDIS_URL to the master",
  ].filter((sentence) => sentence !== false);
}

/**
 * Logs an error at each connect to a server that is unfit for the queues. The process goes on: the ledger enqueues lost
 * jobs again, only late, and refusing to start would turn that into an outage.
 */
export function warnOfUnfit(redis: RedisConnection, log: Log) {
  const look = (server: RedisServer) =>
    server.info().then(
      (info) => {
        for (const fault of faultsOf(fieldsOf(info), redis.isCluster)) log.error(fault);
      },
      () => undefined,
    );
  redis.on("ready", () => {
    for (const server of mastersOf(redis)) void look(server);
  });
}

function observed(address: RedisAddress, manner: Manner, log: Log) {
  const redis = open(address, manner);
  let away = false;
  redis.on("error", (error: Error) => {
    const { lastNodeError = error } = error as { lastNodeError?: Error };
    const fault = tlsFault(lastNodeError, `Redis at ${serversOf(address)}`);
    if (!away && fault) log.error({ err: fromRedis(error) }, `${fault}. Reconnecting`);
    else if (!away) log.warn({ err: fromRedis(error) }, "Redis is unavailable; reconnecting");
    away = true;
  });
  redis.on("ready", () => {
    if (away) log.info("Redis is available again");
    away = false;
  });
  return redis;
}
