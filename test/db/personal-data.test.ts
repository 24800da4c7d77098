import { describe, expect, test } from "vitest";
import { impersonalTables, personalTables } from "../../src/db/personal-data.ts";
import { useDatabase } from "../support/database.ts";

const db = useDatabase();

const schemaOf = async () => {
  const rows: { table: string; columns: string[] }[] = await db.query(
    `SELECT table_name AS table, array_agg(column_name::text ORDER BY column_name) AS columns
     FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
     WHERE table_schema = 'public' AND table_type = 'BASE TABLE' GROUP BY table_name`,
  );
  return new Map(rows.map(({ table, columns }) => [table, columns]));
};

/** What the lists do not speak of, and what they speak of that is not there. */
async function unlisted() {
  const schema = await schemaOf();
  const listed = new Set([...Object.keys(personalTables), ...Object.keys(impersonalTables)]);
  const tables = [...schema.keys()].filter((table) => !listed.has(table));
  const gone = [...listed].filter((table) => !schema.has(table));
  const columns = Object.entries(personalTables).flatMap(([table, { columns }]) => {
    const [known, there] = [Object.keys(columns), schema.get(table) ?? []];
    const differing = [...known, ...there].filter((column) => known.includes(column) !== there.includes(column));
    return differing.map((column) => `${table}.${column}`);
  });
  return [...tables, ...gone, ...columns];
}

describe("the list of what is stored about people", () => {
  test("names every table and every column, as personal or with a reason why not", async () => {
    expect(await unlisted()).toEqual([]);
  });

  test("misses a new table, and a new column of a table with personal data", async () => {
    await db.query("CREATE TABLE birthdays (day date); ALTER TABLE users ADD COLUMN nickname text");
    expect(await unlisted()).toEqual(["birthdays", "users.nickname"]);
    await db.query("DROP TABLE birthdays; ALTER TABLE users DROP COLUMN nickname");
  });

  test("has a table in one place alone, and rows that go do so whole", () => {
    const twice = Object.keys(personalTables).filter((table) => table in impersonalTables);
    expect(twice).toEqual([]);
    for (const { columns } of Object.values(personalTables)) {
      const all = Object.values(columns);
      if (!all.some((column) => "goes" in column)) continue;
      expect(all.filter((column) => "becomes" in column)).toEqual([]);
    }
  });
});

test("a guest's orders are found by an index", async () => {
  await db.query(
    `INSERT INTO orders (email, phone, first_name, last_name, status, shipping_method)
     SELECT 'guest' || n || '@mail.example', '+7978' || n, 'A', 'B', 'NEW', 'CARGO' FROM generate_series(1, 5000) n`,
  );
  await db.query("ANALYZE orders");
  const { rows, mentions } = personalTables.orders ?? {};
  const sql = `WITH person AS (SELECT $1::uuid, $2::text) SELECT t.id FROM orders t WHERE ${rows} OR ${mentions}`;
  const plan = JSON.stringify(await db.query(`EXPLAIN (FORMAT JSON) ${sql}`, [null, "guest5@mail.example"]));
  expect(plan).toContain("orders_email");
  expect(plan).not.toContain("Seq Scan");
  await db.query("DELETE FROM orders");
});

describe("what is left of JSON that must not say anything of a person", () => {
  const left = async (value: unknown) =>
    (await db.query("SELECT without_person($1::jsonb) AS left", [JSON.stringify(value)]))[0].left;

  test("is its shape, with ids, times, numbers and states", async () => {
    const id = "6f0d1c52-8a4b-4d1e-8f77-5b9c2a1e4d01";
    const payload = { status: "NEW", first_name: "Анна", lines: [{ offer_id: id, quantity: 2 }], at: "2026-01-02" };
    expect(await left(payload)).toEqual({ ...payload, first_name: "erased" });
    expect(await left([true, null, "ANNA", 79780000000])).toEqual([true, null, "erased", 0]);
  });

  test.each([
    [{ "anna@test.example": 1 }, { erased: 1 }],
    [{ status: "Анна" }, { status: "erased" }],
    [{ name: "Anna" }, { name: "erased" }],
    [
      { name: "PermanentError", message: "'anna@test.example'" },
      { name: "PermanentError", message: "erased" },
    ],
    [{ note: "OTHER" }, { note: "erased" }],
    ["2026-01-02 Anna", "erased"],
  ])("of %j is %j", async (value, expected) => {
    expect(await left(value)).toEqual(expected);
  });
});
