import type { EntityManager } from "typeorm";

/** Pieces of one offer at one price on some waybills. */
export interface BookedGoods {
  offerId: string;
  priceRub: number;
  quantity: number;
  /** How many of them are on committed waybills, which stay as they are. */
  committed: number;
  /** Ids of the pending waybills that hold the rest. */
  pending: string[];
}

const bookedSql = (column: "order_id" | "return_of") => `
  SELECT l.offer_id AS "offerId", l.price_rub AS "priceRub", sum(l.quantity)::float8 AS quantity,
    coalesce(sum(l.quantity) FILTER (WHERE NOT w.is_pending), 0)::float8 AS committed,
    coalesce(array_agg(DISTINCT w.id) FILTER (WHERE w.is_pending), '{}') AS pending
  FROM waybills w JOIN waybill_offers l ON l.waybill_id = w.id
  WHERE w.${column} = $1 AND ($2::uuid IS NULL OR w.id <> $2)
  GROUP BY l.offer_id, l.price_rub ORDER BY l.offer_id, l.price_rub`;

/** What waybills, committed or pending, have taken of an order, or returned of a delivery. */
export const bookedGoods = {
  /** On all waybills of an order, or on all but one of them. */
  ofOrder: (tx: EntityManager, orderId: string, except: string | null = null): Promise<BookedGoods[]> =>
    tx.query(bookedSql("order_id"), [orderId, except]),

  /** On all returns of a delivery, or on all but one of them. */
  ofDelivery: (tx: EntityManager, waybillId: string, except: string | null = null): Promise<BookedGoods[]> =>
    tx.query(bookedSql("return_of"), [waybillId, except]),

  /** Gives the lines of an order's pending waybills its new price. */
  async reprice(
    tx: EntityManager,
    { orderId, offerId, from, to }: { orderId: string; offerId: string; from: number; to: number },
  ) {
    await tx.query(
      `UPDATE waybill_offers l SET price_rub = $4 FROM waybills w
       WHERE w.id = l.waybill_id AND w.order_id = $1 AND w.is_pending AND l.offer_id = $2 AND l.price_rub = $3`,
      [orderId, offerId, from, to],
    );
  },
};
