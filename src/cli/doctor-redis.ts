import {
  connectOnce,
  fieldsOf,
  mastersOf,
  type RedisAddress,
  type RedisConnection,
  type RedisServer,
  serversOf,
} from "../platform/redis.ts";
import { adviceOnRedis } from "../platform/redis-errors.ts";
import type { Installation } from "./command.ts";
import { compareClocks, type Finding, reasonOf } from "./findings.ts";

/** What is found about the Redis of the queues: each server that holds keys, and what watches over them. */
export async function lookAtRedis({ redis: { broker } }: Pick<Installation, "redis">): Promise<Finding[]> {
  let redis: RedisConnection | undefined;
  try {
    redis = await connectOnce(broker);
    const servers = mastersOf(redis);
    const looks = await Promise.all(servers.map((server) => lookAtServer(server, redis?.isCluster === true)));
    const named = looks.map((findings, index) => {
      const { host, port } = servers[index]?.options ?? {};
      return servers.length === 1
        ? findings
        : findings.map((one) => ({ ...one, found: `${host}:${port}: ${one.found}` }));
    });
    return [...named.flat(), ...(await lookAtGuards(redis, broker))];
  } catch (error) {
    const advice = adviceOnRedis(error) ?? "Start it, or correct REDIS_URL; jobs wait in Postgres meanwhile";
    return [{ what: "redis", state: "problem", found: reasonOf(error, serversOf(broker)), advice }];
  } finally {
    redis?.disconnect();
  }
}

async function lookAtServer(server: RedisServer, isCluster: boolean): Promise<Finding[]> {
  const info = fieldsOf(await server.info());
  const began = Date.now();
  const [seconds = 0, micros = 0] = await server.time();
  const now = Number(seconds) * 1_000 + Number(micros) / 1_000;
  return [...describeRedis(info, isCluster), compareClocks("clock of redis", now, began, Date.now())];
}

/** What INFO reports about a server of the queues. */
export function describeRedis(info: ReadonlyMap<string, string>, isCluster = false): Finding[] {
  const policy = info.get("maxmemory_policy") ?? "unknown";
  const isAppendOnly = info.get("aof_enabled") === "1";
  const maxMemory = Number(info.get("maxmemory")) || Number(info.get("total_system_memory"));
  const share = Number(info.get("used_memory")) / maxMemory;
  const percent = `${Math.round(share * 100)} % of its memory`;
  return [
    { what: "redis", state: "ok", found: `version ${info.get("redis_version") ?? "unknown"}` },
    ...describeKind(info, isCluster),
    policy === "noeviction"
      ? { what: "redis policy", state: "ok", found: policy }
      : {
          ...{ what: "redis policy", state: "problem", found: `${policy}: it evicts jobs when it is full` },
          advice: "`redis-cli config set maxmemory-policy noeviction`, and in its configuration file",
        },
    isAppendOnly
      ? { what: "redis persistence", state: "ok", found: "append-only file" }
      : {
          ...{
            what: "redis persistence",
            state: "warning",
            found: "no append-only file: a restart loses its data",
          },
          advice: "`redis-cli config set appendonly yes`, and in its configuration file; jobs would come back, late",
        },
    share < 0.8 || Number.isNaN(share)
      ? { what: "redis memory", state: "ok", found: Number.isNaN(share) ? "unknown" : percent }
      : { what: "redis memory", state: "problem", found: percent, advice: "See docs/runbook/redis-memory-high.md" },
  ];
}

/** A server that the settings take for another kind than it is. */
function describeKind(info: ReadonlyMap<string, string>, isCluster: boolean): Finding[] {
  if (info.get("redis_mode") === "cluster" && !isCluster) {
    const advice =
      "Name some of its servers in REDIS_CLUSTER_NODES instead of REDIS_URL; jobs wait in Postgres meanwhile";
    return [{ what: "redis kind", state: "problem", found: "a cluster, and the settings say one server", advice }];
  }
  if (info.get("role") === "slave") {
    const advice = "Name the sentinels in REDIS_SENTINELS, or lead REDIS_URL to the master";
    return [{ what: "redis kind", state: "problem", found: "a replica, which takes no jobs", advice }];
  }
  return [];
}

/** What replaces a master that has failed: the sentinels, or the cluster itself. */
async function lookAtGuards(redis: RedisConnection, address: RedisAddress): Promise<Finding[]> {
  if (typeof address === "string" || "host" in address) return [];
  if ("sentinels" in address) {
    const looks = await Promise.all(address.sentinels.map((one) => askSentinel(address, one)));
    const silent = looks.filter((answer) => answer !== "OK");
    const found = `${looks.length - silent.length} of ${looks.length} can replace the master '${address.master}'`;
    if (silent.length === 0) return [{ what: "redis sentinels", state: "ok", found }];
    const advice = "Start or correct them: without a majority they replace no master that fails";
    const state = silent.length * 2 >= looks.length ? "problem" : "warning";
    return [{ what: "redis sentinels", state, found: `${found} (${silent.join("; ")})`, advice }];
  }
  const info = fieldsOf(String(await redis.cluster("INFO")));
  const masters = mastersOf(redis).length;
  const bare = mastersOf(redis).length - new Set(await mastersWithReplicas(redis)).size;
  const found = `${masters} masters, ${info.get("cluster_slots_ok") ?? "?"} of 16384 slots served`;
  if (info.get("cluster_state") !== "ok" || info.get("cluster_slots_ok") !== "16384") {
    const advice = "Look at `redis-cli cluster info`, and start the servers that are missing";
    return [{ what: "redis cluster", state: "problem", found, advice }];
  }
  if (bare === 0) return [{ what: "redis cluster", state: "ok", found }];
  const advice = "Give each master a replica: without one its queues stand still when it fails";
  return [{ what: "redis cluster", state: "warning", found: `${found}, ${bare} of them without a replica`, advice }];
}

type Sentinels = Extract<RedisAddress, { sentinels: unknown }>;

async function askSentinel(address: Sentinels, { host, port }: Sentinels["sentinels"][number]): Promise<string> {
  const { master, sentinelUsername: username, sentinelPassword: password, isEncrypted } = address;
  let sentinel: RedisConnection | undefined;
  try {
    sentinel = await connectOnce({ host, port, username, password, isEncrypted });
    const answer = String(await sentinel.call("SENTINEL", "CKQUORUM", master));
    return answer.startsWith("OK") ? "OK" : `${host}:${port}: ${answer}`;
  } catch (error) {
    return `${host}:${port}: ${reasonOf(error, `${host}:${port}`)}`;
  } finally {
    sentinel?.disconnect();
  }
}

async function mastersWithReplicas(redis: RedisConnection): Promise<string[]> {
  const lines = String(await redis.cluster("NODES")).split("\n");
  const nodes = lines.map((line) => line.split(" "));
  return nodes.flatMap(([, , flags = "", of = ""]) => (/slave/.test(flags) && !/fail/.test(flags) ? [of] : []));
}

/** Whether the cache has a Redis of its own. */
export function lookAtCache({ redis: { broker, cache } }: Pick<Installation, "redis">): Finding {
  if (serversOf(broker) !== serversOf(cache)) return { what: "cache", state: "ok", found: "a Redis of its own" };
  const advice = "Fine while it is small; a cache has to evict, and jobs must not be evicted: set REDIS_CACHE_URL";
  return { what: "cache", state: "warning", found: "the Redis of the queues", advice };
}
