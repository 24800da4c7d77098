import type { EntityManager } from "typeorm";
import { Category } from "../../entities/catalogue/category.ts";
import { SubCategory } from "../../entities/catalogue/sub-category.ts";
import { withImage, withImageDao, withJob } from "./with-image.ts";

/** Categories as rows with their pictures; a missing one is `null` or `false`, never an error. */
export const categories = {
  ...withImageDao(Category),

  /** One page by name, and the total; two statements. */
  list: (tx: EntityManager, page: { limit: number; offset: number }) =>
    byName(tx).limit(page.limit).offset(page.offset).getManyAndCount(),

  /** Every category by name; there are a few dozen. */
  all: (tx: EntityManager) => byName(tx).getMany(),

  async remove(tx: EntityManager, id: string) {
    return (await tx.delete(Category, { id })).affected === 1;
  },
};

function byName(tx: EntityManager) {
  return withImage(tx, Category).orderBy("row.name", "ASC").addOrderBy("row.id", "ASC");
}

/** Sub-categories as rows with their pictures and categories; a missing one is `null` or `false`, never an error. */
export const subCategories = {
  ...withImageDao(SubCategory),

  findById: (tx: EntityManager, id: string) => withCategory(tx).where("row.id = :id", { id }).getOne(),

  findBySlug: (tx: EntityManager, slug: string) => withCategory(tx).where("row.slug = :slug", { slug }).getOne(),

  async remove(tx: EntityManager, id: string) {
    return (await tx.delete(SubCategory, { id })).affected === 1;
  },
};

function withCategory(tx: EntityManager) {
  return withJob(tx, SubCategory)
    .innerJoinAndSelect("row.category", "category")
    .leftJoinAndSelect("category.image", "categoryImage");
}

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
