import type { EntityManager } from "typeorm";
import type { ImageVariant } from "../../entities/catalogue/image.ts";

export interface SalesRow {
  name: string;
  imageUrl: string | null;
  image: { objectKey: string; variants: ImageVariant[]; thumbhash: string | null } | null;
  sold: number;
  revenue: number;
}

export interface FacetRow {
  slug: string;
  products: number;
}

/** Groups by product, which is cheap, then by what people see: two products may share name and picture. */
const bestSellingSql = `
  SELECT p.name, p.image_url AS "imageUrl",
    CASE WHEN i.id IS NOT NULL
      THEN json_build_object('objectKey', i.object_key, 'variants', i.variants, 'thumbhash', i.thumbhash) END AS image,
    sum(s.sold)::float8 AS sold, sum(s.revenue)::float8 AS revenue
  FROM (
    SELECT o.product_id, sum(l.quantity) AS sold, sum(l.quantity::bigint * l.price_rub) AS revenue
    FROM waybill_offers l
    JOIN waybills w ON w.id = l.waybill_id AND w.waybill_type = 'WAYBILL_OUT' AND NOT w.is_pending
    JOIN offers o ON o.id = l.offer_id
    GROUP BY o.product_id
  ) s
  JOIN products p ON p.id = s.product_id
  LEFT JOIN images i ON i.id = p.image_id
  GROUP BY p.name, p.image_url, i.id
  HAVING sum(s.revenue) > 0
  ORDER BY sum(s.sold) DESC, p.name, i.id`;

const facetsOf = {
  categories: "JOIN categories c ON c.id = s.category_id",
  subCategories: "JOIN sub_categories c ON c.id = s.id",
};

const facetsSql = (join: string) => `
  SELECT c.slug, count(*)::int AS products
  FROM products p JOIN sub_categories s ON s.id = p.sub_category_id ${join}
  WHERE NOT p.is_deleted GROUP BY c.slug ORDER BY c.slug`;

/** Sold products, and the sizes of categories. */
export const sales = {
  /** Committed outgoing waybills by what people see of a product, the most sold first; returns are not subtracted. */
  bestSelling: (tx: EntityManager): Promise<SalesRow[]> => tx.query(bestSellingSql),

  /** The number of products of a category or sub-category, by its slug; empty ones are left out. */
  facets: (tx: EntityManager, kind: keyof typeof facetsOf): Promise<FacetRow[]> => tx.query(facetsSql(facetsOf[kind])),
};
