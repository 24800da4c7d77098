import type { EntityManager } from "typeorm";
import type { OrderStatus } from "../../entities/orders/order.ts";

/** The sums of one order, whole roubles. */
export interface OrderBooks {
  userId: string | null;
  status: OrderStatus;
  /** The price of its lines. */
  totalRub: number;
  /** Payments that were taken, less their refunds, except those from the balance. */
  takenRub: number;
  /** Payments from the balance, less their refunds. */
  fromBalanceRub: number;
  /** Payments that may still be taken. */
  promisedRub: number;
  /** Refunds that succeeded. */
  refundedRub: number;
  /** Refunds that the provider has yet to do. */
  refundingRub: number;
  /** Goods that have left. */
  deliveredRub: number;
  /** The part of them that the customer's balance is charged for: not what staff books for itself. */
  chargedRub: number;
  /** Goods that came back. */
  returnedRub: number;
  /** The part of them that the customer's balance got: not what it was never charged for. */
  creditedRub: number;
  /** What the order has changed in the balance so far. */
  bookedRub: number;
}

const linesRub = (of: string) =>
  `coalesce((SELECT sum(l.quantity::bigint * l.price_rub) FROM waybill_offers l WHERE l.waybill_id = ${of}.id), 0)`;

const readSql = `
  SELECT o.user_id AS "userId", o.status, total.rub::float8 AS "totalRub", p.taken::float8 AS "takenRub",
    p.balance::float8 AS "fromBalanceRub", p.promised::float8 AS "promisedRub", p.refunded::float8 AS "refundedRub",
    r.rub::float8 AS "refundingRub", d.rub::float8 AS "deliveredRub", d.charged::float8 AS "chargedRub",
    back.rub::float8 AS "returnedRub", back.credited::float8 AS "creditedRub",
    booked.rub::float8 AS "bookedRub"
  FROM orders o
  CROSS JOIN LATERAL (
    SELECT coalesce(sum(l.price_rub::bigint * l.quantity), 0) AS rub FROM order_offers l WHERE l.order_id = o.id
  ) total
  CROSS JOIN LATERAL (
    SELECT coalesce(sum(amount_rub - refunded_rub) FILTER (WHERE state = 'paid' AND method <> 'BALANCE'), 0) AS taken,
      coalesce(sum(amount_rub - refunded_rub) FILTER (WHERE state = 'paid' AND method = 'BALANCE'), 0) AS balance,
      coalesce(sum(amount_rub) FILTER (WHERE state IN ('pending', 'authorized')), 0) AS promised,
      coalesce(sum(refunded_rub) FILTER (WHERE state IN ('paid', 'refunded')), 0) AS refunded
    FROM payments WHERE order_id = o.id
  ) p
  CROSS JOIN LATERAL (
    SELECT coalesce(sum(refunds.amount_rub), 0) AS rub FROM refunds JOIN payments ON payments.id = refunds.payment_id
    WHERE payments.order_id = o.id AND payments.state = 'paid' AND refunds.state = 'pending'
  ) r
  CROSS JOIN LATERAL (
    SELECT coalesce(sum(${linesRub("w")}), 0) AS rub,
      coalesce(sum(${linesRub("w")}) FILTER (WHERE w.customer_id <> w.author_id), 0) AS charged
    FROM waybills w WHERE w.order_id = o.id AND NOT w.is_pending AND w.waybill_type = 'WAYBILL_OUT'
  ) d
  CROSS JOIN LATERAL (
    SELECT coalesce(sum(${linesRub("back")}), 0) AS rub,
      coalesce(sum(${linesRub("back")}) FILTER (WHERE w.customer_id <> w.author_id), 0) AS credited
    FROM waybills w JOIN waybills back ON back.return_of = w.id
    WHERE w.order_id = o.id AND NOT back.is_pending
  ) back
  CROSS JOIN LATERAL (
    SELECT coalesce(sum(h.delta), 0) AS rub FROM user_balance_history h
    WHERE h.currency = 'RUB' AND (
      h.payment_id IN (SELECT id FROM payments WHERE order_id = o.id AND state <> 'credited')
      OR h.waybill_id IN (SELECT id FROM waybills WHERE order_id = o.id))
  ) booked
  WHERE o.id = $1`;

/** The sums of an order from its rows; null when there is no such order. */
export async function readOrderBooks(tx: EntityManager, orderId: string): Promise<OrderBooks | null> {
  const [row]: OrderBooks[] = await tx.query(readSql, [orderId]);
  return row ?? null;
}
