import type { EntityManager } from "typeorm";

export interface ScarceOfferRow {
  name: string;
  brand: string;
  manufacturerNumber: string;
  quantity: number;
}

/** Offers with so many pieces or fewer, the scarcest first; the first 200, because nobody reads more. */
export function scarceOffers(tx: EntityManager, atMost: number): Promise<ScarceOfferRow[]> {
  return tx.query(
    `SELECT product.name, offer.brand, offer.manufacturer_number AS "manufacturerNumber", offer.quantity
     FROM offers offer JOIN products product ON product.id = offer.product_id
     WHERE offer.quantity <= $1 ORDER BY offer.quantity, product.name, offer.id LIMIT 200`,
    [atMost],
  );
}
