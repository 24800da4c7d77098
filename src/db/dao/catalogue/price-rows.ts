import type { EntityManager } from "typeorm";

/** One offer as the price list shows it. */
export interface PriceRow {
  bitrixId: string | null;
  category: string;
  subCategory: string;
  name: string;
  brand: string;
  manufacturerNumber: string;
  crossNumber: string | null;
  priceRub: number;
  superWholesalePriceRub: number;
  quantity: number;
}

interface KeyedRow extends PriceRow {
  productId: string;
  offerId: string;
}

/** A long list of cross numbers makes a row 12 kB, so this is a few megabytes at most. */
const batchSize = 500;

const subCategoriesSql = `
  SELECT sub_category.id FROM sub_categories sub_category
  JOIN categories category ON category.id = sub_category.category_id
  ORDER BY category.name, category.id, sub_category.name, sub_category.id`;

const batchSql = `
  SELECT product.id AS "productId", offer.id AS "offerId", product.bitrix_id AS "bitrixId", category.name AS category,
         sub_category.name AS "subCategory", product.name, offer.brand,
         offer.manufacturer_number AS "manufacturerNumber", product.cross_number AS "crossNumber",
         offer.price_rub AS "priceRub", offer.super_wholesale_price_rub AS "superWholesalePriceRub", offer.quantity
  FROM products product
  JOIN offers offer ON offer.product_id = product.id
  JOIN sub_categories sub_category ON sub_category.id = product.sub_category_id
  JOIN categories category ON category.id = sub_category.category_id
  WHERE product.sub_category_id = $1 AND NOT product.is_deleted AND NOT offer.is_deleted
    AND ($2::text IS NULL OR (product.name, product.id, offer.brand, offer.id) > ($2, $3::uuid, $4, $5::uuid))
  ORDER BY product.name, product.id, offer.brand, offer.id
  LIMIT ${batchSize}`;

const countSql = `
  SELECT count(*)::int AS count FROM offers offer JOIN products product ON product.id = offer.product_id
  WHERE NOT product.is_deleted AND NOT offer.is_deleted`;

/** The rows of price lists and stock reports: every offer that is not deleted. */
export const priceRows = {
  /** By category, sub-category, product and brand; one batch at a time is in memory. */
  async *all(tx: EntityManager): AsyncGenerator<PriceRow> {
    // One sub-category after the other, so that each statement sorts hundreds of rows and not all of them.
    const subCategories: { id: string }[] = await tx.query(subCategoriesSql);
    for (const { id } of subCategories) yield* rowsOf(tx, id);
  },

  async count(tx: EntityManager): Promise<number> {
    const [{ count } = { count: 0 }] = await tx.query(countSql);
    return count;
  },
};

async function* rowsOf(tx: EntityManager, subCategoryId: string): AsyncGenerator<PriceRow> {
  for (let last: KeyedRow | undefined; ; ) {
    const after = last ? [last.name, last.productId, last.brand, last.offerId] : [null, null, null, null];
    const rows: KeyedRow[] = await tx.query(batchSql, [subCategoryId, ...after]);
    yield* rows;
    last = rows.at(-1);
    if (!last || rows.length < batchSize) return;
  }
}
