import type { EntityManager } from "typeorm";

/** An order as one line of a list. */
export interface NewOrderSummary {
  id: string;
  createdAt: Date;
  sumRub: number;
}

/** The number of orders made from `since` until before `until`, and the first `limit` of them. */
export async function newOrders(
  tx: EntityManager,
  { since, until, limit }: { since: Date; until: Date; limit: number },
): Promise<{ count: number; orders: NewOrderSummary[] }> {
  const [total]: { count: number }[] = await tx.query(
    "SELECT count(*)::int AS count FROM orders WHERE created_at >= $1 AND created_at < $2",
    [since, until],
  );
  const orders: NewOrderSummary[] = await tx.query(
    `SELECT orders.id, orders.created_at AS "createdAt",
       (SELECT coalesce(sum(line.quantity::bigint * line.price_rub), 0)::float8 FROM order_offers line
        WHERE line.order_id = orders.id) AS "sumRub"
     FROM orders WHERE created_at >= $1 AND created_at < $2 ORDER BY created_at, id LIMIT $3`,
    [since, until, limit],
  );
  return { count: total?.count ?? 0, orders };
}
