import { join } from "node:path";
import { Redis } from "ioredis";
import { afterAll, expect, inject, test } from "vitest";
import { startRedis } from "../../dev/services/redis.ts";
import type { Service } from "../../dev/services/service.ts";
import { startWatchdog } from "../../dev/services/watchdog.ts";

const options = {
  dataDirectory: join(inject("directory"), "redis-test"),
  binaryDirectory: "node_modules/.cache/tcf-backend/redis",
};
const watchdog = startWatchdog();
const started: Service[] = [];

async function start() {
  const service = await startRedis(options);
  started.push(service);
  watchdog.watch({ services: started.map(({ pid }) => pid) });
  return service;
}

afterAll(async () => {
  await Promise.all(started.map(({ stop }) => stop()));
  await watchdog.release();
});

test("keeps its data, evicts nothing, and replaces a server that a killed supervisor has left on them", async () => {
  const left = await start();
  const before = new Redis(left.url);
  await before.set("kept", "yes");
  before.disconnect();
  const next = await start();
  expect(await left.exited).toBe("exit code 0");
  const after = new Redis(next.url);
  expect(await after.get("kept")).toBe("yes");
  expect(await after.config("GET", "maxmemory-policy")).toEqual(["maxmemory-policy", "noeviction"]);
  after.disconnect();
});
