import type { EntityManager } from "typeorm";
import type { CustomerType } from "../../entities/accounts/user.ts";

/** A line of a cart with its offer's present prices and stock. */
export interface CartLineRow {
  id: string;
  offerId: string;
  quantity: number;
  seenPriceRub: number;
  priceRub: number;
  superWholesalePriceRub: number;
  brand: string;
  manufacturerNumber: string;
  /** Pieces in stock. */
  stock: number;
  /** Not sold any more: the offer or its product is deleted. */
  isDiscontinued: boolean;
}

export interface CartRow {
  /** Null before the first offer is added. */
  id: string | null;
  customerType: CustomerType;
  createdAt: Date | null;
  updatedAt: Date | null;
}

export interface NewCartLine {
  offerId: string;
  quantity: number;
  priceRub: number;
}

const ofSql = `
  SELECT c.id, u.customer_type AS "customerType", c.created_at AS "createdAt", c.updated_at AS "updatedAt"
  FROM users u LEFT JOIN carts c ON c.user_id = u.id AND c.status = 'DRAFT' WHERE u.id = $1`;

const linesSql = `
  SELECT l.id, l.offer_id AS "offerId", l.quantity, l.seen_price_rub AS "seenPriceRub", o.price_rub AS "priceRub",
    o.super_wholesale_price_rub AS "superWholesalePriceRub", o.brand, o.manufacturer_number AS "manufacturerNumber",
    o.quantity AS stock, (o.is_deleted OR p.is_deleted) AS "isDiscontinued"
  FROM cart_offers l JOIN offers o ON o.id = l.offer_id JOIN products p ON p.id = o.product_id
  WHERE l.cart_id = $1 ORDER BY l.created_at, l.id`;

/** The new quantity of an offer that is in the cart already: the sum, or the larger of both. */
const quantities = {
  sum: "cart_offers.quantity + excluded.quantity",
  larger: "greatest(cart_offers.quantity, excluded.quantity)",
} as const;

/** Each line is a moment later than the one before, so that they keep their order. */
const putSql = (quantity: string, seenPrice: string) => `
  INSERT INTO cart_offers (cart_id, offer_id, quantity, seen_price_rub, created_at)
  SELECT $1, line."offerId", line.quantity, line."priceRub", clock_timestamp() + n * interval '1 microsecond'
  FROM ROWS FROM (json_to_recordset($2) AS ("offerId" uuid, quantity integer, "priceRub" integer))
    WITH ORDINALITY AS line("offerId", quantity, "priceRub", n)
  ON CONFLICT (cart_id, offer_id) DO UPDATE
    SET quantity = ${quantity}, seen_price_rub = ${seenPrice}, updated_at = now()
  RETURNING offer_id AS "offerId", quantity`;

/** Open carts and their lines; ordered carts are neither read nor written. */
export const carts = {
  /** The open cart of a user, and the customer's data; null when there is no such user. */
  async of(tx: EntityManager, userId: string): Promise<CartRow | null> {
    const [row]: CartRow[] = await tx.query(ofSql, [userId]);
    return row ?? null;
  },

  /** Lines with the present data of their offers, in the order in which they were added; one statement. */
  lines: (tx: EntityManager, cartId: string): Promise<CartLineRow[]> => tx.query(linesSql, [cartId]),

  /** Id of the user's open cart, locked until the transaction ends; undefined when there is none. */
  async lock(tx: EntityManager, userId: string): Promise<string | undefined> {
    const sql = "SELECT id FROM carts WHERE user_id = $1 AND status = 'DRAFT' FOR UPDATE";
    const [row]: { id: string }[] = await tx.query(sql, [userId]);
    return row?.id;
  },

  /** Opens a cart unless there is one. */
  async open(tx: EntityManager, userId: string) {
    await tx.query("INSERT INTO carts (user_id) VALUES ($1) ON CONFLICT (user_id) WHERE status = 'DRAFT' DO NOTHING", [
      userId,
    ]);
  },

  /** Adds offers, each once, and returns their new quantities. One statement, however many there are. */
  async add(
    tx: EntityManager,
    cartId: string,
    lines: readonly NewCartLine[],
  ): Promise<{ offerId: string; quantity: number }[]> {
    return tx.query(putSql(quantities.sum, "excluded.seen_price_rub"), [cartId, JSON.stringify(lines)]);
  },

  /** As `add`, but the larger quantity wins, and a price that was seen stays. */
  async merge(tx: EntityManager, cartId: string, lines: readonly NewCartLine[]) {
    await tx.query(putSql(quantities.larger, "cart_offers.seen_price_rub"), [cartId, JSON.stringify(lines)]);
  },

  /** True when the offer was in the cart. */
  async setQuantity(tx: EntityManager, cartId: string, offerId: string, quantity: number): Promise<boolean> {
    const sql = `UPDATE cart_offers SET quantity = $3, updated_at = now() WHERE cart_id = $1 AND offer_id = $2 RETURNING id`;
    const [rows]: [unknown[], number] = await tx.query(sql, [cartId, offerId, quantity]);
    return rows.length > 0;
  },

  /** Records these prices as seen; one statement, however many there are. */
  async setSeen(tx: EntityManager, cartId: string, prices: readonly { offerId: string; priceRub: number }[]) {
    const sql = `
      UPDATE cart_offers SET seen_price_rub = line."priceRub", updated_at = now()
      FROM json_to_recordset($2) AS line("offerId" uuid, "priceRub" integer)
      WHERE cart_id = $1 AND offer_id = line."offerId" AND seen_price_rub <> line."priceRub"`;
    await tx.query(sql, [cartId, JSON.stringify(prices)]);
  },

  /** Removes one offer, or all; returns how many there were. */
  async remove(tx: EntityManager, cartId: string, offerId: string | null): Promise<number> {
    const sql = "DELETE FROM cart_offers WHERE cart_id = $1 AND ($2::uuid IS NULL OR offer_id = $2)";
    const [, count]: [unknown, number] = await tx.query(sql, [cartId, offerId]);
    return count;
  },

  async touch(tx: EntityManager, cartId: string) {
    await tx.query("UPDATE carts SET updated_at = now() WHERE id = $1", [cartId]);
  },

  /** Closes a cart for good: it has become this order. */
  async markOrdered(tx: EntityManager, cartId: string, orderId: string) {
    await tx.query("UPDATE carts SET status = 'ORDERED', order_id = $2, updated_at = now() WHERE id = $1", [
      cartId,
      orderId,
    ]);
  },
};
