import type { DataSource } from "typeorm";

/** Each row that it finds is a broken promise; the stock and the balances that never moved prove nothing. */
const checks = {
  "the stock of an offer is what it was at first and what was moved since, one movement after the other": `
    SELECT DISTINCT o.id FROM offers o JOIN (
      SELECT offer_id, quantity_before, lag(quantity_after) OVER one_by_one AS previous,
        first_value(quantity_before) OVER one_by_one AS initial, sum(delta) OVER (PARTITION BY offer_id) AS moved
      FROM stock_movements WINDOW one_by_one AS (PARTITION BY offer_id ORDER BY created_at, id)
    ) m ON m.offer_id = o.id
    WHERE m.previous <> m.quantity_before OR m.initial + m.moved <> o.quantity OR o.quantity < 0`,

  "each line of a committed waybill has moved its pieces once, and no other line has": `
    SELECT l.id FROM waybill_offers l JOIN waybills w ON w.id = l.waybill_id
    LEFT JOIN stock_movements m ON m.waybill_offer_id = l.id
    GROUP BY l.id, w.id
    HAVING count(m.id) <> CASE WHEN w.is_pending THEN 0 ELSE 1 END
      OR coalesce(sum(m.delta), 0) <>
        CASE WHEN w.is_pending THEN 0 WHEN w.waybill_type = 'WAYBILL_OUT' THEN -l.quantity ELSE l.quantity END`,

  "the balance of a user is what its history adds up to, one entry after the other": `
    SELECT DISTINCT u.id FROM users u LEFT JOIN (
      SELECT user_id, balance_before, lag(balance_after, 1, 0::bigint) OVER one_by_one AS previous,
        sum(delta) OVER (PARTITION BY user_id) AS moved
      FROM user_balance_history WHERE currency = 'RUB'
      WINDOW one_by_one AS (PARTITION BY user_id ORDER BY created_at, id)
    ) h ON h.user_id = u.id
    WHERE h.previous <> h.balance_before OR coalesce(h.moved, 0) <> u.balance_rub`,

  "what a waybill and the payments of its order have booked is the money that came in, less the goods that went out": `
    SELECT w.id FROM waybills w
    CROSS JOIN LATERAL (
      SELECT coalesce(sum(l.quantity::bigint * l.price_rub), 0) AS rub FROM waybill_offers l WHERE l.waybill_id = w.id
    ) goods
    CROSS JOIN LATERAL (
      SELECT coalesce(sum(h.delta), 0) AS booked,
        coalesce(sum(p.amount_rub) FILTER (WHERE p.state = 'paid' AND p.method <> 'BALANCE'), 0) AS taken
      FROM payments p LEFT JOIN user_balance_history h ON h.payment_id = p.id WHERE p.order_id = w.order_id
    ) paid
    CROSS JOIN LATERAL (
      SELECT coalesce(sum(h.delta), 0) AS booked, count(*) AS entries, bool_or(h.user_id <> w.customer_id) AS is_foreign
      FROM user_balance_history h WHERE h.waybill_id = w.id
    ) own
    WHERE own.entries > 1 OR own.is_foreign OR CASE
      WHEN w.is_pending OR w.author_id = w.customer_id THEN own.entries > 0
      WHEN w.waybill_type = 'WAYBILL_OUT' THEN own.booked + paid.booked <> paid.taken - goods.rub
      ELSE own.booked <> goods.rub END`,
};

/** Which sums of stock and balances are not those of their movements, and by which rows; empty when all is well. */
export async function brokenPromises(db: DataSource): Promise<Record<string, string[]>> {
  const broken: Record<string, string[]> = {};
  for (const [promise, sql] of Object.entries(checks)) {
    const rows: { id: string }[] = await db.query(sql);
    if (rows.length > 0) broken[promise] = rows.map(({ id }) => id);
  }
  return broken;
}
