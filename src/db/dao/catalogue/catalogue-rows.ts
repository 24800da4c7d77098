import type { EntityManager } from "typeorm";
import type { JobState } from "../../../engine/index.ts";
import type { ImageVariant } from "../../entities/catalogue/image.ts";

/** The picture of a row, as one column. */
interface PictureColumns {
  imageUrl: string | null;
  image: { objectKey: string; variants: ImageVariant[]; thumbhash: string | null } | null;
}

interface Dated {
  createdAt: Date;
  updatedAt: Date;
}

export interface CategoryRow extends PictureColumns, Dated {
  id: string;
  name: string;
  slug: string;
}

export interface SubCategoryRow extends CategoryRow {
  categoryId: string;
}

/** A product with the sums of its offers. */
export interface ProductRow extends PictureColumns, Dated {
  id: string;
  bitrixId: string | null;
  subCategoryId: string;
  name: string;
  slug: string;
  crossNumber: string | null;
  isDeleted: boolean;
  totalQuantity: number;
  minPriceRub: number | null;
}

export interface OfferRow extends PictureColumns, Dated {
  id: string;
  productId: string;
  offerBitrixId: string | null;
  sku: string | null;
  brand: string;
  manufacturerNumber: string;
  internalDescription: string | null;
  priceRub: number;
  superWholesalePriceRub: number;
  quantity: number;
  isDeleted: boolean;
}

/** With the job that makes, or made, the picture. */
export interface WithJob {
  imageJob: { id: string; state: JobState } | null;
}

/** The picture and the times of the table `t`, whose picture is joined as `i`. */
const common = `
  t.image_url AS "imageUrl", t.created_at AS "createdAt", t.updated_at AS "updatedAt",
  CASE WHEN i.id IS NOT NULL
    THEN json_build_object('objectKey', i.object_key, 'variants', i.variants, 'thumbhash', i.thumbhash) END AS image`;

export const productColumns = `
  t.id, t.bitrix_id AS "bitrixId", t.sub_category_id AS "subCategoryId", t.name, t.slug,
  t.cross_number AS "crossNumber", t.is_deleted AS "isDeleted", ${common},
  stock.total AS "totalQuantity", stock.least AS "minPriceRub"`;

/**
 * The sums of a product's offers, without deleted ones. The lowest price is shown beside the stock, so it is that of an
 * offer in stock where there is one (docs/decisions/0028-lowest-price.md).
 */
export const offerSums = (productId: string) => `
  CROSS JOIN LATERAL (
    SELECT coalesce(sum(quantity), 0)::float8 AS total,
           coalesce(min(price_rub) FILTER (WHERE quantity > 0), min(price_rub)) AS least
    FROM offers WHERE product_id = ${productId} AND NOT is_deleted
  ) stock`;

/** Followed by WHERE. */
export const productTables = `products t LEFT JOIN images i ON i.id = t.image_id ${offerSums("t.id")}`;

export const offerColumns = `
  t.id, t.product_id AS "productId", t.offer_bitrix_id AS "offerBitrixId", t.sku, t.brand,
  t.manufacturer_number AS "manufacturerNumber", t.internal_description AS "internalDescription",
  t.price_rub AS "priceRub", t.super_wholesale_price_rub AS "superWholesalePriceRub", t.quantity,
  t.is_deleted AS "isDeleted", ${common}`;

export const offerTables = "offers t LEFT JOIN images i ON i.id = t.image_id";

const job = `CASE WHEN j.id IS NOT NULL THEN json_build_object('id', j.id, 'state', j.state) END AS "imageJob"`;
const jobTable = "LEFT JOIN job j ON j.id = i.job_id";

/** Flat rows for views: parents are few and are joined in memory, which is several times faster than in SQL. */
export const catalogueRows = {
  /** All categories and, by name, sub-categories; a few hundred rows. */
  tree: async (tx: EntityManager) => ({
    categories: (await tx.query(
      `SELECT t.id, t.name, t.slug, ${common} FROM categories t LEFT JOIN images i ON i.id = t.image_id`,
    )) as CategoryRow[],
    subCategories: (await tx.query(
      `SELECT t.id, t.name, t.slug, t.category_id AS "categoryId", ${common}
       FROM sub_categories t LEFT JOIN images i ON i.id = t.image_id ORDER BY t.name, t.id`,
    )) as SubCategoryRow[],
  }),

  /** Products by id, in no order; unknown ids are left out. */
  products: (tx: EntityManager, ids: readonly string[]): Promise<ProductRow[]> =>
    tx.query(`SELECT ${productColumns} FROM ${productTables} WHERE t.id = ANY($1)`, [ids]),

  /** One product, deleted or not; of several the undeleted one, then the oldest. */
  async product(tx: EntityManager, column: "id" | "slug" | "bitrix_id", value: string) {
    const rows: (ProductRow & WithJob)[] = await tx.query(
      `SELECT ${productColumns}, ${job} FROM ${productTables} ${jobTable}
       WHERE t.${column} = $1 ORDER BY t.is_deleted, t.created_at, t.id LIMIT 1`,
      [value],
    );
    return rows[0];
  },

  /** One offer, deleted or not. */
  async offer(tx: EntityManager, id: string) {
    const rows: (OfferRow & WithJob)[] = await tx.query(
      `SELECT ${offerColumns}, ${job} FROM ${offerTables} ${jobTable} WHERE t.id = $1`,
      [id],
    );
    return rows[0];
  },

  /** Offers by id, deleted ones too, in no order; unknown ids are left out. */
  offers: (tx: EntityManager, ids: readonly string[]): Promise<OfferRow[]> =>
    tx.query(`SELECT ${offerColumns} FROM ${offerTables} WHERE t.id = ANY($1)`, [ids]),
};
