import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test, vi } from "vitest";
import { openCache } from "../../src/platform/cache.ts";
import { createLogger } from "../../src/platform/logger.ts";
import { queuePrefix, useOwnRedis } from "../support/redis.ts";

describe("the cache", () => {
  const redis = useOwnRedis();
  const log = createLogger("silent", "test");
  const open: { close(): void }[] = [];
  afterEach(() => {
    for (const one of open.splice(0)) one.close();
  });

  /** A cache as one process has it. */
  async function process() {
    const sources: string[] = [];
    const count = (source: string) => sources.push(source);
    const cache = openCache(redis.url, { prefix: queuePrefix, log, count });
    open.push(cache);
    await vi.waitFor(async () => {
      await cache.read("probe", "x", async () => 1);
      expect(sources.at(-1)).toBe("local");
    }, 10_000);
    sources.length = 0;
    return { ...cache, sources };
  }

  const value = (n: number) => async () => ({ n });

  test("loads once for many callers at once, then answers from memory, and other processes from Redis", async () => {
    const [a, b] = [await process(), await process()];
    const load = vi.fn(async () => sleep(30, { n: 1 }));
    const answers = await Promise.all(Array.from({ length: 500 }, () => a.read("t1", "k", load)));
    expect(load).toHaveBeenCalledTimes(1);
    expect(new Set(answers.map(({ bytes }) => bytes.toString()))).toEqual(new Set(['{"n":1}']));
    await a.read("t1", "k", load);
    expect(a.sources).toEqual(["load", "local"]);
    const { bytes, etag } = await b.read("t1", "k", value(2));
    expect({ bytes, etag }).toEqual({ bytes: answers[0]?.bytes, etag: answers[0]?.etag });
    expect(b.sources).toEqual(["redis"]);
  });

  test("shows a change in every process", async () => {
    const [a, b] = [await process(), await process()];
    for (const cache of [a, b]) await cache.read("t2", "k", value(1));
    await a.invalidate("t2");
    await vi.waitFor(async () => expect((await b.read("t2", "k", value(2))).bytes.toString()).toBe('{"n":2}'), {
      timeout: 5_000,
      interval: 5,
    });
    expect((await a.read("t2", "k", value(3))).bytes.toString()).toBe('{"n":2}');
  });

  test("in the process that changes something, the change shows before Redis has answered", async () => {
    const a = await process();
    await a.read("t3", "k", value(1));
    const told = a.invalidate("t3");
    expect((await a.read("t3", "k", value(2))).bytes.toString()).toBe('{"n":2}');
    await told;
  });

  test("a loader that began before a change cannot bring the old value back", async () => {
    const [a, b] = [await process(), await process()];
    const slow = a.read("t4", "k", async () => sleep(80, { n: "old" }));
    await sleep(20);
    await b.invalidate("t4");
    await slow;
    await vi.waitFor(async () => expect((await a.read("t4", "k", value(2))).bytes.toString()).toBe('{"n":2}'), 5_000);
    expect((await b.read("t4", "k", value(3))).bytes.toString()).toBe('{"n":2}');
  });

  test("a failing loader fails its callers and is asked again", async () => {
    const a = await process();
    await expect(a.read("t5", "k", () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect((await a.read("t5", "k", value(1))).bytes.toString()).toBe('{"n":1}');
  });

  test("without Redis everything is loaded, changes show at once, and are told when Redis is back", async () => {
    const [a, b] = [await process(), await process()];
    for (const cache of [a, b]) await cache.read("t6", "k", value(1));
    await redis.stop();
    await vi.waitFor(async () => expect((await b.read("t6", "k", value(2))).bytes.toString()).toBe('{"n":2}'), 10_000);
    await a.invalidate("t6");
    expect((await a.read("t6", "k", value(3))).bytes.toString()).toBe('{"n":3}');
    await redis.start();
    await vi.waitFor(async () => {
      const told = await a.read("t6", "k", value(4));
      expect((await b.read("t6", "k", value(5))).etag).toBe(told.etag);
      expect(told.bytes.toString()).not.toBe('{"n":1}');
    }, 10_000);
  });

  test("a process puts no more into Redis than it keeps itself, however much is asked for", async () => {
    const [a, b] = [await process(), await process()];
    const page = "x".repeat(1024 * 1024);
    const names = Array.from({ length: 40 }, (_, n) => `page ${n}`);
    for (const one of [a, b]) {
      for (const name of names)
        expect((await one.read("t7", name, async () => page)).bytes.length).toBe(page.length + 2);
    }
    expect(a.sources).toEqual(names.map(() => "load"));
    expect(b.sources).toEqual(names.map((_, n) => (n < 23 ? "redis" : "load")));
  });
});
