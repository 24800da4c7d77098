import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { afterAll, beforeAll, inject } from "vitest";
import { startRedis } from "../../dev/services/redis.ts";
import { freePort, type Service } from "../../dev/services/service.ts";
import { startWatchdog } from "../../dev/services/watchdog.ts";

/** The Redis that all test files share: keep to `queuePrefix`, and never flush it. */
export const redisAddress = inject("redisAddress");

/** Settings of a process that uses it. */
export const redisEnv = inject("redisEnv");

/** First part of all keys of this test file. */
export const queuePrefix = `test-${randomUUID()}`;

/** A Redis of this test file alone, which may be stopped and started again: its data and port stay. */
export function useOwnRedis() {
  const dataDirectory = join(inject("directory"), `redis-${randomUUID()}`);
  const watchdog = startWatchdog();
  let running: Service | undefined;
  const redis = {
    url: "",
    async start() {
      const port = Number(new URL(redis.url).port);
      running = await startRedis({
        dataDirectory,
        binaryDirectory: "node_modules/.cache/tcf-backend/redis",
        port,
        spawned: (pid) => watchdog.watch({ services: [pid] }),
      });
    },
    async stop() {
      await running?.stop();
    },
  };
  beforeAll(async () => {
    redis.url = `redis://127.0.0.1:${await freePort()}`;
    await redis.start();
  });
  // The watchdog stays: a test that ran out of time may still be starting one.
  afterAll(() => redis.stop());
  return redis;
}
