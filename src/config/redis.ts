import { z } from "zod";
import { StartUpError } from "../errors.ts";
import type { RedisAddress } from "../platform/redis.ts";
import { connection, list, yesOrNo } from "./kinds.ts";

/** `host:port`, comma separated; an address of IPv6 stands in brackets. */
const nodes = (defaultPort: number) =>
  list.transform((items, context) => {
    const parts = items.map((item) => /^(\[[\da-f:.]+\]|[\p{L}\d._-]+)(?::(\d{1,5}))?$/iu.exec(item));
    const wrong = parts.findIndex((part) => part === null || Number(part[2] ?? 1) > 65_535);
    if (wrong < 0)
      return parts.map((part) => ({
        host: (part?.[1] ?? "").replace(/^\[|\]$/g, ""),
        port: Number(part?.[2] ?? defaultPort),
      }));
    // The item itself may hold a password.
    context.addIssue({ code: "custom", message: `item ${wrong + 1} of the list is not like 'host:${defaultPort}'` });
    return z.NEVER;
  });

const login = z.string().min(1).optional();

/** Settings of the Redis of the queues. */
export const brokerSettings = {
  /** Broker as one server: it needs `maxmemory-policy noeviction` and append-only persistence. */
  REDIS_URL: connection(/^rediss?$/).optional(),
  /** Or as a master that sentinels watch: their addresses. */
  REDIS_SENTINELS: nodes(26_379),
  /** The name of the master there. */
  REDIS_SENTINEL_NAME: z.string().min(1).default("mymaster"),
  REDIS_SENTINEL_USERNAME: login,
  /** Login at the sentinels, where they require one. */
  REDIS_SENTINEL_PASSWORD: login,
  /** Or as a cluster: some of its servers, which name the others. */
  REDIS_CLUSTER_NODES: nodes(6_379),
  REDIS_USERNAME: login,
  /** Login at the servers of Sentinel or Cluster; in REDIS_URL it stands in the URL. */
  REDIS_PASSWORD: login,
  /** true: the servers of Sentinel or Cluster, and the sentinels, are reached by TLS; `rediss://` is it for REDIS_URL. */
  REDIS_TLS: yesOrNo,
};

/** Settings of the Redis of the cache, each as the one of the broker; without any, it is the broker. */
export const cacheSettings = {
  /** Cache: may be the same server as REDIS_URL; losing it only costs time. */
  REDIS_CACHE_URL: connection(/^rediss?$/).optional(),
  REDIS_CACHE_SENTINELS: nodes(26_379),
  REDIS_CACHE_SENTINEL_NAME: z.string().min(1).default("mymaster"),
  REDIS_CACHE_SENTINEL_USERNAME: login,
  REDIS_CACHE_SENTINEL_PASSWORD: login,
  REDIS_CACHE_CLUSTER_NODES: nodes(6_379),
  REDIS_CACHE_USERNAME: login,
  REDIS_CACHE_PASSWORD: login,
  REDIS_CACHE_TLS: yesOrNo,
};

const Settings = z.object({ ...brokerSettings, ...cacheSettings });
type Suffix = keyof typeof brokerSettings extends `REDIS_${infer Name}` ? Name : never;

const noBroker =
  "  REDIS_URL is not set: name the Redis of the queues there, in REDIS_SENTINELS or in REDIS_CLUSTER_NODES";

/** A line for a list of wrong settings when a process that reads these has no broker in its environment. */
export function lackOfBroker(shape: object, given: NodeJS.ProcessEnv): string[] {
  const names = ["REDIS_URL", "REDIS_SENTINELS", "REDIS_CLUSTER_NODES"];
  return names.every((name) => name in shape && given[name] === undefined) ? [noBroker] : [];
}

/** The addresses of broker and cache; throws `StartUpError` where the broker has none, or either has two. */
export function redisOf(settings: z.output<typeof Settings>): { broker: RedisAddress; cache: RedisAddress } {
  const broker = addressOf("REDIS", settings);
  if (broker === undefined) throw new StartUpError(`Bad configuration:\n${noBroker}`);
  return { broker, cache: addressOf("REDIS_CACHE", settings) ?? broker };
}

function addressOf(of: "REDIS" | "REDIS_CACHE", settings: z.output<typeof Settings>): RedisAddress | undefined {
  const get = <Name extends Suffix>(name: Name) =>
    settings[`${of}_${name}` as keyof typeof settings] as z.output<typeof Settings>[`REDIS_${Name}`];
  const url = get("URL");
  const sentinels = get("SENTINELS");
  const cluster = get("CLUSTER_NODES");
  const given = [
    url !== undefined && `${of}_URL`,
    sentinels.length > 0 && `${of}_SENTINELS`,
    cluster.length > 0 && `${of}_CLUSTER_NODES`,
  ].filter((name) => name !== false);
  if (given.length > 1)
    throw new StartUpError(`Bad configuration:\n  ${given.join(" and ")} are set: keep the one that is meant`);
  const extra = (["USERNAME", "PASSWORD", "TLS"] as const).filter((name) => get(name));
  if (url !== undefined && extra.length > 0)
    throw new StartUpError(
      `Bad configuration:\n  ${extra.map((name) => `${of}_${name}`).join(" and ")} are for sentinels and clusters: in ${of}_URL they stand as rediss://user:password@host`,
    );
  const servers = { username: get("USERNAME"), password: get("PASSWORD"), isEncrypted: get("TLS") };
  if (sentinels.length > 0)
    return {
      ...servers,
      sentinels,
      master: get("SENTINEL_NAME"),
      sentinelUsername: get("SENTINEL_USERNAME"),
      sentinelPassword: get("SENTINEL_PASSWORD"),
    };
  return cluster.length > 0 ? { ...servers, nodes: cluster } : url;
}
