import type { EntityManager } from "typeorm";
import type { QueryDeepPartialEntity } from "typeorm/query-builder/QueryPartialEntity.js";
import { Category } from "../entities/category.ts";

const withImage = (tx: EntityManager) =>
  tx.createQueryBuilder(Category, "category").leftJoinAndSelect("category.image", "image");

/** One statement, so that the picture and the state of its job fit together. */
const withJob = (tx: EntityManager) => withImage(tx).leftJoinAndSelect("image.job", "job");

/** Categories as rows with their pictures; a missing one is `null` or `false`, never an error. */
export const categories = {
  findById: (tx: EntityManager, id: string) => withJob(tx).where("category.id = :id", { id }).getOne(),

  findBySlug: (tx: EntityManager, slug: string) => withJob(tx).where("category.slug = :slug", { slug }).getOne(),

  /** One page by name, and how many there are in all; two statements. */
  list: (tx: EntityManager, page: { limit: number; offset: number }) =>
    withImage(tx)
      .orderBy("category.name", "ASC")
      .addOrderBy("category.id", "ASC")
      .limit(page.limit)
      .offset(page.offset)
      .getManyAndCount(),

  /** Every category by name; there are a few dozen. */
  all: (tx: EntityManager) => withImage(tx).orderBy("category.name", "ASC").addOrderBy("category.id", "ASC").getMany(),

  /** Holds the row until the transaction ends: of two changes the later one sees the earlier. */
  lock: (tx: EntityManager, id: string) => tx.findOne(Category, { where: { id }, lock: { mode: "pessimistic_write" } }),

  async insert(tx: EntityManager, values: { name: string; slug: string; imageId: string | null }) {
    const row = tx.create(Category, values);
    await tx.insert(Category, row as QueryDeepPartialEntity<Category>);
    return row.id;
  },

  async patch(tx: EntityManager, id: string, change: Partial<Pick<Category, "name" | "slug" | "imageId">>) {
    return (await tx.update(Category, { id }, change)).affected === 1;
  },

  /** Marks the row as changed, because a picture that belongs to it has. */
  async touch(tx: EntityManager, id: string) {
    await tx.update(Category, { id }, { updatedAt: () => "now()" });
  },

  async remove(tx: EntityManager, id: string) {
    return (await tx.delete(Category, { id })).affected === 1;
  },
};
