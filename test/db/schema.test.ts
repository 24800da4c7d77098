import { describe, expect, test } from "vitest";
import { useDatabase } from "../support/database.ts";

const db = useDatabase();

const bareForeignKeys = `
  SELECT conrelid::regclass::text || ' ' || conname AS name FROM pg_constraint c
  WHERE contype = 'f' AND connamespace = 'public'::regnamespace AND NOT EXISTS (
    SELECT 1 FROM pg_index i
    WHERE i.indrelid = c.conrelid AND (i.indkey::smallint[])[0:cardinality(c.conkey) - 1] OPERATOR(pg_catalog.@>) c.conkey
      AND (i.indpred IS NULL OR pg_get_expr(i.indpred, i.indrelid) LIKE '%IS NOT NULL%')
  ) ORDER BY 1`;

const withoutTime = `
  SELECT table_name || '.' || column_name AS name FROM information_schema.columns
  WHERE table_schema = 'public' AND data_type = 'timestamp without time zone' AND table_name <> 'migrations'`;

const nullableTimes = `
  SELECT table_name || '.' || column_name AS name FROM information_schema.columns
  WHERE table_schema = 'public' AND column_name IN ('created_at', 'updated_at') AND is_nullable = 'YES'`;

const names = async (sql: string) => (await db.query(sql)).map(({ name }: { name: string }) => name);

describe("the schema", () => {
  test("has an index for every foreign key", async () => {
    expect(await names(bareForeignKeys)).toEqual([]);
    await db.query("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (a_id int REFERENCES a, c int)");
    expect(await names(bareForeignKeys)).toEqual(["b b_a_id_fkey"]);
    await db.query("CREATE INDEX ON b (c, a_id)");
    expect(await names(bareForeignKeys)).toEqual(["b b_a_id_fkey"]);
    await db.query("DROP TABLE b, a");
  });

  test("knows of every moment where on earth it was, and when each row was made and changed", async () => {
    expect(await names(withoutTime)).toEqual([]);
    expect(await names(nullableTimes)).toEqual([]);
  });

  test("notes every change of a row that can change, and no change that is none", async () => {
    const unnoted = `
      SELECT table_name AS name FROM information_schema.columns
      WHERE table_schema = 'public' AND column_name = 'updated_at'
        AND table_name NOT IN (SELECT event_object_table FROM information_schema.triggers)
        AND table_name NOT IN ('audit_log', 'user_balance_history')`;
    expect(await names(unnoted)).toEqual([]);
    await db.query("INSERT INTO categories (name, slug, updated_at) VALUES ('a', 'a', '2020-01-01')");
    const year = async () => (await db.query("SELECT updated_at FROM categories"))[0].updated_at.getFullYear();
    await db.query("UPDATE categories SET name = 'a'");
    expect(await year()).toBe(2020);
    await db.query("UPDATE categories SET name = 'b'");
    expect(await year()).toBeGreaterThan(2020);
  });

  test("can be taken back and made again", async () => {
    const { length } = db.migrations;
    for (let count = 0; count < length; count++) await db.undoLastMigration();
    const left = await names("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'");
    expect(left).toEqual(["migrations"]);
    expect(await db.runMigrations()).toHaveLength(length);
  });
});
