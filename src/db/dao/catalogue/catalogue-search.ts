import type { EntityManager } from "typeorm";
import { containing } from "../../like.ts";
import { probe, type Threshold, type TrigramColumn, trigramFrequencies } from "./trigram-probe.ts";

/** The matches of a search: SQL that returns `id` and `rank`; its values start at $1. */
export interface Search {
  /** Set when Postgres may plan it once for all terms. */
  name?: string;
  sql: string;
  values: unknown[];
  order: "best first" | "id descending" | "id ascending";
}

/** Similarity has to be above these: contract 3.6 and 3.7. */
const productThreshold: Threshold = { over: 1, of: 10 };
const offerThreshold: Threshold = { over: 3, of: 20 };

/** Products that have the term in their name or numbers; dots are ignored. */
export function productsContaining(term: string): Search {
  const pattern = containing(term.replaceAll(".", ""));
  const sql = "SELECT product_id AS id, 0 AS rank FROM product_search WHERE replace(content, '.', '') LIKE lower($1)";
  return {
    ...(hasTrigram(pattern) && { name: "products-containing" }),
    sql,
    values: [pattern],
    order: "id descending",
  };
}

/** Offers that have the term in their brand or number, or in their product's name or numbers. */
export function offersContaining(term: string): Search {
  const [pattern, dotless] = [containing(term), containing(term.replaceAll(".", ""))];
  if (!hasTrigram(dotless)) return { sql: scanOffers, values: [pattern], order: "id descending" };
  return { name: "offers-containing", sql: lookUpOffers, values: [pattern, dotless], order: "id descending" };
}

/** The text with its dots decides; the text without them only leads to the index. */
const lookUpOffers = `
  SELECT o.offer_id AS id, 0 AS rank FROM offer_search o JOIN product_search p USING (product_id)
  WHERE o.content LIKE lower($1)
  UNION
  SELECT o.offer_id, 0 FROM product_search p JOIN offer_search o USING (product_id)
  WHERE p.content LIKE lower($1) AND replace(p.content, '.', '') LIKE lower($2)`;

/** For one or two letters, where no index helps. */
const scanOffers = `
  SELECT o.offer_id AS id, 0 AS rank FROM offer_search o
  JOIN (SELECT product_id, content LIKE lower($1) AS matches FROM product_search OFFSET 0) p USING (product_id)
  WHERE p.matches OR o.content LIKE lower($1)`;

/** True when an index of trigrams can be used. */
function hasTrigram(pattern: string) {
  return /[\p{L}\p{N}]{3}/u.test(pattern);
}

/** Products whose name is similar to the term; undefined when nothing can be. */
export async function productsLike(reader: EntityManager, term: string): Promise<Search | undefined> {
  const similar = await similarTo(reader, term, productThreshold);
  if (!similar) return undefined;
  const sql = similar.select("product_search", "name_trigrams", "t.product_id AS id");
  return { name: "products-like", sql, values: similar.values, order: "best first" };
}

/** Offers whose brand, number, or product's name or numbers are similar to the term; undefined when nothing can be. */
export async function offersLike(reader: EntityManager, term: string): Promise<Search | undefined> {
  const similar = await similarTo(reader, term, offerThreshold);
  if (!similar) return undefined;
  const sql = `
    SELECT id, max(rank) AS rank FROM (
      SELECT o.offer_id AS id, found.rank FROM (
        ${similar.select("product_search", "name_trigrams", "t.product_id")}
        UNION ALL
        ${similar.select("product_search", "cross_number_trigrams", "t.product_id")}
      ) found JOIN offer_search o USING (product_id)
      UNION ALL
      SELECT found.id, found.rank FROM (
        ${similar.select("offer_search", "brand_trigrams", "t.offer_id AS id, t.product_id")}
        UNION ALL
        ${similar.select("offer_search", "manufacturer_number_trigrams", "t.offer_id, t.product_id")}
      ) found JOIN product_search USING (product_id)
    ) found GROUP BY id`;
  return { name: "offers-like", sql, values: similar.values, order: "best first" };
}

/** Offers of these ids that can be bought. */
export function offersOf(ids: readonly string[]): Search {
  const sql = `
    SELECT o.id, 0 AS rank FROM offers o JOIN products p ON p.id = o.product_id
    WHERE o.id = ANY($1::uuid[]) AND NOT o.is_deleted AND NOT p.is_deleted`;
  return { name: "offers-of", sql, values: [ids], order: "id ascending" };
}

async function similarTo(reader: EntityManager, term: string, threshold: Threshold) {
  const [row]: { trigrams: number[] }[] = await reader.query("SELECT trigrams($1) AS trigrams", [term]);
  const trigrams = row?.trigrams ?? [];
  if (trigrams.length === 0) return undefined;
  const frequencies = await trigramFrequencies(reader);
  const values: unknown[] = [trigrams, trigrams.length];
  const { over, of } = threshold;

  /** The matches in one column with their similarity; the index returns candidates. */
  const select = (table: "product_search" | "offer_search", column: TrigramColumn, columns: string) => {
    const keys = values.push(probe(trigrams, threshold, frequencies(column)));
    const [texts, shared] = [`t.${column}`, `icount(t.${column} & $1)`];
    return `SELECT ${columns}, ${shared}::real / (icount(${texts}) + $2 - ${shared}) AS rank FROM ${table} t
      WHERE trigram_keys(${texts}) && $${keys} AND ${over + of} * ${shared} > ${over} * (icount(${texts}) + $2)`;
  };
  return { select, values };
}

type Facets = Record<string, number>;

/** The number of products in each category, by its name; categories without products are left out. */
export function categoryFacets(tx: EntityManager): Promise<Facets> {
  return facets(
    tx,
    `SELECT c.name, count(*)::integer AS count FROM products p
     JOIN sub_categories s ON s.id = p.sub_category_id JOIN categories c ON c.id = s.category_id
     WHERE NOT p.is_deleted GROUP BY c.name`,
  );
}

/** The number of products in each sub-category of a category, by its name; those of one name are added up. */
export function subCategoryFacets(tx: EntityManager, categoryId: string): Promise<Facets> {
  return facets(
    tx,
    `SELECT s.name, count(*)::integer AS count FROM products p JOIN sub_categories s ON s.id = p.sub_category_id
     WHERE NOT p.is_deleted AND s.category_id = $1 GROUP BY s.name`,
    [categoryId],
  );
}

async function facets(tx: EntityManager, sql: string, values: unknown[] = []): Promise<Facets> {
  const rows: { name: string; count: number }[] = await tx.query(sql, values);
  return Object.fromEntries(rows.map(({ name, count }) => [name, count]));
}
