import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { annotate, startTracing, traced, traceIdOf } from "../../src/platform/tracing.ts";

const about = { service: "tcf-test", version: "1.2.3", ratio: 1 };
let collector: Server | undefined;
afterEach(() => void collector?.close());

async function startCollector() {
  const got: { path: string | undefined; headers: IncomingMessage["headers"]; body: string }[] = [];
  const server = createServer(async (req, res) => {
    let body = "";
    for await (const chunk of req) body += chunk;
    got.push({ path: req.url, headers: req.headers, body });
    res.end("{}");
  });
  collector = server;
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return { got, endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

describe("tracing", () => {
  test("hands spans to a collector before it ends, with its headers and the id of the request", async () => {
    const { got, endpoint } = await startCollector();
    const tracing = startTracing({ ...about, endpoint, headers: { authorization: "Bearer x" } });
    const request = "6f1d2a3b-4c5d-4e6f-8a9b-0c1d2e3f4a5b";
    await traced("GET /things", { kind: "server", place: { begins: request } }, async () => {
      annotate({ "http.response.status_code": 200 });
      await traced("S3 GetObject", { kind: "client" }, async () => undefined);
    });
    await tracing.close();
    expect(got.map(({ path }) => path)).toEqual(["/v1/traces"]);
    expect(got[0]?.headers.authorization).toBe("Bearer x");
    const [{ resource, scopeSpans }] = JSON.parse(got[0]?.body ?? "").resourceSpans;
    expect(JSON.stringify(resource)).toContain("tcf-test");
    const { spans } = scopeSpans[0];
    const named = (name: string) => spans.find((span: { name: string }) => span.name === name);
    expect(named("GET /things").traceId).toBe(request.replaceAll("-", ""));
    expect(named("S3 GetObject")).toMatchObject({
      traceId: named("GET /things").traceId,
      parentSpanId: named("GET /things").spanId,
    });
  });

  test("is no concern of the work: a collector that is unavailable changes no result and no error", async () => {
    const tracing = startTracing({ ...about, endpoint: "http://127.0.0.1:9" });
    expect(await traced("fine", {}, async () => 7)).toBe(7);
    await expect(traced("bad", {}, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    await tracing.close();
    expect(await traced("after its end", {}, async () => 8)).toBe(8);
  });

  test("keeps the share that was asked for, and decides alike everywhere", async () => {
    const { got, endpoint } = await startCollector();
    const none = startTracing({ ...about, endpoint, ratio: 0 });
    await traced("left out", { place: { begins: "some-request" } }, async () => undefined);
    await none.close();
    expect(got).toEqual([]);
  });

  test.each([
    ["a UUID", "6F1D2A3B-4C5D-4E6F-8A9B-0C1D2E3F4A5B", "6f1d2a3b4c5d4e6f8a9b0c1d2e3f4a5b"],
    ["an id that a caller has chosen", "order-4711", expect.stringMatching(/^[0-9a-f]{32}$/)],
    ["zeros, which are no id", "00000000-0000-0000-0000-000000000000", expect.not.stringMatching(/^0{16}/)],
  ])("finds the trace of %s", (_what, id, expected) => {
    expect(traceIdOf(id)).toEqual(expected);
  });
});
