import type { EntityManager } from "typeorm";
import { containing } from "../like.ts";
import { type TrigramColumn, trigramFrequencies } from "./trigram-frequencies.ts";
import { probe, type Threshold } from "./trigram-probe.ts";

/** What a search finds: SQL that gives `id` and `rank`; its values start at $1. */
export interface Search {
  /** Set when Postgres may plan it once for all terms. */
  name?: string;
  sql: string;
  values: unknown[];
  order: "best first" | "id descending" | "id ascending";
}

/** Wire contract 3.6 and 3.7. */
const productThreshold: Threshold = { over: 1, of: 10 };
const offerThreshold: Threshold = { over: 3, of: 20 };

/** Products that have the term in their name or numbers; dots count nowhere. */
export function productsContaining(term: string): Search {
  const sql = `
    SELECT id, 0 AS rank FROM products
    WHERE NOT is_deleted AND replace(search_text, '.', '') LIKE lower($1)`;
  return { sql, values: [containing(term.replaceAll(".", ""))], order: "id descending" };
}

/**
 * Offers that have the term in their brand or number, or in their product's name or numbers. The texts decide; without
 * their dots they only lead to the index.
 */
export function offersContaining(term: string): Search {
  const sql = `
    SELECT o.id, 0 AS rank FROM offers o JOIN products p ON p.id = o.product_id AND NOT p.is_deleted
    WHERE NOT o.is_deleted AND o.search_text LIKE lower($1)
    UNION
    SELECT o.id, 0 FROM products p JOIN offers o ON o.product_id = p.id
    WHERE NOT p.is_deleted AND NOT o.is_deleted
      AND p.search_text LIKE lower($1) AND replace(p.search_text, '.', '') LIKE lower($2)`;
  return { sql, values: [containing(term), containing(term.replaceAll(".", ""))], order: "id descending" };
}

/** Products whose name is similar to the term; undefined when nothing is similar to it. */
export async function productsLike(reader: EntityManager, term: string): Promise<Search | undefined> {
  const similar = await similarTo(reader, term, productThreshold);
  if (!similar) return undefined;
  const sql = similar.select("products", "name_trigrams", "t.id");
  return { name: "products-like", sql, values: similar.values, order: "best first" };
}

/** Offers whose brand, number, or product's name or numbers are similar to the term; undefined as above. */
export async function offersLike(reader: EntityManager, term: string): Promise<Search | undefined> {
  const similar = await similarTo(reader, term, offerThreshold);
  if (!similar) return undefined;
  const sql = `
    SELECT id, max(rank) AS rank FROM (
      SELECT o.id, found.rank FROM (
        ${similar.select("products", "name_trigrams", "t.id")}
        UNION ALL
        ${similar.select("products", "cross_number_trigrams", "t.id")}
      ) found JOIN offers o ON o.product_id = found.id AND NOT o.is_deleted
      UNION ALL
      SELECT found.id, found.rank FROM (
        ${similar.select("offers", "brand_trigrams", "t.id, t.product_id")}
        UNION ALL
        ${similar.select("offers", "manufacturer_number_trigrams", "t.id, t.product_id")}
      ) found JOIN products p ON p.id = found.product_id AND NOT p.is_deleted
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

  /** One column's matches with their similarity; what the index gives are candidates. */
  const select = (table: "products" | "offers", column: TrigramColumn, columns: string) => {
    const keys = values.push(probe(trigrams, threshold, frequencies(column)));
    const [texts, shared] = [`t.${column}`, `icount(t.${column} & $1)`];
    return `SELECT ${columns}, ${shared}::real / (icount(${texts}) + $2 - ${shared}) AS rank FROM ${table} t
      WHERE NOT t.is_deleted AND trigram_keys(${texts}) && $${keys}
        AND ${over + of} * ${shared} > ${over} * (icount(${texts}) + $2)`;
  };
  return { select, values };
}
