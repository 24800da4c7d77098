import { randomUUID } from "node:crypto";
import pg from "pg";
import type { DataSource } from "typeorm";
import { afterAll, beforeAll, inject } from "vitest";
import { createDataSource } from "../../src/db/data-source.ts";
import { type KeyedPool, openKeyedPool } from "../../src/platform/postgres/prepared.ts";

/** A database of its own for one test file, cloned from the migrated template in milliseconds. */
export function useDatabase() {
  const name = `test_${randomUUID().replaceAll("-", "")}`;
  const db = createDataSource(new URL(`/${name}`, inject("postgresUrl")).href);
  beforeAll(async () => {
    await asAdmin(`CREATE DATABASE ${name} TEMPLATE template`);
    await db.initialize();
  });
  afterAll(async () => {
    if (db.isInitialized) await db.destroy();
    await asAdmin(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  });
  return db;
}

/** What workers claim with, on the database of `db`. */
export function useKeyedPool(db: DataSource) {
  let pool: KeyedPool | undefined;
  beforeAll(() => {
    pool = openKeyedPool(db, 4);
  });
  afterAll(() => pool?.close());
  return () => pool as KeyedPool;
}

async function asAdmin(sql: string) {
  const client = new pg.Client(inject("postgresUrl"));
  await client.connect();
  await client.query(sql).finally(() => client.end());
}
