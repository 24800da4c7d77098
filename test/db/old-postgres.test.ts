import { randomUUID } from "node:crypto";
import pg from "pg";
import { afterAll, expect, inject, test } from "vitest";
import { checkVersion, runMigrations } from "../../src/db/run-migrations.ts";

const name = `old_${randomUUID().replaceAll("-", "")}`;
const url = new URL(`/${name}`, inject("postgresUrl")).href;

async function query(address: string, sql: string) {
  const client = new pg.Client(address);
  await client.connect();
  return client.query(sql).finally(() => client.end());
}

afterAll(() => query(inject("postgresUrl"), `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));

test.each(["13.22 (Debian 13.22-0+deb11u1)", "12.6", "9.6.24"])(
  "a server of version %s is refused by name",
  (version) => {
    const old = () => checkVersion("postgresql://shop:secret@db.example/shop", version);
    expect(old).toThrow(
      `Postgres at db.example is version ${version}, and 14 or newer is needed. Nothing was changed there.`,
    );
  },
);

test.each(["14.0", "15.13 (Debian 15.13-0+deb12u1)", "18.4", "19beta1", "20.0"])(
  "a server of version %s will do",
  (version) => {
    expect(() => checkVersion("postgresql://db.example/shop", version)).not.toThrow();
  },
);

test("a migration asks for the version before it changes anything", async () => {
  await query(inject("postgresUrl"), `CREATE DATABASE ${name}`);
  // What the server says of itself is hidden by a function of the same name.
  await query(url, "CREATE SCHEMA old; CREATE FUNCTION old.current_setting(text) RETURNS text RETURN '13.6'");
  await query(url, `ALTER DATABASE ${name} SET search_path = old, pg_catalog, public`);
  await expect(runMigrations(url)).rejects.toThrow("is version 13.6, and 14 or newer is needed");
  const { rows } = await query(url, "SELECT tablename FROM pg_tables WHERE schemaname IN ('public', 'old')");
  expect(rows).toEqual([]);
});
