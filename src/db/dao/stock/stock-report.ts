import type { EntityManager } from "typeorm";

/** One offer that is in stock. */
export interface StockRow {
  id: string;
  category: string;
  name: string;
  brand: string;
  manufacturerNumber: string;
  /** Shelf or barcode. */
  sku: string | null;
  quantity: number;
  priceRub: number;
}

/** The stock of a category. */
export interface StockTotals {
  category: string;
  offers: number;
  pieces: number;
  /** At retail prices, roubles. */
  value: number;
}

const batchSize = 500;

const inStock = `
  FROM offers offer
  JOIN products product ON product.id = offer.product_id
  JOIN sub_categories sub_category ON sub_category.id = product.sub_category_id
  JOIN categories category ON category.id = sub_category.category_id
  WHERE offer.quantity > 0 AND NOT offer.is_deleted AND NOT product.is_deleted`;

const totalsSql = `
  SELECT category.name AS category, count(*)::int AS offers, sum(offer.quantity)::float8 AS pieces,
         sum(offer.quantity::bigint * offer.price_rub)::float8 AS value
  ${inStock} GROUP BY category.id, category.name ORDER BY value DESC, category.name, category.id`;

const batchSql = `
  SELECT offer.id, category.name AS category, product.name, offer.brand,
         offer.manufacturer_number AS "manufacturerNumber", offer.sku, offer.quantity, offer.price_rub AS "priceRub"
  ${inStock} AND category.id = $1
    AND ($2::text IS NULL OR (product.name, offer.brand, offer.id) > ($2, $3, $4::uuid))
  ORDER BY product.name, offer.brand, offer.id LIMIT ${batchSize}`;

/** The data of stock reports. */
export const stockReport = {
  /** The most valuable stock first. */
  byCategory: (tx: EntityManager): Promise<StockTotals[]> => tx.query(totalsSql),

  /** By category, product and brand; one batch at a time is in memory. */
  async *rows(tx: EntityManager): AsyncGenerator<StockRow> {
    const categories: { id: string }[] = await tx.query("SELECT id FROM categories ORDER BY name, id");
    for (const { id } of categories) {
      for (let last: StockRow | undefined; ; ) {
        const after = last ? [last.name, last.brand, last.id] : [null, null, null];
        const rows: StockRow[] = await tx.query(batchSql, [id, ...after]);
        yield* rows;
        last = rows.at(-1);
        if (rows.length < batchSize) break;
      }
    }
  },
};
