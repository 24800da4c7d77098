import type { EntityManager } from "typeorm";
import { Product } from "../../entities/catalogue/product.ts";
import { withImageDao } from "./with-image.ts";

/** Products as rows, to change them; views use flat rows (`catalogue-rows.ts`). */
export const products = {
  ...withImageDao(Product),

  /** Keeps the product from being deleted until the transaction ends; `null` when there is none. */
  lockShared: (tx: EntityManager, id: string) =>
    tx.findOne(Product, { where: { id, isDeleted: false }, lock: { mode: "pessimistic_read" } }),

  /** Marks a product as deleted; false when there is no undeleted one. */
  async remove(tx: EntityManager, id: string) {
    return (await tx.update(Product, { id, isDeleted: false }, { isDeleted: true })).affected === 1;
  },

  /** Shows a deleted product again. */
  async restore(tx: EntityManager, id: string) {
    await tx.update(Product, { id, isDeleted: true }, { isDeleted: false });
  },
};
