import { beforeAll, describe, expect, test } from "vitest";
import { insertRows } from "../../../../dev/demo/bulk.ts";
import { generateCatalogue } from "../../../../dev/demo/catalogue.ts";
import {
  offersContaining,
  offersLike,
  productsContaining,
  productsLike,
  type Search,
} from "../../../../src/db/dao/catalogue/catalogue-search.ts";
import { useDatabase } from "../../../support/database.ts";

const db = useDatabase();
const catalogue = generateCatalogue({ seed: 20, size: "small" });

beforeAll(async () => {
  await insertRows(db.manager, "categories", catalogue.categories);
  await insertRows(db.manager, "sub_categories", catalogue.subCategories);
  await insertRows(db.manager, "products", catalogue.products);
  await insertRows(db.manager, "offers", catalogue.offers);
  await db.query("UPDATE products SET is_deleted = true WHERE id IN (SELECT id FROM products ORDER BY id LIMIT 5)");
  await db.query("UPDATE offers SET is_deleted = true WHERE id IN (SELECT id FROM offers ORDER BY id LIMIT 10)");
  await db.query("ANALYZE products, offers, product_search, offer_search");
});

const [product, longest] = [...catalogue.products]
  .sort((a, b) => (a.crossNumber ?? "").length - (b.crossNumber ?? "").length)
  .slice(-2);
const offer = catalogue.offers[17];
/** What people type, and what they do not. */
const terms = [
  ...[
    "фильтр",
    "ФИЛЬТР салона",
    "Фыльтр",
    "колодка передняя",
    "масло",
    "abc",
    "zzzz",
    "1",
    "№",
    "a_b",
    "100%",
    "\\",
    "'",
  ],
  String(offer?.brand),
  String(offer?.manufacturerNumber),
  String(offer?.manufacturerNumber).slice(0, 4),
  String(product?.name),
  String(product?.crossNumber).slice(0, 12),
  String(longest?.crossNumber).slice(-9),
  String(catalogue.products[3]?.crossNumber ?? "7088-74"),
];

interface Found {
  id: string;
  rank: number;
}
const run = async (search: Search | undefined): Promise<Found[]> =>
  search ? db.query(`SELECT id, rank::float8 FROM (${search.sql}) found`, search.values) : [];
const ids = (found: Found[]) => found.map(({ id }) => id).sort();
const escaped = (term: string) => `%${term.replace(/[\\%_]/g, "\\$&")}%`;

const shown = "o.product_id = p.id AND NOT o.is_deleted AND NOT p.is_deleted";
const similar = (column: string) => `similarity(coalesce(${column}, ''), $1)`;
const best = `greatest(${["p.name", "p.cross_number", "o.manufacturer_number", "o.brand"].map(similar).join(", ")})`;

/** A real, as `similarity` is one: as a double, 0.15 is less than the 3/20 that it would have to exceed. */
describe("search finds what the plain definition finds", () => {
  test.each(terms)("offers that contain %j", async (term) => {
    const columns = ["p.name", "p.cross_number", "o.manufacturer_number", "o.brand"];
    const condition = columns.map((column) => `${column} ILIKE $1`).join(" OR ");
    const plain = await db.query(`SELECT o.id FROM offers o, products p WHERE ${shown} AND (${condition})`, [
      escaped(term),
    ]);
    expect(ids(await run(offersContaining(term)))).toEqual(ids(plain));
  });

  test.each(terms)("products that contain %j, dots aside", async (term) => {
    const condition = ["name", "cross_number"].map((column) => `replace(${column}, '.', '') ILIKE $1`).join(" OR ");
    const sql = `SELECT id FROM products WHERE NOT is_deleted AND (${condition})`;
    const plain = await db.query(sql, [escaped(term.replaceAll(".", ""))]);
    expect(ids(await run(productsContaining(term)))).toEqual(ids(plain));
  });

  test.each(terms)("offers like %j, as near as that", async (term) => {
    const sql = `SELECT o.id, ${best}::float8 AS rank FROM offers o, products p WHERE ${shown} AND ${best} > 0.15::real`;
    const plain: Found[] = await db.query(sql, [term]);
    const found = await run(await offersLike(db.manager, term));
    expect(ids(found)).toEqual(ids(plain));
    const rankOf = new Map(plain.map(({ id, rank }) => [id, rank]));
    for (const { id, rank } of found) expect(rank).toBeCloseTo(rankOf.get(id) ?? Number.NaN, 5);
  });

  test.each(terms)("products like %j, as near as that", async (term) => {
    const sql =
      "SELECT id, similarity(name, $1)::float8 AS rank FROM products WHERE NOT is_deleted AND similarity(name, $1) > 0.1::real";
    const plain: Found[] = await db.query(sql, [term]);
    const found = await run(await productsLike(db.manager, term));
    expect(ids(found)).toEqual(ids(plain));
  });

  test("most of these terms find something, and some find nothing", async () => {
    const counts = await Promise.all(terms.map(async (term) => (await run(await offersLike(db.manager, term))).length));
    expect(counts.filter((count) => count > 0).length).toBeGreaterThan(8);
    expect(counts).toContain(0);
  });
});

describe("search asks an index of trigrams", () => {
  const explain = async (search: Search | undefined) => {
    if (!search) throw new Error("the term finds nothing");
    const lines: Record<string, string>[] = await db.transaction(async (tx) => {
      // On 300 products a scan is as fast; on 22,700 offers it is not (docs/benchmarks.md).
      await tx.query("SET LOCAL enable_seqscan = off");
      return tx.query(`EXPLAIN ${search.sql}`, search.values);
    });
    return lines.map((line) => line["QUERY PLAN"]).join("\n");
  };

  test.each([
    ["offers that contain a term", () => offersContaining("фильтр")],
    ["products that contain a term", () => productsContaining("фильтр")],
    ["offers like a term", () => offersLike(db.manager, "фильтр салона")],
    ["products like a term", () => productsLike(db.manager, "фильтр салона")],
  ])("for %s", async (_what, search) => {
    const plan = await explain(await search());
    expect(plan).toMatch(/Bitmap Index Scan on \w+/);
    expect(plan).not.toMatch(/Seq Scan on (products|offers|product_search|offer_search)/);
  });
});

describe("what can be found", () => {
  test("follows every change of names, numbers and deletion", async () => {
    const [id] = ids(await run(offersContaining(String(offer?.manufacturerNumber))));
    const finds = async (term: string) => ids(await run(offersContaining(term))).includes(String(id));
    await db.query("UPDATE offers SET manufacturer_number = 'QX-7719-Z' WHERE id = $1", [id]);
    expect(await finds("qx-7719")).toBe(true);
    await db.query(
      "UPDATE products SET name = 'Редкая вещь' WHERE id = (SELECT product_id FROM offers WHERE id = $1)",
      [id],
    );
    expect(await finds("редкая ВЕЩЬ")).toBe(true);
    await db.query("UPDATE offers SET is_deleted = true WHERE id = $1", [id]);
    expect(await finds("qx-7719")).toBe(false);
    await db.query("UPDATE offers SET is_deleted = false WHERE id = $1", [id]);
    expect(await finds("qx-7719")).toBe(true);
    await db.query("UPDATE products SET is_deleted = true WHERE id = (SELECT product_id FROM offers WHERE id = $1)", [
      id,
    ]);
    expect(await finds("qx-7719")).toBe(false);
  });
});
