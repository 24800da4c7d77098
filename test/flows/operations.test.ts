import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { freePort } from "../../dev/services/service.ts";
import { queueNames } from "../../src/jobs/queues.ts";
import { useApi } from "../support/api.ts";
import { useApiProcesses } from "../support/api-process.ts";
import { expressions, metricsOf } from "../support/observability.ts";
import { useWorkerProcesses } from "../support/worker-process.ts";

const api = useApi({ relay: false });
const apis = useApiProcesses(api);
const workers = useWorkerProcesses(api);
const ops = { api: "", worker: "" };

beforeAll(async () => {
  const start = async (begin: (env: Record<string, string>) => Promise<unknown>) => {
    const port = String(await freePort());
    await begin({ OPS_PORT: port });
    return `http://127.0.0.1:${port}`;
  };
  [ops.api, ops.worker] = await Promise.all([start(apis.start), start(workers.start)]);
});

async function get(url: string) {
  const res = await fetch(url);
  const text = await res.text();
  return { status: res.status, text, body: text.startsWith("{") ? JSON.parse(text) : undefined };
}

/** Names of the metrics that a process exposes, as its HELP lines have them. */
const exposed = async (base: string) =>
  Array.from((await get(`${base}/metrics`)).text.matchAll(/^# HELP (\S+)/gm), ([, name = ""]) => name);

describe("running processes", () => {
  test("live and are ready, and say how each dependency is", async () => {
    const show = (url: string, checks: Record<string, string>) =>
      // A busy machine can make one probe of a dependency too slow.
      vi.waitFor(async () => expect(await get(url)).toMatchObject({ status: 200, body: { checks } }), 60_000);
    await show(`${ops.api}/livez`, { "event loop": "ok" });
    await show(`${ops.worker}/livez`, { "fetch images": "ok" });
    await show(`${ops.api}/readyz`, { postgres: "ok", redis: "ok", s3: "ok", schema: "ok", process: "ok" });
    await show(`${ops.worker}/readyz`, { jobs: "ok", postgres: "ok", redis: "ok", s3: "ok" });
  });

  test.each(queueNames)("say the same of how many workers %s needs", async (queue) => {
    const answers = await Promise.all([ops.api, ops.worker].map((base) => get(`${base}/desired-workers/${queue}`)));
    const [one, other] = answers.map(({ body }) => body.desiredWorkers as number);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(Number.isInteger(one)).toBe(true);
    expect(one).toBe(other);
  });

  test("count the workers that live", async () => {
    await vi.waitFor(
      async () => expect((await get(`${ops.api}/desired-workers/images`)).body.inputs.workers).toBe(1),
      10_000,
    );
    expect((await get(`${ops.api}/metrics`)).text).toContain('jobs_queue_workers{queue="images"} 1');
  });

  test("expose the metrics that docs/metrics.md has, and no others of ours", async () => {
    const known = new Set([...(await exposed(ops.api)), ...(await exposed(ops.worker))]);
    const ours = [...known].filter((name) => /^(jobs|http|cache|db)_/.test(name));
    const documented = Array.from(
      readFileSync("docs/metrics.md", "utf8").matchAll(/^\| `([a-z][a-z0-9_]+)`/gm),
      ([, name = ""]) => name,
    );
    expect(documented.filter((name) => !known.has(name))).toEqual([]);
    expect(ours.filter((name) => !documented.includes(name))).toEqual([]);
  });

  test("expose every metric that alerts and dashboards ask for", async () => {
    const known = new Set([...(await exposed(ops.api)), ...(await exposed(ops.worker))]);
    const asked = new Set(expressions().flatMap(metricsOf));
    expect(asked.size).toBeGreaterThan(25);
    const missing = [...asked].filter(
      (name) => !known.has(name) && !known.has(name.replace(/_(bucket|count|sum)$/, "")),
    );
    expect(missing).toEqual([]);
  });

  test("a database behind the code is named by readiness, and a restart would not mend it", async () => {
    await api.db.query("UPDATE migrations SET name = 'x' || name WHERE name LIKE 'Timeline%'");
    await vi.waitFor(async () => {
      const { status, body } = await get(`${ops.api}/readyz`);
      expect([status, body.checks.schema]).toEqual([503, expect.stringMatching(/^migrate first: Timeline\d+$/)]);
    }, 10_000);
    expect((await get(`${ops.api}/livez`)).status).toBe(200);
    await api.db.query("UPDATE migrations SET name = substr(name, 2) WHERE name LIKE 'xTimeline%'");
  });
});
