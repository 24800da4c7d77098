import { randomUUID } from "node:crypto";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, inject, it, vi } from "vitest";
import { createDataSource } from "../../src/db/data-source.ts";
import { runMigrations } from "../../src/db/run-migrations.ts";
import { hasPgbouncer, usePgbouncer } from "../support/pgbouncer.ts";

const pooler = usePgbouncer({ default_pool_size: 1 });
const created: string[] = [];
const roles: string[] = [];
const all = createDataSource("postgresql://h/d").options.migrations as { name: string }[];
const inOrder = all.map(({ name }) => name).sort((a, b) => Number(a.slice(-13)) - Number(b.slice(-13)));

async function query<Row extends pg.QueryResultRow>(url: string, sql: string) {
  const client = new pg.Client(url);
  await client.connect();
  const { rows } = await client.query<Row>(sql).finally(() => client.end());
  return rows;
}

async function emptyDatabase() {
  const name = `migrated_${randomUUID().replaceAll("-", "")}`;
  created.push(name);
  await query(inject("postgresUrl"), `CREATE DATABASE ${name}`);
  return new URL(`/${name}`, inject("postgresUrl")).href;
}

afterAll(async () => {
  for (const name of created) await query(inject("postgresUrl"), `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  for (const role of roles) await query(inject("postgresUrl"), `DROP ROLE ${role}`);
});

const done = (url: string) => query<{ name: string }>(url, "SELECT name FROM migrations ORDER BY id");
const namesOf = (rows: { name: string }[]) => rows.map(({ name }) => name);
const locks = (url: string) =>
  query(
    url,
    `SELECT 1 FROM pg_locks WHERE locktype = 'advisory'
     AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
  );

const ways = [["a server", false] as const, ["PgBouncer in transaction mode", true] as const];
describe.each(hasPgbouncer ? ways : ways.slice(0, 1))("through %s, migrations", (_which, isPooled) => {
  let url = "";
  let way = "";
  beforeAll(async () => {
    url = await emptyDatabase();
    way = isPooled ? pooler.to(url) : url;
  });

  it("that fail are named with those that stay, and leave nothing half done", async () => {
    // In the way of the migration of webhooks, after its first statements.
    await query(url, "CREATE TABLE webhook_endpoints (id int)");
    const failed = inOrder.find((name) => name.startsWith("Webhooks")) ?? "";
    const before = inOrder.slice(0, inOrder.indexOf(failed));
    await expect(runMigrations(way, { isPooled })).rejects.toMatchObject({
      name: "StartUpError",
      message:
        `Migration ${failed} of ${new URL(way).host}${new URL(way).pathname} failed: relation "webhook_endpoints" already ` +
        `exists. Nothing of it was kept; ${before.join(", ")} before it stay. Put right what it says and run the ` +
        "migrations again: they go on with this one.",
    });
    expect(namesOf(await done(url))).toEqual(before);
    expect(await query(url, "SELECT to_regclass('events') AS made")).toEqual([{ made: null }]);
    expect(await locks(url)).toEqual([]);
  });

  it("go on with the one that failed, and run once where several processes run them", async () => {
    await query(url, "DROP TABLE webhook_endpoints");
    const ran = await Promise.all([1, 2, 3].map(() => runMigrations(way, { isPooled })));
    expect(namesOf(await done(url))).toEqual(inOrder);
    expect(ran.flat().sort()).toEqual(inOrder.slice(inOrder.findIndex((name) => name.startsWith("Webhooks"))).sort());
    expect(await locks(url)).toEqual([]);
  });

  it("that have all run change nothing, and wait for nothing", async () => {
    const other = new pg.Client(url);
    await other.connect();
    await other.query("SELECT pg_advisory_lock(7246128)");
    expect(await runMigrations(way, { isPooled })).toEqual([]);
    await other.end();
  });
});

it("migrations say what they wait for, and go on when it ends", async () => {
  const url = await emptyDatabase();
  const other = new pg.Client({ connectionString: url, application_name: "an older release" });
  await other.connect();
  const [{ pid }] = (await other.query("SELECT pg_advisory_lock(7246128), pg_backend_pid() AS pid")).rows;
  const said: string[] = [];
  const running = runMigrations(url, { say: (text) => said.push(text) });
  await vi.waitFor(() => expect(said).toHaveLength(1), 20_000);
  expect(said[0]).toMatch(
    new RegExp(
      `^Waiting for another process that migrates: process ${pid}, 'an older release', since \\d\\d:\\d\\d:\\d\\d UTC\\.$`,
    ),
  );
  await other.end();
  expect(await running).toEqual(inOrder);
}, 60_000);

it("a migration that may not make its table says so", async () => {
  const url = new URL(await emptyDatabase());
  const role = `powerless_${randomUUID().replaceAll("-", "")}`;
  await query(url.href, `CREATE ROLE ${role} LOGIN PASSWORD 'powerless'`);
  roles.push(role);
  await query(url.href, "REVOKE CREATE ON SCHEMA public FROM public");
  [url.username, url.password] = [role, "powerless"];
  await expect(runMigrations(url.href)).rejects.toThrow(
    `Migration ${inOrder[0]} of ${url.host}${url.pathname} failed: permission denied for schema public. Nothing of it was ` +
      "kept; nothing was changed before it.",
  );
});
