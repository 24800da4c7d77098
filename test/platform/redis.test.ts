import { once } from "node:events";
import { afterEach, expect, test } from "vitest";
import type { Log } from "../../src/platform/logger.ts";
import { producerConnection, type RedisConnection, warnOfEviction } from "../../src/platform/redis.ts";
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
  warnOfEviction(connection, log);
  connections.push(setting, connection);
  await once(connection, "ready");
  // Answers come in the order of the questions: after this one, the policy was looked at.
  await connection.ping();
  return said;
}

test("a Redis that evicts is complained about, with what to do", async () => {
  const [complaint] = await complaintsAbout("allkeys-lru");
  expect(complaint).toEqual([
    { policy: "allkeys-lru" },
    expect.stringContaining("set its maxmemory-policy to noeviction"),
  ]);
});

test("a Redis that refuses instead is not", async () => {
  expect(await complaintsAbout("noeviction")).toEqual([]);
});
