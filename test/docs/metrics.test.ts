import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { createJobMetrics, measureOutbox, measureQueues, measureSchedules } from "../../src/engine/metrics.ts";
import { isCompletion } from "../../src/engine/run-job.ts";
import { measureMailServer, measurePool, measureRedis, measureUnmatched } from "../../src/platform/measure.ts";
import { createMetrics } from "../../src/platform/metrics.ts";
import type { RedisConnection } from "../../src/platform/redis.ts";

const page = readFileSync("docs/metrics.md", "utf8");
const rows = [...page.matchAll(/^\| (`[^|]+)\|([^|]*)\|(.*)\|$/gm)].map(([, names = "", labels = "", text = ""]) => ({
  names: [...names.matchAll(/`(\w+)`/g)].map(([, name]) => String(name)),
  labels: labels
    .split(",")
    .map((label) => label.trim())
    .filter(Boolean)
    .sort(),
  text,
}));

test("docs/metrics.md names the metrics of this code, with their labels", () => {
  const { registry } = createMetrics();
  const nothing = () => Promise.reject(new Error("not asked"));
  createJobMetrics(registry);
  measureQueues(registry, nothing);
  measureOutbox(registry, nothing);
  measureSchedules(registry, nothing);
  measureRedis(registry, {} as RedisConnection);
  measureUnmatched(registry, nothing);
  measureMailServer(registry, () => undefined);
  measurePool(registry, () => ({ busy: 0, idle: 0, waiting: 0 }));
  const real = registry.getMetricsAsArray() as unknown as { name: string; labelNames: string[] }[];
  const ours = real.filter(({ name }) => !/^(nodejs|process)_/.test(name));
  const documented = rows.flatMap(({ names, labels }) =>
    names.filter((name) => !/^(nodejs|process)_/.test(name)).map((name) => [name, labels]),
  );
  expect(Object.fromEntries(documented)).toEqual(
    Object.fromEntries(ours.map(({ name, labelNames }) => [name, [...labelNames].sort()])),
  );
});

test("docs/metrics.md and docs/engine.md name every outcome of a run", () => {
  const text = rows.find(({ names }) => names.includes("jobs_finished_total"))?.text ?? "";
  const outcomes = Object.keys(isCompletion).sort();
  expect([...text.matchAll(/`(\w+)`/g)].map(([, name]) => name).sort()).toEqual(outcomes);
  const engine = readFileSync("docs/engine.md", "utf8");
  const table = engine.slice(engine.indexOf("## Outcomes of a run"), engine.indexOf("## How a promise lives"));
  expect([...table.matchAll(/^\| `(\w+)` /gm)].map(([, name]) => name).sort()).toEqual(outcomes);
});
