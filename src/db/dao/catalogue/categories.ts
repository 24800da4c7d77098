import type { EntityManager } from "typeorm";
import { Category } from "../../entities/catalogue/category.ts";
import { withImage, withImageDao } from "./with-image.ts";

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
