import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { Category } from "../../../src/db/entities/catalogue/category.ts";
import { dropCatalogue } from "../../../src/platform/cache-tags.ts";
import { type Answer, call, useApi } from "../../support/api.ts";

const page = "https://shop.example";
const api = useApi({
  relay: false,
  corsOrigins: [page],
  trustProxy: 1,
  limits: { anonymous: { points: 4, seconds: 60 } },
});

beforeAll(async () => {
  await api.db.manager.insert(Category, { name: "Первая", slug: "pervaia" } as never);
  // The cache keeps nothing before it hears of changes.
  await vi.waitFor(async () => {
    expect((await api.context.cache.read("probe", "x", async () => 1)).isFresh()).toBe(true);
  }, 10_000);
});

let client = 0;
/** A client of its own for each test, since they are counted. */
const newClient = () => `192.0.2.${++client}`;
const get = (address: string, init: RequestInit = {}, path = "/categories") =>
  call(api.url + path, { ...init, headers: { "x-forwarded-for": address, ...init.headers } });

/** Asks until the answer lies ready, and gives the last two: one that Express made and one from memory. */
async function bothWays(path = `/categories?size=300&nonce=${randomUUID()}`) {
  const express = await get(newClient(), {}, path);
  return { path, express, ready: await get(newClient(), {}, path) };
}

async function servedFromMemory<T>(work: () => Promise<T>) {
  const serve = vi.spyOn(api.context.answers, "serve");
  try {
    const result = await work();
    return { result, answers: serve.mock.results.map(({ value }) => value) };
  } finally {
    serve.mockRestore();
  }
}

const comparable = ({ status, text, headers }: Answer) => {
  const own = ["date", "x-request-id", "ratelimit", "transfer-encoding", "content-length", "connection", "keep-alive"];
  return {
    status,
    text,
    headers: [...headers].filter(([name]) => !own.includes(name) && !name.startsWith("access-")).sort(),
  };
};

describe("an answer that lies ready", () => {
  test("is the one that Express gives, with a request id and a standing of its own", async () => {
    const { result, answers } = await servedFromMemory(bothWays);
    expect(answers).toEqual([false, true]);
    const { express, ready } = result;
    expect(comparable(ready)).toEqual(comparable(express));
    expect(ready.headers.get("x-request-id")).toMatch(/^[\w-]{36}$/);
    expect(ready.headers.get("x-request-id")).not.toBe(express.headers.get("x-request-id"));
    expect(ready.headers.get("ratelimit")).toMatch(/^"anonymous";r=3;t=\d+$/);
    expect(Number(ready.headers.get("content-length"))).toBe(Buffer.byteLength(ready.text));
  });

  test("keeps the request id of the caller and is 304 for a client that has it", async () => {
    const { path, ready } = await bothWays();
    const headers = { "x-request-id": "caller-0001", "if-none-match": `"x", W/${ready.headers.get("etag")}` };
    const { result, answers } = await servedFromMemory(() => get(newClient(), { headers }, path));
    expect(answers).toEqual([true]);
    expect([result.status, result.text, result.headers.get("x-request-id")]).toEqual([304, "", "caller-0001"]);
    expect(result.headers.get("etag")).toBe(ready.headers.get("etag"));
  });

  test("is gone with the change that makes it stale", async () => {
    const { path } = await bothWays();
    await api.db.manager.insert(Category, { name: "Новая", slug: "novaia" } as never);
    void dropCatalogue(api.context.cache, "category");
    const { result, answers } = await servedFromMemory(() => get(newClient(), {}, path));
    expect(answers).toEqual([false]);
    expect(result.body.items.map(({ name }) => name)).toContain("Новая");
  });

  test("is not used for another method, another site, or a client that has asked too often", async () => {
    const { path } = await bothWays();
    const { answers } = await servedFromMemory(async () => {
      await get(newClient(), { method: "POST" }, path);
      const foreign = await get(newClient(), { headers: { origin: page } }, path);
      expect(foreign.headers.get("access-control-allow-origin")).toBe(page);
      const often = newClient();
      const statuses = [];
      for (let turn = 0; turn < 5; turn++) statuses.push((await get(often, {}, path)).status);
      expect(statuses).toEqual([200, 200, 200, 200, 429]);
    });
    expect(answers).toEqual([false, false, true, true, true, true, false]);
  });

  test("is counted like any other", async () => {
    const { path } = await bothWays();
    await get(newClient(), {}, path);
    const text = await api.context.metrics.registry.metrics();
    expect(text).toMatch(/http_request_duration_seconds_count\{method="GET",route="\/categories",status="200"\} \d/);
    expect(text).toMatch(/http_response_cache_hits_total\{route="\/categories",status="200"\} [1-9]/);
  });
});
