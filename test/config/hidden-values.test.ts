import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { withoutPassword } from "../../dev/stack/given-servers.ts";
import {
  environment,
  loadApiConfig,
  loadDatabaseConfig,
  loadDemoConfig,
  loadOperators,
  loadToolConfig,
  loadWorkerConfig,
} from "../../src/config.ts";
import { describeError } from "../../src/platform/describe-error.ts";

/** Stands in each value; never to be seen. */
const mark = "hunter2MARK";
const schemes = ["postgres", "redis", "http", "https", "smtp"];
/** Mistyped, cut and badly encoded. */
const hostile = [
  ...schemes.flatMap((scheme) => [
    `${scheme}://u:${mark}@[bad`,
    `${scheme}://u:${mark}@h:99999/d`,
    `${scheme}://u:${mark}@h/d`,
    `${scheme}://u:${mark}%zz@h/d`,
    `${scheme}://u:12/${mark}@h/d`,
    `${scheme}://u:12#${mark}@h/d`,
    `${scheme}://u:12?${mark}@h/d`,
    `${scheme}://u:a@${mark}@h/d`,
    `${scheme}://u:a b${mark}@h/d`,
    `${scheme}://u:a\n${mark}@h/d`,
    `${scheme}://u:a\\${mark}@h/d`,
  ]),
  `u:${mark}@h`,
  `authorization=${mark}%0A`,
  `${mark}%zz`,
];
const good = {
  DATABASE_URL: "postgresql://user@localhost:5432/shop",
  REDIS_URL: "redis://localhost:6379",
  S3_BUCKET_NAME: "shop",
  S3_ACCESS_KEY: "key",
  S3_SECRET_KEY: "secret",
  SMTP_HOST: "localhost",
  BETTER_AUTH_URL: "https://shop.test",
};
const loaders = [loadDatabaseConfig, loadApiConfig, loadWorkerConfig, loadToolConfig, loadDemoConfig, loadOperators];
const names = [...new Set(Object.values(environment).flatMap(({ shape }) => Object.keys(shape)))];

function saidOf(env: NodeJS.ProcessEnv) {
  return loaders.flatMap((load) => {
    try {
      return load(env).warnings;
    } catch (error) {
      return [String(error), JSON.stringify(describeError(error))];
    }
  });
}

describe("a value that cannot be used", () => {
  test.each(names)("is not shown by what reads the environment: %s", (name) => {
    for (const ENVIRONMENT of ["local", "production"]) {
      for (const value of hostile) {
        const said = saidOf({ ENVIRONMENT, ...good, [name]: value }).join("\n");
        expect(said, value).not.toContain(mark);
      }
    }
  });

  const addresses = ["DATABASE_URL", "DATABASE_DIRECT_URL", "REDIS_URL", "REDIS_CACHE_URL"];
  test.each(addresses)("is refused where programs would cut it up in different ways: %s", (name) => {
    const scheme = name.startsWith("DATABASE") ? "postgres" : "redis";
    const wrong = hostile.filter((one) => one.startsWith(`${scheme}:`) && !one.endsWith(`:${mark}@h/d`));
    // A line break is no part of a URL, and is left out when it is read.
    for (const value of wrong.filter((one) => !one.includes("\n"))) {
      expect(() => loadApiConfig({ ENVIRONMENT: "local", ...good, [name]: value }), value).toThrow(name);
    }
    const encoded = `${scheme}://u:a%2Fb%40c%23@h:1234/0?${scheme === "postgres" ? "sslmode=disable" : "x=y"}`;
    expect(loadApiConfig({ ENVIRONMENT: "local", ...good, [name]: encoded })).toMatchObject({ [name]: encoded });
  });

  const programs = [
    ["src/api/main.ts"],
    ["src/workers/main.ts"],
    ["src/cli/main.ts", "doctor"],
    ["src/db/migrate.ts"],
    ["src/db/wait-for-schema.ts"],
    ["dev/demo/main.ts"],
    ["dev/stack.ts"],
  ];
  test.each(programs)(
    "is not shown by a program that it keeps from starting: %s %s",
    { timeout: 120_000 },
    async (...args) => {
      const bad = Object.fromEntries(
        names.filter((name) => /_(URL|HOST|ENDPOINT)$/.test(name)).map((name) => [name, hostile[0]]),
      );
      const { PATH, HOME } = process.env;
      const env = { PATH, HOME, ...good, ...bad, ENVIRONMENT: "local" };
      const child = spawn(process.execPath, ["--import", "tsx", ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
      let said = "";
      for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (said += text));
      const [code] = await once(child, "close");
      expect(code).not.toBe(0);
      expect(said).toContain("DATABASE_URL");
      expect(said).not.toContain(mark);
    },
  );

  test("is not shown where the stack names the servers that it was given", () => {
    for (const address of hostile.filter((one) => !URL.canParse(one))) {
      expect(withoutPassword(address), address).not.toContain(mark);
    }
    expect(withoutPassword(`postgres://u:${mark}@h/d`)).toBe("postgres://u:***@h/d");
    expect(withoutPassword(`postgres://h/d?user=u&password=${mark}`)).toBe("postgres://h/d?user=u&password=***");
  });
});
