import type { EntityManager } from "typeorm";
import { SubCategory } from "../../entities/catalogue/sub-category.ts";
import { withImageDao, withJob } from "./with-image.ts";

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
