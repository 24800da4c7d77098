import { once } from "node:events";
import { get } from "node:http";
import { connect, createServer, type Socket } from "node:net";
import type { EntityManager } from "typeorm";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { freePort } from "../../dev/services/service.ts";
import { createDataSource } from "../../src/db/data-source.ts";
import { costOf } from "../../src/engine/classify-error.ts";
import { Job } from "../../src/engine/job-entity.ts";
import { createLogger } from "../../src/platform/logger.ts";
import { createMailer } from "../../src/platform/mailer.ts";
import { createObjectStore } from "../../src/platform/object-store.ts";
import { isPostgresUnavailable } from "../../src/platform/postgres/errors.ts";
import { openKeyedPool, prepare, runPrepared } from "../../src/platform/postgres/prepared.ts";
import { cacheConnection, consumerConnection, producerConnection } from "../../src/platform/redis.ts";
import { useDatabase, useKeyedPool } from "../support/database.ts";
import { redisAddress } from "../support/redis.ts";

const log = createLogger("silent", "test");
const now = prepare("SELECT now()");
const signal = AbortSignal.timeout(20_000);
const closers: (() => unknown)[] = [];
afterAll(async () => {
  for (const close of closers) await close();
});

const errorOf = (work: Promise<unknown>): Promise<Error> =>
  work.then(
    () => expect.fail("It should have failed"),
    (error: Error) => error,
  );
const bare = (code: string) => Object.assign(new Error(`${code}: no`), { code });

/** A server that accepts connections and hangs up at the first byte. */
async function hangingUp() {
  const server = createServer((socket: Socket) => socket.once("data", () => socket.resetAndDestroy()));
  await once(server.listen(0, "127.0.0.1"), "listening");
  closers.push(() => server.close());
  return (server.address() as { port: number }).port;
}

describe.each([
  ["refuses connections", () => freePort()],
  ["hangs up", hangingUp],
])("a server that %s", (_what, start) => {
  let port: number;
  beforeAll(async () => {
    port = await start();
  });
  const store = () => {
    const endpoint = `http://127.0.0.1:${port}`;
    const keys = { accessKeyId: "k", secretAccessKey: "s" };
    const opened = createObjectStore({ endpoint, region: "x", bucket: "b", ...keys, publicUrl: endpoint });
    closers.push(opened.close);
    return opened;
  };
  const redis = async (open: typeof producerConnection) => {
    const connection = open(`redis://127.0.0.1:${port}`, log);
    closers.push(() => connection.disconnect());
    return connection.get("x");
  };
  const postgres = () => createDataSource(`postgres://u:p@127.0.0.1:${port}/d`);

  test.each([
    ["Postgres, by the data source", () => postgres().initialize()],
    [
      "Postgres, by the pool of claims",
      () => {
        const pool = openKeyedPool(postgres(), 1);
        closers.push(pool.close);
        return pool.run(now, []);
      },
    ],
    ["Redis, by a connection of a producer", () => redis(producerConnection)],
    ["Redis, by the connection of a cache", () => redis(cacheConnection)],
    ["the object store", () => store().get("x")],
    [
      "the mail server",
      () => {
        const from = { name: "a", address: "a@test.example" };
        const mailer = createMailer({ host: "127.0.0.1", port, from, security: "none" });
        closers.push(() => mailer.close());
        const mail = { messageId: "a@test.example", to: "b@test.example", subject: "a", text: "a", html: "a" };
        return mailer.send(mail, { signal });
      },
    ],
  ])("costs no attempt when it is %s", async (_which, call) => {
    expect(costOf(await errorOf(call()))).toBe("none");
  });

  test.each([
    ["a socket", async () => void (await once(connect(port, "127.0.0.1").once("connect", send), "end"))],
    ["an HTTP request", () => once(get({ port, host: "127.0.0.1", agent: false }), "response")],
    ["fetch", () => fetch(`http://127.0.0.1:${port}`)],
  ])("costs an attempt when it is one that a processor calls by %s", async (_how, call) => {
    const error = await errorOf(call());
    expect(costOf(error)).toBe("one");
    expect(isPostgresUnavailable(error)).toBe(false);
  });

  function send(this: Socket) {
    this.write("x");
  }
});

describe("Postgres", () => {
  const db = useDatabase();
  const pool = useKeyedPool(db);
  const dies = "SELECT pg_terminate_backend(pg_backend_pid())";

  test.each([
    ["a query", () => db.query(dies)],
    ["a transaction", () => db.transaction((tx) => tx.query(dies))],
    ["a prepared statement", () => runPrepared(db.manager, prepare(dies), [])],
    ["a prepared statement of a transaction", () => db.transaction((tx) => runPrepared(tx, prepare(dies), []))],
    ["a statement by keys", () => pool().run(prepare(dies), [])],
  ])("that ends %s half-way costs no attempt", async (_what, call) => {
    expect(costOf(await errorOf(call()))).toBe("none");
  });

  test.each<[string, (tx: EntityManager) => Promise<unknown>]>([
    ["a query", (tx) => tx.query("SELECT 1")],
    ["a repository", (tx) => tx.find(Job, { take: 1 })],
    ["a prepared statement", (tx) => runPrepared(tx, now, [])],
    ["the commit", async () => undefined],
  ])("that ends a transaction between statements costs no attempt at %s", async (_what, next) => {
    const transaction = db.transaction(async (tx) => {
      const [{ pid }] = await tx.query("SELECT pg_backend_pid() AS pid");
      await db.query("SELECT pg_terminate_backend($1)", [pid]);
      const isGone = async () => (await db.query("SELECT 1 FROM pg_stat_activity WHERE pid = $1", [pid])).length === 0;
      await vi.waitFor(async () => expect(await isGone()).toBe(true));
      // The news of it is read before the next statement is sent.
      await vi.waitFor(() => expect(tx.queryRunner?.isReleased).toBe(true));
      await next(tx);
    });
    expect(costOf(await errorOf(transaction))).toBe("none");
  });

  test("that refuses a statement costs one", async () => {
    expect(costOf(await errorOf(db.query("SELECT 1 / 0")))).toBe("one");
    expect(costOf(await errorOf(pool().run(prepare("SELECT 1 / 0"), [])))).toBe("one");
  });
});

test("Redis that refuses a command costs one attempt, and one that has no room costs none", async () => {
  const connection = consumerConnection(redisAddress, log);
  closers.push(() => connection.disconnect());
  expect(costOf(await errorOf(connection.call("SET", "only-a-key")))).toBe("one");
  const full = await errorOf(connection.eval("return redis.error_reply('OOM command not allowed')", 0));
  expect(costOf(full)).toBe("none");
});

test.each([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "57P01",
  "08006",
  "53300",
  "55P03",
])("The code %s of a server that is not known costs an attempt", (code) => {
  expect(costOf(bare(code))).toBe("one");
});

test.each(["Connection terminated", "Query read timeout", "Connection is closed.", "Command timed out"])(
  "The message '%s' of a client that is not known costs an attempt",
  (message) => {
    expect(costOf(new Error(message))).toBe("one");
  },
);
