import { once } from "node:events";
import { afterEach, describe, expect, test } from "vitest";
import { errorLine } from "../../src/platform/describe-error.ts";
import type { Log } from "../../src/platform/logger.ts";
import {
  connectOnce,
  faultsOf,
  producerConnection,
  queuePrefix,
  type RedisAddress,
  type RedisConnection,
  warnOfUnfit,
} from "../../src/platform/redis.ts";
import { fromRedis, isRedisTrouble, isRedisUnavailable } from "../../src/platform/redis-errors.ts";
import { useOwnRedis } from "../support/redis.ts";

const redis = useOwnRedis();
const connections: RedisConnection[] = [];
afterEach(() => {
  for (const one of connections.splice(0)) one.disconnect();
});

/** What is said of a Redis with this policy by the time a new connection has asked for it. */
async function complaintsAbout(policy: string) {
  const said: unknown[][] = [];
  const log = { debug() {}, info() {}, warn() {}, error: (...args: unknown[]) => said.push(args) } as unknown as Log;
  const setting = producerConnection(redis.url, log);
  await once(setting, "ready");
  await setting.config("SET", "maxmemory-policy", policy);
  const connection = producerConnection(redis.url, log);
  warnOfUnfit(connection, log);
  connections.push(setting, connection);
  await once(connection, "ready");
  // Answers come in the order of the questions: after this one, the policy was looked at.
  await connection.ping();
  return said;
}

test("a Redis that evicts is complained about, with what to do", async () => {
  const [complaint] = await complaintsAbout("allkeys-lru");
  expect(complaint).toEqual(["Redis may evict jobs (allkeys-lru): set its maxmemory-policy to noeviction"]);
});

test("a Redis that refuses instead is not", async () => {
  expect(await complaintsAbout("noeviction")).toEqual([]);
});

describe("a server is unfit for the queues", () => {
  const sound = { redis_version: "7.0.15", maxmemory_policy: "noeviction", redis_mode: "standalone", role: "master" };
  const faults = (changes: Record<string, string>, isCluster = false) =>
    faultsOf(new Map(Object.entries({ ...sound, ...changes })), isCluster);

  test.for<[string, Record<string, string>, RegExp]>([
    ["when it evicts", { maxmemory_policy: "volatile-lru" }, /volatile-lru.*noeviction/],
    ["when it is too old", { redis_version: "6.0.16" }, /6\.0\.16: 6\.2 or newer/],
    ["when it is a server of a cluster", { redis_mode: "cluster" }, /REDIS_CLUSTER_NODES/],
    ["when it is a replica", { role: "slave" }, /REDIS_SENTINELS/],
  ])("%s", ([, changes, sentence]) => {
    expect(faults(changes)).toEqual([expect.stringMatching(sentence)]);
  });

  test("and for no other reason", () => {
    expect(faults({})).toEqual([]);
    expect(faults({ redis_version: "8.2.0" })).toEqual([]);
    expect(faults({ redis_mode: "cluster" }, true)).toEqual([]);
    // Managed servers hide parts of INFO.
    expect(faultsOf(new Map(), false)).toEqual([]);
  });
});

describe("an answer that no command can mend", () => {
  test.for<[string, RegExp | undefined]>([
    ["MOVED 15495 10.0.0.7:6379", /REDIS_CLUSTER_NODES/],
    ["ASK 15495 10.0.0.7:6379", /REDIS_CLUSTER_NODES/],
    ["CROSSSLOT Keys in request don't hash to the same slot", /REDIS_CLUSTER_NODES/],
    ["CLUSTERDOWN The cluster is down", /CLUSTER INFO/],
    ["NOAUTH Authentication required.", /REDIS_PASSWORD/],
    ["WRONGPASS invalid username-password pair or user is disabled.", /REDIS_PASSWORD/],
    ["NOPERM User shop has no permissions to run the 'info' command", /infrastructure\.md/],
    ["READONLY You can't write against a read only replica.", /REDIS_SENTINELS/],
    ["MASTERDOWN Link with MASTER is down", /election/],
    ["LOADING Redis is loading the dataset in memory", /reads its data/],
    ["MISCONF Redis is configured to save RDB snapshots", /disk/],
    ["OOM command not allowed when used memory > 'maxmemory'.", /redis-memory-high/],
    ["All sentinels are unreachable. Retrying from scratch after 200ms.", /REDIS_SENTINELS/],
    ["Too many Cluster redirections. Last error: ReplyError: MOVED 1 10.0.0.7:6379", /REDIS_CLUSTER_NODES/],
    ["Connection is closed.", undefined],
  ])("'%s' is trouble of Redis and says what to do", ([message, advice]) => {
    const error = new Error(message);
    expect(isRedisTrouble(error)).toBe(true);
    expect(isRedisUnavailable(error)).toBe(false);
    expect(errorLine(error).advice).toBeUndefined();
    fromRedis(error);
    expect(isRedisUnavailable(error)).toBe(true);
    if (advice) expect(errorLine(error).advice).toMatch(advice);
  });

  test("a wrong command is none", () => {
    expect(isRedisTrouble(new Error("WRONGTYPE Operation against a key holding the wrong kind of value"))).toBe(false);
    expect(isRedisTrouble(new Error("ERR Custom Id cannot contain :"))).toBe(false);
  });
});

test.for<[string, RedisAddress, RegExp]>([
  [
    "no sentinel answers",
    { sentinels: [{ host: "127.0.0.1", port: 1 }], master: "x", isEncrypted: false },
    /unreachable/,
  ],
  ["no server of a cluster answers", { nodes: [{ host: "127.0.0.1", port: 1 }], isEncrypted: false }, /slots cache/],
])("a connection that connects once is given up when %s", async ([, address, reason]) => {
  await expect(connectOnce(address)).rejects.toThrow(reason);
});

test("a server that is no cluster is named as that", async () => {
  const { hostname: host, port } = new URL(redis.url);
  const error = await connectOnce({ nodes: [{ host, port: Number(port) }], isEncrypted: false }).catch(
    (reason: unknown) => reason,
  );
  expect(errorLine(fromRedis(error as Error)).advice).toMatch(/not a cluster: set REDIS_URL/);
});

test("keys of one server stay as they were, so that a rolling deploy finds its jobs", () => {
  expect(queuePrefix({ isCluster: false }, "jobs", "mail")).toBe("jobs");
  expect(queuePrefix({ isCluster: true }, "jobs", "mail")).toBe("{jobs:mail}");
});
