import type { EntityManager } from "typeorm";
import { OrderOffer } from "../../entities/orders/order-offer.ts";

/** A new line: brand, number and price at that moment. */
export type NewOrderLineRow = Pick<OrderOffer, "offerId" | "quantity" | "brand" | "manufacturerNumber" | "priceRub">;
export type OrderLineRowChange = Partial<Omit<NewOrderLineRow, "offerId">>;

/** New lines come after the existing ones; a caller that adds some locks the order. */
const insertSql = `
  INSERT INTO order_offers (order_id, offer_id, position, brand, manufacturer_number, quantity, price_rub)
  SELECT $1, line."offerId", line.position + last.position, line.brand, line."manufacturerNumber", line.quantity,
    line."priceRub"
  FROM json_to_recordset($2) AS line("offerId" uuid, position integer, brand text, "manufacturerNumber" text,
                                     quantity integer, "priceRub" integer)
  CROSS JOIN (SELECT coalesce(max(position), 0) AS position FROM order_offers WHERE order_id = $1) AS last
  ORDER BY line.position
  RETURNING id`;

const sumSql = `
  SELECT coalesce(sum(price_rub::bigint * quantity), 0)::float8 AS sum FROM order_offers WHERE order_id = $1`;

/** Lines of orders as rows; a missing one is `null` or `false`, never an error. */
export const orderOffers = {
  findById: (tx: EntityManager, id: string) => tx.findOneBy(OrderOffer, { id }),

  /** Every line of these orders; those of one order in the sequence in which they were added. */
  ofOrders: (tx: EntityManager, orderIds: readonly string[]) =>
    tx
      .createQueryBuilder(OrderOffer, "line")
      .where("line.order_id = ANY(:orderIds)", { orderIds })
      .orderBy("line.position", "ASC")
      .addOrderBy("line.id", "ASC")
      .getMany(),

  /** The number of lines of each of these orders; those without any are left out. */
  async countOf(tx: EntityManager, orderIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const rows: { id: string; count: number }[] = await tx.query(
      "SELECT order_id AS id, count(*)::int AS count FROM order_offers WHERE order_id = ANY($1) GROUP BY order_id",
      [orderIds],
    );
    return new Map(rows.map(({ id, count }) => [id, count]));
  },

  /** Inserts the lines in this sequence and returns their ids; one statement, however many there are. */
  async insert(tx: EntityManager, orderId: string, lines: readonly NewOrderLineRow[]): Promise<string[]> {
    if (lines.length === 0) return [];
    const numbered = lines.map((line, n) => ({ ...line, position: n + 1 }));
    const rows: { id: string }[] = await tx.query(insertSql, [orderId, JSON.stringify(numbered)]);
    return rows.map(({ id }) => id);
  },

  async patch(tx: EntityManager, id: string, change: OrderLineRowChange) {
    await tx.update(OrderOffer, { id }, change);
  },

  async remove(tx: EntityManager, id: string) {
    return (await tx.delete(OrderOffer, { id })).affected === 1;
  },

  /** The total of the order, whole roubles. */
  async totalRub(tx: EntityManager, orderId: string): Promise<number> {
    const [row]: { sum: number }[] = await tx.query(sumSql, [orderId]);
    return row?.sum ?? 0;
  },
};
