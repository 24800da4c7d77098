import type { EntityManager } from "typeorm";

/** Money for orders. */
export const payments = {
  /** Sum of an order's paid payments. */
  async paidRub(tx: EntityManager, orderId: string) {
    const [row]: { sum: number }[] = await tx.query(
      "SELECT coalesce(sum(amount_rub), 0)::float8 AS sum FROM payments WHERE order_id = $1 AND state = 'paid'",
      [orderId],
    );
    return row?.sum ?? 0;
  },
};
