import type { EntityManager } from "typeorm";

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
