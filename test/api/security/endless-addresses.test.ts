import type { ServerResponse } from "node:http";
import { describe, expect, test, vi } from "vitest";
import { createResponseCache } from "../../../src/api/http/response-cache.ts";
import type { ApiContext } from "../../../src/api/http/types.ts";
import { routes } from "../../../src/api/routes/index.ts";
import { openCache } from "../../../src/platform/cache.ts";
import { createLogger } from "../../../src/platform/logger.ts";
import { createMetrics } from "../../../src/platform/metrics.ts";
import { redisAddress } from "../../support/redis.ts";

/** Something that keeps what callers have asked for, by an address of their choice. */
interface Store {
  keep: (address: string) => unknown;
  has: (address: string) => boolean;
}

const tiny = { bytes: Buffer.from('{"count":1}'), etag: '"x"', isFresh: () => true };

/** Ready answers of one route, asked for by the server's own functions. */
function responseCacheHits(path: string): Store {
  const answers = createResponseCache(0);
  const context = { metrics: createMetrics(), isExempt: () => true } as unknown as ApiContext;
  const route = routes.find((one) => one.path === path && one.method === "get") as (typeof routes)[number];
  const requestOf = (url: string) => ({ method: "GET", url, originalUrl: url, headers: {}, socket: {} }) as never;
  const res = { getHeaders: () => ({}), writeHead: () => res, end: () => res } as unknown as ServerResponse;
  return {
    keep: (address) =>
      answers.keep(context, requestOf(`${path}?${address}`), res, route, { status: 200, cached: tiny }),
    has: (address) => answers.serve(context, requestOf(`${path}?${address}`), res),
  };
}

async function cache(): Promise<Store> {
  const prefix = `endless-${process.pid}`;
  const one = openCache(redisAddress, { prefix, log: createLogger("silent", "test") });
  await vi.waitFor(async () => expect((await one.read("probe", "x", async () => 1)).isFresh()).toBe(true), 10_000);
  return {
    keep: (address) => one.read("t", address, async () => 1),
    has: (address) => Boolean(one.peek("t", address)),
  };
}

const kept = routes.filter((route) => route.cache === "public").map(({ path }) => path);

describe("of endlessly many addresses that answer next to nothing", () => {
  test.each([
    ...[...new Set(kept)].map((path) => [`ready answers of ${path}`, () => responseCacheHits(path)] as const),
    ["the cache", cache] as const,
  ])("%s keep the last thousand at most", async (_name, open) => {
    const store = await open();
    const addresses = Array.from({ length: 3_000 }, (_, n) => `n=${n}`);
    await Promise.all(addresses.map(store.keep));
    const left = addresses.filter(store.has);
    expect(left.length).toBeLessThanOrEqual(1_000);
    expect(left.at(-1)).toBe("n=2999");
  });
});
