import type { EntityManager } from "typeorm";
import { Offer } from "../../entities/catalogue/offer.ts";
import { withImageDao } from "./with-image.ts";

/** Offers as rows, to change them; views use flat rows (`catalogue-rows.ts`). */
export const offers = {
  ...withImageDao(Offer),

  /** Marks an offer as deleted; false when there is no undeleted one. */
  async remove(tx: EntityManager, id: string) {
    return (await tx.update(Offer, { id, isDeleted: false }, { isDeleted: true })).affected === 1;
  },

  /** Shows a deleted offer again. */
  async restore(tx: EntityManager, id: string) {
    await tx.update(Offer, { id, isDeleted: true }, { isDeleted: false });
  },

  /** Marks all offers of a product as deleted, locked by id as everywhere. */
  async removeOfProduct(tx: EntityManager, productId: string) {
    await tx.query(
      `WITH of_product AS MATERIALIZED (
         SELECT id FROM offers WHERE product_id = $1 AND NOT is_deleted ORDER BY id FOR UPDATE
       )
       UPDATE offers SET is_deleted = true, updated_at = now() WHERE id IN (SELECT id FROM of_product)`,
      [productId],
    );
  },
};
