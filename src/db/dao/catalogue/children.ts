import type { EntityManager } from "typeorm";

/** Rows that keep their parent from being deleted: how many there are, and the first few by name. */
export interface Children {
  count: number;
  first: readonly { id: string; name: string; isDeleted: boolean }[];
}

/** More names do not help a reader; the lists have all. */
const named = 3;

export const children = {
  /** The sub-categories of a category. */
  ofCategory: (tx: EntityManager, id: string) => childrenOf(tx, "sub_categories", "category_id", "false", id),

  /** The products of a sub-category, deleted ones too. */
  ofSubCategory: (tx: EntityManager, id: string) => childrenOf(tx, "products", "sub_category_id", "is_deleted", id),
};

async function childrenOf(tx: EntityManager, table: string, parent: string, deleted: string, id: string) {
  const rows: { id: string; name: string; isDeleted: boolean; count: number }[] = await tx.query(
    `SELECT id, name, ${deleted} AS "isDeleted", count(*) OVER ()::int AS count FROM ${table} WHERE ${parent} = $1
     ORDER BY name, id LIMIT ${named}`,
    [id],
  );
  return { count: rows[0]?.count ?? 0, first: rows } satisfies Children;
}
