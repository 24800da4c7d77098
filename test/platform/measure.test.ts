import { once } from "node:events";
import { Registry } from "prom-client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createLogger } from "../../src/platform/logger.ts";
import { measureRedis } from "../../src/platform/measure.ts";
import { mastersOf, producerConnection, type RedisConnection } from "../../src/platform/redis.ts";
import { redisAddress } from "../support/redis.ts";

const registry = new Registry();
let connection: RedisConnection;
beforeAll(async () => {
  connection = producerConnection(redisAddress, createLogger("silent", "test"));
  await once(connection, "ready");
  measureRedis(registry, connection);
});
afterAll(() => connection.disconnect());

const valuesOf = async (name: string) =>
  (await registry.getSingleMetric(name)?.get())?.values.map(({ value }) => value);

test("the fullest master and the worst policy of the masters are measured", async () => {
  const used = await Promise.all(
    mastersOf(connection).map(async (server) => Number(/^used_memory:(\d+)/m.exec(await server.info("memory"))?.[1])),
  );
  const [ratio = 0] = (await valuesOf("jobs_redis_memory_used_ratio")) ?? [];
  const [memory = 0] = await Promise.all(
    mastersOf(connection).map(async (server) =>
      Number(/^total_system_memory:(\d+)/m.exec(await server.info("memory"))?.[1]),
    ),
  );
  // Other tests of this server go on meanwhile.
  expect(ratio).toBeGreaterThan((0.2 * Math.max(...used)) / memory);
  expect(ratio).toBeLessThan(1);
  expect(await valuesOf("jobs_redis_eviction_policy_ok")).toEqual([1]);
  expect(await valuesOf("jobs_redis_up")).toEqual([1]);
});

test("nothing but the outage is measured while Redis is unavailable", async () => {
  connection.disconnect();
  await expect.poll(() => valuesOf("jobs_redis_up")).toEqual([0]);
  expect(await valuesOf("jobs_redis_memory_used_ratio")).toEqual([]);
});
