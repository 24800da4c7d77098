import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { ruleNames, unpermitted } from "../../src/config/unsafe.ts";
import { environment } from "../../src/config.ts";
import { queueNames } from "../../src/jobs/queues.ts";
import { render, useChart } from "../support/helm.ts";
import { harmless, unsafeCases } from "../support/unsafe-settings.ts";

// The rules of src/config/unsafe.ts through the chart, with the examples that the program is tried with.

const required = "test/helm/required.yaml";
const settable = Object.keys(parse(readFileSync("helm/values.yaml", "utf8")).config);
const isSettable = ({ settings }: { settings: Record<string, string> }) =>
  Object.keys(settings).every((name) => settable.includes(name) || name === "PAYMENT_WEBHOOK_SECRET");

/** Each way that a value comes to a pod, and what reads it there. */
const ways: Record<string, (keyof typeof environment)[]> = {
  config: ["api", "worker"],
  "api.config": ["api"],
  "workerDefaults.config": ["worker"],
  "workers.mail.config": ["worker"],
  "workers.sales.config": ["worker"],
};
/** A pool of one's own, in place of the one for webhooks. */
const sales = ['workers.sales.queues=["webhooks"]', "workers.webhooks.enabled=false"];

const cases = ruleNames.flatMap((rule) =>
  unsafeCases[rule]
    .filter(isSettable)
    .map(({ settings: { PAYMENT_WEBHOOK_SECRET: _, ...settings } }) => ({ rule, settings })),
);
/** Each rule by each way, and each further example of it by one. */
const firsts = cases.filter(({ rule }, at) => rule !== cases[at - 1]?.rule);
const pairs = [
  ...firsts.flatMap((one) => Object.keys(ways).map((way) => ({ way, ...one }))),
  ...cases.filter((one) => !firsts.includes(one)).map((one) => ({ way: "config", ...one })),
];
const isRead = (way: string, settings: object) =>
  ways[way]?.some((kind) => Object.keys(settings).every((name) => name in environment[kind].shape)) ?? false;
const setsOf = (way: string, settings: object) => [
  ...sales,
  ...Object.entries(settings).map(([name, value]) => `${way}.${name}=${JSON.stringify(value)}`),
];
const saidOf = (...sets: string[]) =>
  render([required], ...sets).then(
    () => "",
    (error: unknown) => String(error),
  );

useChart();

describe("the chart refuses", () => {
  it.each(pairs)("$rule by $way: $settings", async ({ way, rule, settings }) => {
    const said = await saidOf(...setsOf(way, settings));
    // What no pod would read there is refused for that.
    expect(said).toContain(isRead(way, settings) ? `[${rule}]` : "has no effect");
  });

  it.each(firsts)("$rule in staging: $settings", async ({ rule, settings }) => {
    expect(await saidOf('environment="staging"', ...setsOf("config", settings))).toContain(`[${rule}]`);
  });
});

describe("the chart in production", () => {
  const read = firsts
    .flatMap((one) => Object.keys(ways).map((way) => ({ way, ...one })))
    .filter(({ way, settings }) => isRead(way, settings));

  it.each(read.filter(({ rule }) => !unpermitted.includes(rule)))(
    "takes $rule by $way where it is allowed there: $settings",
    async ({ way, rule, settings }) => {
      expect(await saidOf(...setsOf(way, { ...settings, ALLOW_UNSAFE: `private-webhooks, ${rule}` }))).toBe("");
    },
  );

  it.each(read.filter(({ rule }) => unpermitted.includes(rule)))(
    "refuses $rule by $way also where it is allowed",
    async (one) => {
      const said = await saidOf(...setsOf(one.way, { ...one.settings, ALLOW_UNSAFE: one.rule }));
      expect(said).toContain(`[${one.rule}]`);
    },
  );

  it("says which pods a wrong value comes to", async () => {
    const said = await saidOf('workerDefaults.config.SMTP_SECURITY="none"', 'workers.mail.config.SMTP_SECURITY="tls"');
    const others = queueNames.filter((queue) => queue !== "mail").sort();
    expect(said).toContain(`[plain-mail], in ${others.map((queue) => `workers.${queue}`).join(", ")}\n`);
  });

  it("lets a pod put right what all others have, also by an empty value", async () => {
    const sets = ["config.RATE_LIMIT_USER=0", 'config.DEMO_TOKENS_URL="https://demo.example"'];
    expect(await saidOf(...sets)).toContain("[no-limits]");
    expect(await saidOf(...sets, "api.config.RATE_LIMIT_USER=5", 'api.config.DEMO_TOKENS_URL=""')).toBe("");
  });

  it("refuses a sender that is not set", async () => {
    expect(await saidOf('config.SMTP_FROM=""')).toContain("[default-sender]");
  });

  it("refuses to allow what is no rule", async () => {
    expect(await saidOf('config.ALLOW_UNSAFE="plain-s4"')).toContain("ALLOW_UNSAFE names 'plain-s4', which is no rule");
  });

  it("knows the rules of the program, each by its name", async () => {
    const said = await saidOf('config.ALLOW_UNSAFE="x"');
    expect(/there are (.+), in api/.exec(said)?.[1]?.split(", ")).toEqual(ruleNames);
  });

  it("leaves to the program only what a Secret holds", () => {
    const tried = new Set(cases.map(({ rule }) => rule));
    const untried = ruleNames.filter((rule) => !tried.has(rule));
    expect(untried).toEqual(["published-secrets", "weak-secrets", "plain-postgres"]);
    for (const rule of untried)
      for (const { settings } of unsafeCases[rule])
        expect(Object.keys(settings).filter((name) => !settable.includes(name))).not.toEqual([]);
  });

  it("takes what the program takes", async () => {
    for (const { process, settings } of harmless.filter(isSettable)) {
      const way = process === "api" ? "api.config" : "workers.mail.config";
      expect([settings, await saidOf(...setsOf(way, settings))]).toEqual([settings, ""]);
    }
  });
});

it.each(firsts)("the chart for a laptop takes $rule: $settings", async ({ settings }) => {
  expect(await saidOf('environment="local"', ...setsOf("config", settings))).toBe("");
});
