import { randomUUID } from "node:crypto";
import pg from "pg";
import { afterAll, expect, inject, it, test } from "vitest";
import { connectDatabase, createDataSource } from "../../../src/db/data-source.ts";
import { isPostgresUnavailable, isTransactionConflict } from "../../../src/platform/postgres/errors.ts";
import { openKeyedPool, prepare } from "../../../src/platform/postgres/prepared.ts";

const closers: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const close of closers.reverse()) await close();
});

async function open(query: string, name?: string) {
  const db = await connectDatabase(`${inject("postgresUrl")}?${query}`, 2, name === undefined ? {} : { name });
  closers.push(() => db.destroy());
  return db;
}

it("hands the server the options of its URL beside its own", async () => {
  const db = await open("options=-c%20search_path%3Dshop%20-c%20enable_hashjoin%3Doff");
  const settings = `SELECT current_setting('search_path') AS path, current_setting('enable_hashjoin') AS hash,
    current_setting('enable_seqscan') AS seqscan, current_setting('lock_timeout') AS lock`;
  expect(await db.query(settings)).toEqual([{ path: "shop", hash: "off", seqscan: "on", lock: "3s" }]);
  const keyed = openKeyedPool(db, 1);
  closers.push(() => keyed.close());
  expect(await keyed.run(prepare(settings), [])).toEqual([{ path: "shop", hash: "off", seqscan: "off", lock: "3s" }]);
});

it("tells the server the name of its process, in 63 bytes, or the one of the URL", async () => {
  const name = "SELECT current_setting('application_name') AS name";
  const queues = "tcf worker images,documents,mail,webhooks,payments,maintenance,more";
  expect(await (await open("", queues)).query(name)).toEqual([{ name: queues.slice(0, 63) }]);
  expect(await (await open("application_name=the%20shop", queues)).query(name)).toEqual([{ name: "the shop" }]);
});

it("waits for a connection as long as its URL says", async () => {
  const db = await createDataSource(`${inject("postgresUrl")}?connect_timeout=1`, 1).initialize();
  closers.push(() => db.destroy());
  await db.transaction(async () => {
    const began = performance.now();
    await expect(db.query("SELECT 1")).rejects.toThrow("timeout exceeded when trying to connect");
    expect(performance.now() - began).toBeLessThan(2_900);
  });
});

it("counts a server without a free connection as one that may have one later", async () => {
  const role = `crowded_${randomUUID().replaceAll("-", "")}`;
  const admin = new pg.Client(inject("postgresUrl"));
  await admin.connect();
  closers.push(async () => {
    await admin.query(`DROP ROLE ${role}`);
    await admin.end();
  });
  await admin.query(`CREATE ROLE ${role} LOGIN PASSWORD 'crowded' CONNECTION LIMIT 0`);
  const url = new URL(inject("postgresUrl"));
  [url.username, url.password] = [role, "crowded"];
  await expect(connectDatabase(url.href, 1)).rejects.toMatchObject({
    name: "NotThereYetError",
    message: expect.stringContaining(`too many connections for role "${role}"`),
  });
});

const withCode = (code: string) => Object.assign(new pg.DatabaseError("x", 1, "error"), { code });
test.each([
  "08000",
  "08003",
  "08006",
  "08P01",
  "25006",
  "53000",
  "53300",
  "55P03",
  "57014",
  "57P01",
  "57P02",
  "57P03",
  "58030",
])("SQLSTATE %s says that the server is unavailable", (code) => {
  expect(isPostgresUnavailable(withCode(code))).toBe(true);
  expect(isPostgresUnavailable({ driverError: withCode(code) })).toBe(true);
  // Another server may use the same code.
  expect(isPostgresUnavailable(Object.assign(new Error("x"), { code }))).toBe(false);
});
test.each(["22012", "23505", "25001", "25P02", "40001", "40P01", "42601", "42P01", "58P01", "XX000"])(
  "SQLSTATE %s says that the statement is wrong, or another transaction in its way",
  (code) => {
    expect(isPostgresUnavailable(withCode(code))).toBe(false);
    expect(isTransactionConflict(withCode(code))).toBe(code.startsWith("40"));
  },
);
