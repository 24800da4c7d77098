import type { EntityManager } from "typeorm";

/** One offer as the feed shows it. */
export interface FeedOffer {
  id: string;
  name: string;
  brand: string;
  manufacturerNumber: string;
  subCategoryId: string;
  /** Object key of a stored picture, of the offer or else of its product. */
  objectKey: string | null;
  productObjectKey: string | null;
  imageUrl: string | null;
  productImageUrl: string | null;
  priceRub: number;
  sku: string | null;
  internalDescription: string | null;
  categorySlug: string;
  subCategorySlug: string;
  productSlug: string;
}

export interface FeedCategory {
  id: string;
  parentId: string | null;
  name: string;
}

const batchSize = 500;

const categoriesSql = `
  (SELECT id, NULL AS "parentId", name FROM categories ORDER BY name, id)
  UNION ALL
  (SELECT id, category_id AS "parentId", name FROM sub_categories ORDER BY name, id)`;

const isSold = "offer.quantity > 0 AND NOT offer.is_deleted AND NOT product.is_deleted";

const offersSql = `
  SELECT offer.id, product.name, offer.brand, offer.manufacturer_number AS "manufacturerNumber",
         product.sub_category_id AS "subCategoryId", own.object_key AS "objectKey",
         products.object_key AS "productObjectKey", offer.image_url AS "imageUrl",
         product.image_url AS "productImageUrl", offer.price_rub AS "priceRub", offer.sku,
         offer.internal_description AS "internalDescription", category.slug AS "categorySlug",
         sub_category.slug AS "subCategorySlug", product.slug AS "productSlug"
  FROM offers offer
  JOIN products product ON product.id = offer.product_id
  JOIN sub_categories sub_category ON sub_category.id = product.sub_category_id
  JOIN categories category ON category.id = sub_category.category_id
  LEFT JOIN images own ON own.id = offer.image_id
  LEFT JOIN images products ON products.id = product.image_id
  WHERE offer.id > $1 AND offer.price_rub > 0 AND ${isSold}
  ORDER BY offer.id LIMIT ${batchSize}`;

/** The rows of the Yandex feed. */
export const feedRows = {
  /** Categories, then sub-categories, each by name. */
  categories: (tx: EntityManager): Promise<FeedCategory[]> => tx.query(categoriesSql),

  /** How many offers in stock have no price. */
  async countWithoutPrice(tx: EntityManager): Promise<number> {
    const [row] = await tx.query(
      `SELECT count(*)::int AS count FROM offers offer JOIN products product ON product.id = offer.product_id
       WHERE offer.price_rub = 0 AND ${isSold}`,
    );
    return row.count;
  },

  /** Offers in stock that have a price, by id; one batch at a time is in memory. */
  async *offers(tx: EntityManager): AsyncGenerator<FeedOffer[]> {
    for (let last = "00000000-0000-0000-0000-000000000000"; ; ) {
      const rows: FeedOffer[] = await tx.query(offersSql, [last]);
      const end = rows.at(-1);
      if (!end) return;
      yield rows;
      last = end.id;
    }
  },
};
