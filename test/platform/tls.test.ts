import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { trustedKeys } from "../../src/api/http/trusted-keys.ts";
import { connectDatabase } from "../../src/db/data-source.ts";
import { costOf } from "../../src/engine/classify-error.ts";
import { NotThereYetError, StartUpError, UnavailableError } from "../../src/errors.ts";
import { createHttpProbe } from "../../src/platform/delivery-probe.ts";
import { createLogger } from "../../src/platform/logger.ts";
import { createMailer } from "../../src/platform/mailer.ts";
import { createObjectStore } from "../../src/platform/object-store.ts";
import { createYooKassaClient } from "../../src/platform/payments/yookassa-client.ts";
import { isPostgresUnavailable } from "../../src/platform/postgres/errors.ts";
import { PostgresPool } from "../../src/platform/postgres/pool.ts";
import { producerConnection } from "../../src/platform/redis.ts";
import { tlsFault, trustAlso } from "../../src/platform/tls.ts";
import { startTracing, traced } from "../../src/platform/tracing.ts";
import { createWebhookClient } from "../../src/platform/webhook-client.ts";
import { useBucket } from "../support/s3.ts";
import { type Authority, createAuthority, hasOpenssl, startTlsFront } from "../support/tls.ts";
import { hasRedisServer, startTlsPostgres, startTlsRedis, startTlsSmtp } from "../support/tls-servers.ts";

const bucket = useBucket();
const stops: (() => unknown)[] = [];
let authority: Authority;
let ports: Record<"s3" | "http" | "smtp" | "expired" | "elsewhere", number>;
let postgresUrl: string;
let redisUrl: string;
let plain: Server;

/** Says what was logged in which way. */
function createLog() {
  const lines: string[] = [];
  const write = (level: string) => (_fields: unknown, text?: string) => void lines.push(`${level}: ${text}`);
  return {
    lines,
    log: { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") } as never,
  };
}
const errorOf = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );
const within = () => AbortSignal.timeout(10_000);

/** A call of each client that speaks TLS; they resolve when the server is trusted and answers. */
const calls: Record<string, () => Promise<unknown>> = {
  "the object store": async () => {
    const store = createObjectStore({
      endpoint: `https://localhost:${ports.s3}`,
      region: "us-east-1",
      bucket: bucket.bucket,
      accessKeyId: bucket.accessKey,
      secretAccessKey: bucket.secretKey,
      publicUrl: bucket.publicUrl,
    });
    await store.ping(within()).finally(() => store.close());
  },
  "the mail server": async () => {
    const from = { name: "", address: "shop@test.example" };
    const mailer = createMailer({ host: "localhost", port: ports.smtp, from, security: "starttls" });
    const mail = { messageId: "1@test.example", to: "anna@test.example", subject: "x", text: "x", html: "x" };
    await mailer.send(mail, { signal: within() }).finally(() => mailer.close());
  },
  "the identity provider": async () =>
    trustedKeys(`https://localhost:${ports.http}/keys`, createLogger("silent", "test")).find(
      { alg: "EdDSA", kid: "1" },
      {} as never,
    ),
  "the service of MAIL_PROBE_URL": () => createHttpProbe(`https://localhost:${ports.http}`).has("1@x", within()),
  YooKassa: () =>
    createYooKassaClient({ url: `https://localhost:${ports.http}`, shopId: "1", secretKey: "x" })({
      what: "shop",
      path: "/me",
      signal: within(),
    }),
};

describe.skipIf(!hasOpenssl)("a server with a certificate of a private authority", () => {
  beforeAll(async () => {
    const folder = join(inject("directory"), "tls");
    authority = createAuthority(join(folder, "ca"));
    const good = authority.issue();
    plain = createServer((req, res) => {
      const key = {
        kty: "OKP",
        crv: "Ed25519",
        x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        kid: "1",
        alg: "EdDSA",
      };
      res.setHeader("content-type", "application/json");
      res.end(JSON.stringify(req.url === "/keys" ? { keys: [key] } : { has: true }));
    }).listen(0, "127.0.0.1");
    await once(plain, "listening");
    const { port } = plain.address() as AddressInfo;
    const fronts = await Promise.all([
      startTlsFront(good, Number(new URL(bucket.endpoint).port)),
      startTlsFront(good, port),
      startTlsFront(authority.issue(undefined, -1), port),
      startTlsFront(authority.issue(["DNS:elsewhere.example"]), port),
      startTlsSmtp(good),
    ]);
    const [s3, http, expired, elsewhere, smtp] = fronts.map((front) => front.port) as [
      number,
      number,
      number,
      number,
      number,
    ];
    ports = { s3, http, smtp, expired, elsewhere };
    const postgres = await startTlsPostgres(folder, good);
    postgresUrl = postgres.url.replace("127.0.0.1", "localhost");
    stops.push(...fronts.map((front) => front.stop), postgres.stop, () => plain.close());
    if (!hasRedisServer) return;
    const redis = await startTlsRedis(join(folder, "redis"), good);
    redisUrl = redis.url;
    stops.push(redis.stop);
  });
  afterAll(async () => {
    plain?.closeAllConnections();
    await Promise.all(stops.map((stop) => stop()));
  });

  describe("that is not known", () => {
    test.each(Object.entries(calls))("is an outage with a sentence that says what to do: %s", async (server, call) => {
      const error = await errorOf(call());
      expect(String(error)).toMatch(/UNABLE_TO_VERIFY_LEAF_SIGNATURE|SELF_SIGNED_CERT_IN_CHAIN/);
      expect(String(error)).toContain(`The certificate of ${server} is not trusted`);
      expect(String(error)).toContain("EXTRA_CA_FILE");
      expect([error instanceof UnavailableError, costOf(error)]).toEqual([true, "none"]);
    });

    test.each(["require", "verify-full"])(
      "ends the start of a process at once: Postgres by sslmode=%s",
      async (mode) => {
        const error = await errorOf(connectDatabase(`${postgresUrl}?sslmode=${mode}`));
        expect(String(error)).toContain("Postgres at localhost:");
        expect(String(error)).toContain("EXTRA_CA_FILE");
        expect([error instanceof StartUpError, error instanceof NotThereYetError]).toEqual([true, false]);
      },
    );

    test("costs a job of a running process nothing: Postgres", async () => {
      const pool = new PostgresPool({ connectionString: `${postgresUrl}?sslmode=verify-full` });
      const error = await errorOf(pool.query("SELECT 1"));
      await pool.end();
      expect([isPostgresUnavailable(error), costOf(error)]).toEqual([true, "none"]);
    });

    test.each([
      ["sslmode=no-verify", () => ""],
      ["sslmode=require&uselibpqcompat=true", () => ""],
      ["sslmode=verify-full&sslrootcert=", () => encodeURIComponent(authority.file)],
    ])("is used all the same: Postgres by %s", async (query, file) => {
      const db = await connectDatabase(`${postgresUrl}?${query}${file()}`);
      const [row] = await db.query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
      await db.destroy();
      expect(row).toEqual({ ssl: true });
    });

    test.skipIf(!hasRedisServer)("is an error in the log, while the process goes on: Redis", async () => {
      const { lines, log } = createLog();
      const redis = producerConnection(redisUrl, log);
      await expect.poll(() => lines).not.toEqual([]);
      redis.disconnect();
      expect(lines[0]).toMatch(/^error: The certificate of Redis at localhost:\d+ is not trusted .*EXTRA_CA_FILE/);
    });

    test("is a warning in the log, once: the collector of traces", async () => {
      const { lines, log } = createLog();
      const about = { service: "t", version: "1", ratio: 1, log };
      const tracing = startTracing({ ...about, endpoint: `https://localhost:${ports.http}` });
      await traced("work", { place: { begins: "r" } }, async () => undefined);
      await tracing.close();
      expect(lines).toHaveLength(1);
      expect(lines[0]).toMatch(/^warn: The certificate of the collector .* is not trusted .*EXTRA_CA_FILE/);
    });

    test("is named by its code in the record of a webhook", async () => {
      const client = createWebhookClient({ allowPrivate: true });
      const sent = client.post({ url: `https://localhost:${ports.http}/`, headers: {}, body: "{}", signal: within() });
      await expect(sent).rejects.toThrow(/No answer: (UNABLE_TO_VERIFY_LEAF_SIGNATURE|SELF_SIGNED_CERT_IN_CHAIN)/);
    });
  });

  describe("that is trusted", () => {
    beforeAll(() => trustAlso([authority.pem]));

    test.each(Object.entries(calls))("is used: %s", async (_server, call) => {
      expect(await errorOf(call())).toBeUndefined();
    });

    test.each([
      ["sslmode=disable", false],
      ["sslmode=prefer", true],
      ["sslmode=require", true],
      ["sslmode=verify-ca", true],
      ["sslmode=verify-full", true],
      ["sslmode=no-verify", true],
    ])("is used: Postgres by %s (encrypted: %s)", async (query, isEncrypted) => {
      const db = await connectDatabase(`${postgresUrl}?${query}`);
      const [row] = await db.query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
      await db.destroy();
      expect(row).toEqual({ ssl: isEncrypted });
    });

    test.skipIf(!hasRedisServer)("is used: Redis", async () => {
      const redis = producerConnection(redisUrl, createLog().log);
      await once(redis, "ready");
      expect(await redis.ping()).toBe("PONG");
      redis.disconnect();
    });

    test("is used: the collector of traces, and a receiver of webhooks", async () => {
      const { lines, log } = createLog();
      const tracing = startTracing({
        service: "t",
        version: "1",
        ratio: 1,
        log,
        endpoint: `https://localhost:${ports.http}`,
      });
      await traced("work", { place: { begins: "r" } }, async () => undefined);
      await tracing.close();
      expect(lines).toEqual([]);
      const client = createWebhookClient({ allowPrivate: true });
      const sent = client.post({ url: `https://localhost:${ports.http}/`, headers: {}, body: "{}", signal: within() });
      expect(await sent).toEqual({ status: 200 });
    });

    test.each([
      ["an expired certificate", () => ports.expired, "CERT_HAS_EXPIRED): renew it there"],
      ["a certificate for other names", () => ports.elsewhere, "ERR_TLS_CERT_ALTNAME_INVALID): use an address"],
      ["no TLS at all", () => (plain.address() as AddressInfo).port, "the server does not speak TLS on this port"],
    ])("is refused with what to do all the same: %s", async (_what, port, says) => {
      const error = await errorOf(fetch(`https://localhost:${port()}/`));
      expect(tlsFault(error, "it")).toContain(says);
    });
  });
});

test("an error that has nothing to do with TLS is no fault of it", () => {
  const errors = [undefined, "x", new Error("x"), Object.assign(new Error("x"), { code: "ECONNREFUSED" })];
  expect(errors.map((error) => tlsFault(error, "it"))).toEqual(errors.map(() => undefined));
});
