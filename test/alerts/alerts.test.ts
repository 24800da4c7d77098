import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { alertRules, expressions, metricsOf, panels } from "../support/observability.ts";

const pages = readdirSync("docs/runbook").filter((name) => name !== "README.md");
const rules = alertRules();

describe("alerts", () => {
  test.each(rules.map((rule) => [rule.alert, rule] as const))(
    "%s says what is wrong, how bad, and what to do",
    (_name, rule) => {
      expect(["page", "ticket", "info"]).toContain(rule.labels.severity);
      expect(rule.annotations.summary).toBeTruthy();
      expect(rule.annotations.description).toBeTruthy();
      const page = /^docs\/runbook\/([a-z-]+\.md)$/.exec(rule.annotations.runbook_url ?? "")?.[1];
      expect(pages).toContain(page);
      expect(readFileSync(`docs/runbook/${page}`, "utf8")).toMatch(new RegExp(`^# ${rule.alert}\n`));
    },
  );

  test("have names of their own, and each is tried by promtool", () => {
    const names = rules.map(({ alert }) => alert);
    expect(new Set(names).size).toBe(names.length);
    const tested = new Set(
      Array.from(readFileSync("test/alerts/jobs.test.yaml", "utf8").matchAll(/alertname: (\w+)/g), ([, name]) => name),
    );
    expect(names.filter((name) => !tested.has(name))).toEqual([]);
  });

  test("are listed in the runbook with their severity", () => {
    const list = readFileSync("docs/runbook/README.md", "utf8");
    for (const { alert, labels } of rules)
      expect(list).toMatch(new RegExp(`\\| \\[${alert}\\]\\([a-z-]+\\.md\\) \\| ${labels.severity} \\|`));
    for (const page of pages) expect(list).toContain(`(${page})`);
  });
});

describe("the runbook", () => {
  test.each(pages)("%s leads to no page that does not exist", (page) => {
    const links = Array.from(
      readFileSync(`docs/runbook/${page}`, "utf8").matchAll(/\]\(([^)]+)\)/g),
      ([, link]) => link,
    );
    expect(links.filter((link) => !existsSync(join("docs/runbook", String(link))))).toEqual([]);
  });
});

test("what the runbook looks for in logs is what the code says there", () => {
  const code = readdirSync("src", { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"))
    .join("\n");
  const sought = pages.flatMap((page) =>
    Array.from(readFileSync(`docs/runbook/${page}`, "utf8").matchAll(/logs .*grep "([^"]+)"/g), ([, text]) => text),
  );
  expect(sought.length).toBeGreaterThan(0);
  expect(sought.filter((text) => !code.includes(String(text)))).toEqual([]);
});

describe("dashboards", () => {
  test.each(panels().map((panel) => [`${panel.dashboard}: ${panel.title}`, panel] as const))(
    "%s asks the data source that was chosen, in PromQL",
    (_name, panel) => {
      expect(panel.datasources.filter((uid) => !/^\$\{datasource\}$/.test(uid))).toEqual([]);
      for (const expr of panel.expressions) expect(metricsOf(expr).length, expr).toBeGreaterThan(0);
    },
  );

  test("keep names and ids apart", () => {
    const keys = panels().map(({ dashboard, id }) => `${dashboard} ${id}`);
    expect(new Set(keys).size).toBe(keys.length);
  });
});

test("an expression that is no PromQL is refused", () => {
  expect(expressions().length).toBeGreaterThan(60);
  expect(() => metricsOf("sum by (queue (jobs_queue_jobs)")).toThrow("sum by (queue");
});
