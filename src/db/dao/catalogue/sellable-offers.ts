import type { EntityManager } from "typeorm";

/** The data of an offer that an order needs. */
export interface SellableOffer {
  id: string;
  brand: string;
  manufacturerNumber: string;
  priceRub: number;
  superWholesalePriceRub: number;
  /** Pieces in stock. */
  quantity: number;
  /** Not sold any more: the offer or its product is deleted. */
  isDiscontinued: boolean;
}

/** A weak lock, enough for a line to refer to its offer, so that the stock can change meanwhile. */
const lockSql = `
  SELECT o.id, o.brand, o.manufacturer_number AS "manufacturerNumber", o.price_rub AS "priceRub",
    o.super_wholesale_price_rub AS "superWholesalePriceRub", o.quantity, (o.is_deleted OR p.is_deleted) AS "isDiscontinued"
  FROM offers o JOIN products p ON p.id = o.product_id
  WHERE o.id = ANY($1) ORDER BY o.id FOR KEY SHARE OF o`;

export const sellableOffers = {
  /**
   * The offers of these ids, one statement; unknown ones are left out. Locked in the order of ids, as everywhere, until
   * the transaction ends.
   */
  lock: (tx: EntityManager, ids: Iterable<string>): Promise<SellableOffer[]> => tx.query(lockSql, [[...new Set(ids)]]),
};
