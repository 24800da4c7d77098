import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { isPublished } from "../../src/config/strength.ts";
import { modes, ruleNames, rules, unpermitted } from "../../src/config/unsafe.ts";
import { environment, loadApiConfig, loadDatabaseConfig, loadToolConfig, loadWorkerConfig } from "../../src/config.ts";
import { harmless, safeSettings, type UnsafeCase, unsafeCases } from "../support/unsafe-settings.ts";

const load = { database: loadDatabaseConfig, api: loadApiConfig, worker: loadWorkerConfig };
const cases = ruleNames.flatMap((rule) =>
  unsafeCases[rule].map((one) => ({ rule, ...one, what: Object.entries(one.settings).join("; ").replace(",", "=") })),
);
const secrets = [
  ...["password123", "local-only", "correct-horse", "Qwerty2024", ":shop@"],
  ...[safeSettings.S3_SECRET_KEY, safeSettings.DATABASE_URL, safeSettings.REDIS_URL].map(String),
];

/** The rules that refuse a start, and all that was said. */
function start({ process, settings }: UnsafeCase, more: Record<string, string> = {}) {
  try {
    const { warnings } = load[process]({ ...safeSettings, ...settings, ...more });
    return { refusedBy: [], said: warnings.join("\n"), warnings };
  } catch (error) {
    const said = String(error);
    return { refusedBy: Array.from(said.matchAll(/\[([a-z0-9-]+)\]$/gm), ([, name]) => name), said, warnings: [] };
  }
}

describe.each(modes)("the mode %s", (ENVIRONMENT) => {
  const isLocal = ENVIRONMENT === "local";

  test.each(cases)("$rule: $what", ({ rule, ...one }) => {
    const { refusedBy, said } = start(one, { ENVIRONMENT });
    expect(refusedBy).toEqual(isLocal ? [] : [rule]);
    const isPermitted = said.includes(`ALLOW_UNSAFE=${rule}`);
    expect(isPermitted).toBe(!isLocal && !unpermitted.includes(rule));
    for (const secret of secrets) expect(said).not.toContain(secret);
  });

  test.each(cases.filter(({ rule }) => unpermitted.includes(rule)))("$rule cannot be allowed: $what", (one) => {
    const { refusedBy, said } = start(one, { ENVIRONMENT, ALLOW_UNSAFE: one.rule });
    expect(refusedBy).toEqual(isLocal ? [] : [one.rule]);
    expect(said.includes(`ALLOW_UNSAFE cannot permit ${one.rule}`)).toBe(!isLocal);
  });

  test.each(cases.filter(({ rule }) => !unpermitted.includes(rule)))("$rule, allowed: $what", ({ rule, ...one }) => {
    const { refusedBy, said, warnings } = start(one, { ENVIRONMENT, ALLOW_UNSAFE: rule });
    expect({ refusedBy, said: refusedBy.length > 0 ? said : "" }).toEqual({ refusedBy: [], said: "" });
    expect(warnings).toEqual(isLocal ? [] : [expect.stringMatching(`^ALLOW_UNSAFE=${rule}: .+\\.$`)]);
    for (const secret of secrets) expect(said).not.toContain(secret);
  });

  test("takes what is in order, and has nothing to say about it", () => {
    for (const one of harmless)
      expect([one, start(one, { ENVIRONMENT })]).toEqual([one, { refusedBy: [], said: "", warnings: [] }]);
  });
});

describe("what runs without a mode", () => {
  test.each(cases)("refuses as production does: $rule: $what", ({ rule, ...one }) => {
    expect(start(one).refusedBy).toEqual([rule]);
    expect(start(one, { ENVIRONMENT: "" }).refusedBy).toEqual([rule]);
  });
});

describe("the list of what is unsafe", () => {
  test("names all that is wrong at once, and how to allow all of it", () => {
    const settings = {
      PAYMENT_PROVIDER: "test",
      PAYMENT_WEBHOOK_SECRET: "cGFzc3dvcmRwYXNzd29yZHBhc3N3b3Jk",
      TRUST_PROXY: "9",
    };
    const { said } = start({ process: "api", settings }, { ALLOW_UNSAFE: "plain-s3" });
    expect(said).toContain("ALLOW_UNSAFE cannot permit test-payments.");
    expect(said).toContain("ALLOW_UNSAFE=plain-s3,weak-secrets,many-proxies.");
  });

  test("is not put aside by a name that is none of its rules, nor by a mode that there is not", () => {
    for (const ALLOW_UNSAFE of ["all", "*", "plain_s3", "true", "test-payments;plain-s3"])
      expect(start({ process: "api", settings: {} }, { ALLOW_UNSAFE }).said).toContain("ALLOW_UNSAFE is wrong");
    for (const ENVIRONMENT of ["development", "test", "Local", "prod"])
      expect(start({ process: "api", settings: {} }, { ENVIRONMENT }).said).toContain("ENVIRONMENT is wrong");
  });

  test("holds for operators' tools, too", () => {
    const load = () => loadToolConfig({ ...safeSettings, REDIS_URL: "redis://redis.example" });
    expect(load).toThrow("[plain-redis]");
  });

  test("is told to people by its names", () => {
    const page = readFileSync("docs/operations/unsafe-settings.md", "utf8");
    const told = Array.from(page.matchAll(/^\| `([a-z0-9-]+)` \|/gm), ([, name]) => name);
    expect(told).toEqual(ruleNames);
  });
});

describe("each setting of src/config.ts", () => {
  const settings = Object.entries({ ...environment.api.shape, ...environment.worker.shape });
  const accepted = (name: string, text: string) => {
    const { success, data } = settings.find(([other]) => other === name)?.[1].safeParse(text) ?? {};
    return success ? [data] : [];
  };
  /** Named like secrets, and none: names of an account or of objects, the address of tokens. */
  const noSecrets = ["S3_ACCESS_KEY", "S3_KEY_PREFIX", "DEMO_TOKENS_URL"];
  const chart = readFileSync("helm/templates/_environment.tpl", "utf8").split('define "tcf.secretVariables"')[1] ?? "";
  const inSecret = Array.from(
    chart.slice(0, chart.indexOf("{{- end -}}")).matchAll(/([A-Z0-9_]+): (?:\w|\{\{)/g),
    ([, name]) => name,
  );
  const isSecret = (name: string) =>
    /SECRET|PASS|TOKEN|KEY|HEADERS/.test(name) && !/^RATE_LIMIT/.test(name) && !noSecrets.includes(name);
  const guessable = "passwordpasswordpassword1234";
  const shortKey = generateKeyPairSync("rsa", { modulusLength: 512 }).privateKey.export({
    type: "pkcs1",
    format: "pem",
  });
  const weakOf = (name: string) => {
    if (name.endsWith("PRIVATE_KEY")) return [String(shortKey)];
    if (name.endsWith("HEADERS")) return [`authorization=${guessable}`, `x-api-key=Basic%20${guessable}`];
    return [guessable, Buffer.from(guessable).toString("base64")];
  };
  const addresses = ["https", "http", "postgres", "rediss"].flatMap((scheme) => [
    `${scheme}://u:hunter2@host.internal/x`,
    `${scheme}://host.internal/x?password=hunter2`,
  ]);

  test.each(settings.map(([name]) => name).filter(isSecret))(
    "that is a secret may not be easy to guess: %s",
    (name) => {
      const values = weakOf(name).flatMap((text) => accepted(name, text));
      expect(values).not.toEqual([]);
      for (const value of values) expect([name, rules["weak-secrets"]({ [name]: value })]).not.toEqual([name, []]);
    },
  );

  test("that holds an address may have no password in it that is easy to guess", () => {
    const pairs = settings
      .filter(([name]) => !isSecret(name))
      .flatMap(([name]) => addresses.flatMap((text) => accepted(name, text).map((value) => [name, value] as const)));
    const named = new Set(pairs.map(([name]) => name));
    for (const name of ["DATABASE_URL", "REDIS_URL", "REDIS_CACHE_URL", "S3_ENDPOINT_URL"])
      expect(named).toContain(name);
    expect(pairs.filter(([name, value]) => rules["weak-secrets"]({ [name]: value }).length === 0)).toEqual([]);
  });

  test("that the chart takes out of a Secret is a secret here, or a name or an address", () => {
    const logins = ["REDIS_USERNAME", "REDIS_SENTINEL_USERNAME"].flatMap((name) => [
      name,
      name.replace("REDIS", "REDIS_CACHE"),
    ]);
    const databases = ["DATABASE_URL", "DATABASE_DIRECT_URL"];
    const others = ["S3_ACCESS_KEY", "SMTP_USER", ...logins, ...databases, "REDIS_URL", "REDIS_CACHE_URL"];
    expect(inSecret.length).toBeGreaterThan(10);
    expect(inSecret.filter((name = "") => !isSecret(name)).sort()).toEqual(others.sort());
  });

  test("that takes 0 for no limit may not be 0", () => {
    /** 0 is any port, no proxy, no time, no traces; mails a day are the shop's own choice. */
    const fine = ["PORT", "OPS_PORT", "TRUST_PROXY", "DRAIN_TIMEOUT_MS", "OTEL_TRACES_SAMPLER_ARG", "MAIL_DAILY_CAP"];
    const zero = settings.flatMap(([name]) => (accepted(name, "0").includes(0) ? [name] : []));
    const unlimited = zero.filter((name) => rules["no-limits"]({ [name]: 0 }).length === 0);
    expect(unlimited.sort()).toEqual(fine.sort());
  });
});

describe("each secret in the files of this repository", () => {
  const assigned = (file: string) =>
    Array.from(
      readFileSync(file, "utf8").matchAll(/^ *([A-Z][A-Z0-9_]*)(?:=|: )"?([^"\n]+?)"?$/gm),
      ([, name = "", value = ""]) => ({ file, name, value }),
    );
  const files = [".env.example", "docker-compose.yml", "docker-compose.debian.yml", "helm/values-dev.yaml"];
  const secret = /SECRET|PASS|TOKEN$|ACCESS_KEY|^API_KEY|_URL$/;
  const found = files.flatMap(assigned).flatMap(({ file, name, value }) => {
    if (!secret.test(name)) return [];
    if (!name.endsWith("_URL")) return [{ file, name, text: value.replace(/^whsec_/, "") }];
    const { password } = new URL(value);
    return password ? [{ file, name, text: password }] : [];
  });

  test("is known as published", () => {
    expect(found.length).toBeGreaterThan(20);
    expect(new Set(found.map(({ file }) => file)).size).toBe(files.length);
    expect(found.filter(({ text }) => !isPublished(text))).toEqual([]);
  });

  test("keeps production from starting, as the chart's values for a laptop do", () => {
    const { secrets, config } = parse(readFileSync("helm/values-dev.yaml", "utf8"));
    const env = { ...config, ...secrets.values, WEBHOOK_ALLOW_PRIVATE: "true", TRUST_PROXY: "0" };
    expect(() => loadApiConfig(env)).toThrow("[published-secrets]");
    expect(() => loadApiConfig({ ...env, ENVIRONMENT: "local" })).not.toThrow();
  });
});
