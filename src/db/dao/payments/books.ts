import type { EntityManager } from "typeorm";
import { businessTimeZone } from "../../../jobs/schedules.ts";

/** A rule that the books always keep, and the SQL that finds what breaks it. */
export interface BookRule {
  name: string;
  rule: string;
  /** Rows `id`, `says`: an entity and a sentence with both sides. */
  sql: string;
}

/** What breaks a rule. */
export interface Disagreement {
  id: string;
  says: string;
}

const goodsRub = `SELECT waybill_id, sum(quantity::bigint * price_rub) AS rub FROM waybill_offers GROUP BY waybill_id`;

/** The rules of docs/money.md; a test compares both. */
export const bookRules: readonly BookRule[] = [
  {
    name: "waybill-customer",
    rule: "A waybill that has an order goes out, to the order's customer; a guest's goods are booked on its author.",
    sql: `
SELECT w.id, format('a %s for %s of order %s, which belongs to %s', w.waybill_type, w.customer_id, o.id,
                    coalesce(o.user_id::text, 'a guest')) AS says
FROM waybills w JOIN orders o ON o.id = w.order_id
WHERE w.waybill_type <> 'WAYBILL_OUT' OR w.customer_id <> coalesce(o.user_id, w.author_id)`,
  },
  {
    name: "ordered-goods",
    rule: "The waybills of an order hold no more of an offer at a price than the order.",
    sql: `
SELECT booked.order_id AS id, format('its waybills hold %s of offer %s at %s roubles, and it has %s', booked.pieces,
                                     booked.offer_id, booked.price_rub, coalesce(ordered.pieces, 0)) AS says
FROM (
  SELECT w.order_id, l.offer_id, l.price_rub, sum(l.quantity) AS pieces
  FROM waybills w JOIN waybill_offers l ON l.waybill_id = w.id WHERE w.order_id IS NOT NULL
  GROUP BY w.order_id, l.offer_id, l.price_rub
) booked
LEFT JOIN (
  SELECT order_id, offer_id, price_rub, sum(quantity) AS pieces FROM order_offers GROUP BY order_id, offer_id, price_rub
) ordered USING (order_id, offer_id, price_rub)
WHERE booked.pieces > coalesce(ordered.pieces, 0)`,
  },
  {
    name: "returned-goods",
    rule: "The returns of a delivery bring back no more than has left, from its customer, and only after its commit.",
    sql: `
SELECT returned.return_of AS id, format('its returns hold %s of offer %s at %s roubles, and it has %s', returned.pieces,
                                        returned.offer_id, returned.price_rub, coalesce(left_goods.pieces, 0)) AS says
FROM (
  SELECT w.return_of, l.offer_id, l.price_rub, sum(l.quantity) AS pieces
  FROM waybills w JOIN waybill_offers l ON l.waybill_id = w.id WHERE w.return_of IS NOT NULL
  GROUP BY w.return_of, l.offer_id, l.price_rub
) returned
LEFT JOIN (
  SELECT waybill_id AS return_of, offer_id, price_rub, sum(quantity) AS pieces FROM waybill_offers
  WHERE waybill_id IN (SELECT return_of FROM waybills) GROUP BY waybill_id, offer_id, price_rub
) left_goods USING (return_of, offer_id, price_rub)
WHERE returned.pieces > coalesce(left_goods.pieces, 0)
UNION ALL
SELECT w.id, format('returns %s, which is %s for %s', delivery.id,
                    CASE WHEN delivery.is_pending THEN 'a pending ' ELSE 'a ' END || delivery.waybill_type,
                    delivery.customer_id)
FROM waybills w JOIN waybills delivery ON delivery.id = w.return_of
WHERE delivery.is_pending OR delivery.waybill_type <> 'WAYBILL_OUT' OR delivery.customer_id <> w.customer_id`,
  },
  {
    name: "order-payments",
    rule: "What is paid and promised for an order is no more than its total.",
    sql: `
SELECT paid.order_id AS id, format('%s roubles are paid and promised, and it costs %s', paid.rub,
                                   coalesce(total.rub, 0)) AS says
FROM (
  SELECT order_id, sum(amount_rub - refunded_rub) AS rub FROM payments
  WHERE state IN ('pending', 'authorized', 'paid') GROUP BY order_id
) paid
LEFT JOIN (
  SELECT order_id, sum(quantity::bigint * price_rub) AS rub FROM order_offers GROUP BY order_id
) total USING (order_id)
WHERE paid.rub > coalesce(total.rub, 0)`,
  },
  {
    name: "refunds",
    rule: "A payment says what its refunds add up to, and they are no more than it is, nor than the goods of the return that they are for.",
    sql: `
SELECT p.id, format('%s of %s roubles, %s, with refunds of %s and %s more on their way', p.refunded_rub, p.amount_rub,
                    p.state, coalesce(r.done, 0), coalesce(r.pending, 0)) AS says
FROM payments p
LEFT JOIN (
  SELECT payment_id, sum(amount_rub) FILTER (WHERE state = 'succeeded') AS done,
    sum(amount_rub) FILTER (WHERE state = 'pending') AS pending
  FROM refunds GROUP BY payment_id
) r ON r.payment_id = p.id
WHERE p.refunded_rub <> coalesce(r.done, 0) OR coalesce(r.done, 0) + coalesce(r.pending, 0) > p.amount_rub
  OR (p.state = 'refunded') <> (p.refunded_rub = p.amount_rub)
  OR (coalesce(r.done, 0) + coalesce(r.pending, 0) > 0 AND p.state NOT IN ('paid', 'refunded', 'unmatched'))
UNION ALL
SELECT back.id, format('refunds of %s roubles for a %s %s of goods for %s, of a delivery of order %s', r.rub,
                       CASE WHEN back.is_pending THEN 'pending' ELSE 'committed' END, back.waybill_type,
                       coalesce(goods.rub, 0), coalesce(delivery.order_id::text, 'none'))
FROM (
  SELECT refunds.waybill_id, sum(refunds.amount_rub) AS rub, min(p.order_id::text) AS order_id,
    count(DISTINCT coalesce(p.order_id::text, 'none')) AS orders
  FROM refunds JOIN payments p ON p.id = refunds.payment_id
  WHERE refunds.waybill_id IS NOT NULL AND refunds.state <> 'failed' GROUP BY refunds.waybill_id
) r
JOIN waybills back ON back.id = r.waybill_id
LEFT JOIN waybills delivery ON delivery.id = back.return_of
LEFT JOIN (${goodsRub}) goods ON goods.waybill_id = back.id
WHERE back.is_pending OR r.rub > coalesce(goods.rub, 0) OR r.orders > 1
  OR delivery.order_id::text IS DISTINCT FROM r.order_id OR r.order_id IS NULL`,
  },
  {
    name: "money-on-record",
    rule: "Money that arrived stays taken; what matched nothing says why, and who got it.",
    sql: `
SELECT p.id, format('%s, arrived %s, with reason %s, credited to %s, whose balance changed by %s', p.state,
                    coalesce(p.paid_at::text, 'never'), coalesce(p.unmatched_reason, 'none'),
                    coalesce(p.credited_to::text, 'no user'), coalesce(h.delta, 0)) AS says
FROM payments p
LEFT JOIN user_balance_history h ON h.payment_id = p.id AND h.user_id = p.credited_to AND h.refund_id IS NULL
WHERE (p.state = 'unmatched' AND (p.unmatched_reason IS NULL OR p.paid_at IS NULL))
  OR (p.state = 'credited' AND (p.unmatched_reason IS NULL OR coalesce(h.delta, 0) <> p.amount_rub))
  OR (p.state IN ('paid', 'refunded') AND p.paid_at IS NULL)
  OR (p.state IN ('pending', 'authorized', 'failed') AND p.paid_at IS NOT NULL)`,
  },
  {
    name: "balance-history",
    rule: "A balance is what its history adds up to in each currency, one entry after the other.",
    sql: `
SELECT DISTINCT u.id, format('%s %s, and its history leads to %s', balance.value, h.currency, h.initial + h.moved) AS says
FROM users u
JOIN (
  SELECT user_id, currency, balance_before, lag(balance_after) OVER one_by_one AS previous,
    first_value(balance_before) OVER one_by_one AS initial, sum(delta) OVER (PARTITION BY user_id, currency) AS moved
  FROM user_balance_history
  WINDOW one_by_one AS (PARTITION BY user_id, currency ORDER BY created_at, id)
) h ON h.user_id = u.id
CROSS JOIN LATERAL (
  SELECT CASE h.currency WHEN 'RUB' THEN u.balance_rub WHEN 'USD' THEN u.balance_usd WHEN 'EUR' THEN u.balance_eur
    WHEN 'TRY' THEN u.balance_try END AS value
) balance
WHERE h.previous <> h.balance_before OR h.initial + h.moved IS DISTINCT FROM balance.value`,
  },
  {
    name: "customer-balance",
    rule: "Orders, payments and goods have changed a customer's balance by: money from outside and credited money, less refunds, less goods delivered, plus goods returned, less what is held for goods that have not left.",
    sql: `
WITH goods AS (${goodsRub}),
delivered AS (
  SELECT w.order_id, sum(goods.rub) AS rub
  FROM waybills w JOIN goods ON goods.waybill_id = w.id
  WHERE w.order_id IS NOT NULL AND NOT w.is_pending AND w.customer_id <> w.author_id GROUP BY w.order_id
),
paid AS (
  SELECT order_id, sum(amount_rub - refunded_rub) AS rub,
    coalesce(sum(amount_rub - refunded_rub) FILTER (WHERE method <> 'BALANCE'), 0) AS taken
  FROM payments WHERE state = 'paid' GROUP BY order_id
),
wanted AS (
  SELECT o.user_id, coalesce(paid.taken, 0) - coalesce(delivered.rub, 0)
    - greatest(0, coalesce(paid.rub, 0) - coalesce(delivered.rub, 0)) AS rub
  FROM orders o LEFT JOIN paid ON paid.order_id = o.id LEFT JOIN delivered ON delivered.order_id = o.id
  WHERE o.user_id IS NOT NULL AND (paid.order_id IS NOT NULL OR delivered.order_id IS NOT NULL)
  UNION ALL
  SELECT w.customer_id, CASE w.waybill_type WHEN 'WAYBILL_OUT' THEN -goods.rub ELSE goods.rub END
  FROM waybills w JOIN goods ON goods.waybill_id = w.id LEFT JOIN waybills delivery ON delivery.id = w.return_of
  WHERE w.order_id IS NULL AND NOT w.is_pending AND w.customer_id <> coalesce(delivery.author_id, w.author_id)
  UNION ALL
  SELECT credited_to, amount_rub FROM payments WHERE state = 'credited'
),
booked AS (
  SELECT user_id, sum(delta) AS rub FROM user_balance_history
  WHERE currency = 'RUB' AND (waybill_id IS NOT NULL OR payment_id IS NOT NULL) GROUP BY user_id
)
SELECT user_id AS id, format('its history has booked %s roubles, and its orders, payments and waybills say %s',
                             coalesce(booked.rub, 0), coalesce(sums.rub, 0)) AS says
FROM (SELECT user_id, sum(rub) AS rub FROM wanted GROUP BY user_id) sums FULL JOIN booked USING (user_id)
WHERE coalesce(booked.rub, 0) <> coalesce(sums.rub, 0)`,
  },
  {
    name: "stock",
    rule: "The stock of an offer is what it was at first and what was moved since, one movement after the other.",
    sql: `
SELECT DISTINCT o.id, format('%s pieces, and its movements lead to %s', o.quantity, m.initial + m.moved) AS says
FROM offers o
JOIN (
  SELECT offer_id, quantity_before, lag(quantity_after) OVER one_by_one AS previous,
    first_value(quantity_before) OVER one_by_one AS initial, sum(delta) OVER (PARTITION BY offer_id) AS moved
  FROM stock_movements WINDOW one_by_one AS (PARTITION BY offer_id ORDER BY created_at, id)
) m ON m.offer_id = o.id
WHERE m.previous <> m.quantity_before OR m.initial + m.moved <> o.quantity OR o.quantity < 0`,
  },
  {
    name: "movements",
    rule: "Each line of a committed waybill has moved its pieces once, and no other line has.",
    sql: `
SELECT l.id, format('line of waybill %s: %s pieces, moved by %s in %s movements', l.waybill_id, l.quantity,
                    coalesce(m.delta, 0), coalesce(m.times, 0)) AS says
FROM waybill_offers l
JOIN waybills w ON w.id = l.waybill_id
LEFT JOIN (
  SELECT waybill_offer_id, sum(delta) AS delta, count(*) AS times FROM stock_movements GROUP BY waybill_offer_id
) m ON m.waybill_offer_id = l.id
WHERE coalesce(m.times, 0) <> CASE WHEN w.is_pending THEN 0 ELSE 1 END
  OR coalesce(m.delta, 0) <>
    CASE WHEN w.is_pending THEN 0 WHEN w.waybill_type = 'WAYBILL_OUT' THEN -l.quantity ELSE l.quantity END`,
  },
  {
    name: "numbers",
    rule: "Committed waybills and invoices are numbered by kind and year, from 1 without a gap, and the year is the shop's at that moment.",
    sql: `
SELECT id, format('a waybill, %s, with number %s', CASE WHEN is_pending THEN 'pending' ELSE 'committed' END,
                  coalesce(paper_number::text, 'none')) AS says
FROM waybills WHERE is_pending = (paper_number IS NOT NULL)
UNION ALL
SELECT id, format('%s-%s, committed %s', paper_year, paper_number, committed_at)
FROM waybills WHERE paper_year <> extract(year FROM committed_at AT TIME ZONE '${businessTimeZone}')
UNION ALL
SELECT order_id, format('invoice %s-%s, issued %s', year, number, issued_at)
FROM invoices WHERE year <> extract(year FROM issued_at AT TIME ZONE '${businessTimeZone}')
UNION ALL
SELECT NULL, format('%s %s: %s numbers, the last one is %s', kind, year, count(*), max(number))
FROM (
  SELECT waybill_type AS kind, paper_year AS year, paper_number AS number FROM waybills WHERE paper_number IS NOT NULL
  UNION ALL
  SELECT 'invoices', year, number FROM invoices
) papers
GROUP BY kind, year HAVING count(*) <> max(number)`,
  },
];

/** What breaks a rule, at most 20 of it, and how much there is; reads only. */
export async function findDisagreements(
  tx: EntityManager,
  { sql }: BookRule,
): Promise<{ count: number; examples: Disagreement[] }> {
  const rows: (Disagreement & { count: number })[] = await tx.query(
    `SELECT id, says, (count(*) OVER ())::int AS count FROM (${sql}) AS broken LIMIT 20`,
  );
  return { count: rows[0]?.count ?? 0, examples: rows.map(({ id, says }) => ({ id, says })) };
}
