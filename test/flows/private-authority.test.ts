import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { useBucket } from "../support/s3.ts";
import { createAuthority, hasOpenssl, startTlsFront } from "../support/tls.ts";
import { hasRedisServer, startTlsPostgres, startTlsRedis, startTlsSmtp } from "../support/tls-servers.ts";

// Every program of `src`, with all its servers behind certificates of a private authority.

const bucket = useBucket();
const stops: (() => unknown)[] = [];
const running = new Set<ChildProcess>();
let env: NodeJS.ProcessEnv;
let file: string;

async function start(program: string, more: NodeJS.ProcessEnv, ...args: string[]) {
  const { PATH, HOME } = process.env;
  const child = spawn(process.execPath, ["--import", "tsx", `src/${program}`, ...args], {
    env: { PATH, HOME, ...env, ...more },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  running.add(child);
  const started = { child, output: "" };
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      started.output += text;
    });
  }
  return started;
}

/** Resolves with how a program ended and all that it wrote. */
async function runToEnd(program: string, more: NodeJS.ProcessEnv, ...args: string[]) {
  const started = await start(program, more, ...args);
  const [code] = await once(started.child, "close");
  running.delete(started.child);
  return { code, output: started.output };
}

describe.skipIf(!hasOpenssl || !hasRedisServer)("with servers of a private authority", () => {
  beforeAll(async () => {
    const folder = join(inject("directory"), "private-authority");
    const authority = createAuthority(join(folder, "ca"));
    file = authority.file;
    const certificate = authority.issue();
    const [postgres, redis, s3, smtp] = await Promise.all([
      startTlsPostgres(folder, certificate),
      startTlsRedis(join(folder, "redis"), certificate),
      startTlsFront(certificate, Number(new URL(bucket.endpoint).port)),
      startTlsSmtp(certificate),
    ]);
    stops.push(...[postgres, redis, s3, smtp].map(({ stop }) => stop));
    env = {
      ENVIRONMENT: "local",
      DATABASE_URL: `${postgres.url.replace("127.0.0.1", "localhost")}?sslmode=verify-full`,
      REDIS_URL: redis.url,
      S3_ENDPOINT_URL: `https://localhost:${s3.port}`,
      S3_BUCKET_NAME: bucket.bucket,
      S3_ACCESS_KEY: bucket.accessKey,
      S3_SECRET_KEY: bucket.secretKey,
      SMTP_HOST: "localhost",
      SMTP_PORT: String(smtp.port),
      BETTER_AUTH_URL: "http://127.0.0.1:9",
      HOST: "127.0.0.1",
      PORT: "0",
      OPS_PORT: "0",
    };
  });
  afterAll(async () => {
    const ends = [...running].map((child) => once(child, "exit"));
    for (const child of running) child.kill("SIGKILL");
    await Promise.all(ends);
    await Promise.all(stops.map((stop) => stop()));
  });

  test.each([
    ["db/migrate.ts", "The migration"],
    ["db/wait-for-schema.ts", "Waiting for the schema"],
    ["api/main.ts", "The API"],
    ["workers/main.ts", "The worker"],
  ])("%s ends at once and says what to do, without EXTRA_CA_FILE", async (program, name) => {
    const { code, output } = await runToEnd(program, {});
    expect([code, output]).toEqual([78, expect.stringContaining(`${name} cannot start. Postgres at localhost:`)]);
    expect(output).toContain("put the certificate of the authority that signed it into the file of EXTRA_CA_FILE");
  });

  test("every program runs with it", async () => {
    const trusting = { EXTRA_CA_FILE: file };
    expect(await runToEnd("db/migrate.ts", trusting)).toEqual({
      code: 0,
      output: expect.stringContaining("migrated: "),
    });
    expect(await runToEnd("db/wait-for-schema.ts", trusting)).toEqual({ code: 0, output: "schema is current\n" });
    const { output } = await runToEnd("cli/main.ts", trusting, "doctor", "--json");
    const { findings } = JSON.parse(output) as { findings: { what: string; state: string }[] };
    const stateOf = (name: string) => findings.find(({ what }) => what === name)?.state;
    expect(["postgres", "redis", "bucket", "mail server"].map(stateOf)).toEqual(["ok", "ok", "ok", "ok"]);
    for (const program of ["api/main.ts", "workers/main.ts"]) {
      const { child } = await start(program, trusting);
      await once(child, "message");
    }
  });

  test("`tcf doctor` says of each server what to do, without it", async () => {
    const { output } = await runToEnd("cli/main.ts", {}, "doctor");
    const problems = output.split("\n").filter((line) => line.includes("is not trusted"));
    expect(problems.map((line) => line.slice(0, line.indexOf("is not trusted")).replace(/:\d+/g, ""))).toEqual([
      expect.stringMatching(/^PROBLEM +postgres +Postgres at localhost/),
      expect.stringMatching(/^PROBLEM +migrations +Postgres at localhost/),
      expect.stringMatching(/^PROBLEM +redis .*localhost/),
      expect.stringMatching(/^PROBLEM +bucket .*the object store/),
      expect.stringMatching(/^PROBLEM +mail server +localhost/),
    ]);
  });
});
