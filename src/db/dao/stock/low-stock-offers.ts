import type { EntityManager } from "typeorm";

export interface ScarceOfferRow {
  name: string;
  brand: string;
  manufacturerNumber: string;
  quantity: number;
}

/**
 * Offers on sale that have at most this many pieces and lost some within the time; the lowest stock first, and at most
 * 200, because a person reads no more.
 */
export function lowStockOffers(
  tx: EntityManager,
  { atMost, since, until }: { atMost: number; since: Date; until: Date },
): Promise<ScarceOfferRow[]> {
  return tx.query(
    `SELECT product.name, offer.brand, offer.manufacturer_number AS "manufacturerNumber", offer.quantity
     FROM offers offer JOIN products product ON product.id = offer.product_id
     WHERE offer.quantity <= $1 AND NOT offer.is_deleted AND NOT product.is_deleted AND offer.id IN (
       SELECT offer_id FROM stock_movements WHERE created_at >= $2 AND created_at < $3 AND delta < 0)
     ORDER BY offer.quantity, product.name, offer.id LIMIT 200`,
    [atMost, since, until],
  );
}
