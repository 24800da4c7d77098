import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { queueNames } from "../../src/jobs/queues.ts";
import { createLogger } from "../../src/platform/logger.ts";
import { createMetrics } from "../../src/platform/metrics.ts";
import { type OpsOptions, startOpsServer } from "../../src/platform/ops-server.ts";
import { askProbes, ProbeError } from "../../src/platform/probes.ts";

const state = { liveness: {} as Record<string, string>, probe: async (): Promise<void> => {} };
const explain = vi.fn<OpsOptions["explain"]>();
let base = "";
let close = () => {};

beforeAll(async () => {
  const server = await startOpsServer({
    host: "127.0.0.1",
    port: 0,
    metrics: createMetrics(),
    log: createLogger("silent", "test"),
    liveness: () => state.liveness,
    readiness: {
      checks: () => askProbes({ postgres: () => state.probe(), s3: () => Promise.reject(new Error("secret")) })(),
      required: ["postgres"],
    },
    queues: queueNames,
    explain,
    token: "a-token-of-the-autoscaler",
  });
  base = `http://127.0.0.1:${server.port}`;
  close = server.close;
});
afterAll(() => close());

async function get(path: string, init: RequestInit = {}) {
  const res = await fetch(`${base}${path}`, init);
  const text = await res.text();
  return { status: res.status, text, body: text.startsWith("{") ? JSON.parse(text) : undefined, headers: res.headers };
}

const bearer = { headers: { authorization: "Bearer a-token-of-the-autoscaler" } };

describe("the ops port", () => {
  test("says that the process lives, or what is wrong with it", async () => {
    state.liveness = { "fetch mail": "ok" };
    expect(await get("/livez")).toMatchObject({ status: 200, body: { checks: { "event loop": "ok" } } });
    state.liveness = { "fetch mail": "the loop has ended" };
    expect(await get("/livez")).toMatchObject({
      status: 503,
      body: { checks: { "fetch mail": "the loop has ended" } },
    });
    expect((await get("/-/health-checks/liveness")).status).toBe(503);
  });

  test("says which dependency it is not ready for, and lets only those decide that it cannot do without", async () => {
    const checks = { postgres: "ok", s3: "cannot be reached" };
    expect(await get("/readyz")).toMatchObject({ status: 200, body: { checks } });
    expect(await get("/readyz?require=s3")).toMatchObject({ status: 503, body: { detail: "Not ready: s3", checks } });
    state.probe = async () => {
      throw new ProbeError("migrate first");
    };
    expect(await get("/readyz")).toMatchObject({ status: 503, body: { checks: { postgres: "migrate first" } } });
    expect((await get("/readyz")).text).not.toContain("secret");
    state.probe = async () => {};
  });

  test("has metrics as Prometheus reads them", async () => {
    const { status, text, headers } = await get("/metrics");
    expect([status, headers.get("content-type")]).toEqual([200, expect.stringContaining("text/plain")]);
    expect(text).toContain("# TYPE cache_reads_total counter");
  });

  test("says to who has the token how many workers a queue needs", async () => {
    explain.mockResolvedValue({ queue: "mail", desiredWorkers: 3 } as never);
    expect(await get("/desired-workers/mail", bearer)).toMatchObject({ status: 200, body: { desiredWorkers: 3 } });
    expect((await get("/desired-workers/mail")).status).toBe(401);
    expect((await get("/desired-workers/mail", { headers: { authorization: "Bearer wrong" } })).status).toBe(401);
    expect(explain).toHaveBeenCalledTimes(1);
  });

  test("never says 0 for an unknown number", async () => {
    explain.mockRejectedValue(new Error("Redis is unavailable"));
    const { status, body, headers } = await get("/desired-workers/mail", bearer);
    expect([status, headers.get("retry-after")]).toEqual([503, "5"]);
    expect(body).not.toHaveProperty("desiredWorkers");
  });

  test("gives up in time when Redis or Postgres is silent", async () => {
    explain.mockReturnValue(new Promise(() => {}));
    expect((await get("/desired-workers/mail", bearer)).status).toBe(503);
  });

  test.each(["/desired-workers/nothing", "/desired-workers/", "/desired-workers/mail/more", "/etc/passwd"])(
    "knows nothing of %s",
    async (path) => {
      expect((await get(path, bearer)).status).toBe(404);
    },
  );

  test("takes no orders", async () => {
    expect((await get("/livez", { method: "POST" })).status).toBe(405);
  });
});
