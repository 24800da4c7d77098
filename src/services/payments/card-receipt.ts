import type { EntityManager } from "typeorm";
import { orderOffers } from "../../db/dao/orders/order-offers.ts";
import { orders } from "../../db/dao/orders/orders.ts";
import { NotFoundError } from "../../errors.ts";

/** Whom a receipt of the card provider goes to, and its lines in whole roubles. */
export interface CardReceipt {
  email: string;
  lines: { name: string; quantity: number; priceRub: number; kind: "goods" | "part" }[];
}

/**
 * What the receipt of a payment or refund of an order says: the lines of the order when it is about all of it, else one
 * line with the amount, because no rule says which goods a part is for. Throws when there is no such order.
 */
export async function cardReceipt(
  tx: EntityManager,
  { orderId, amountRub, part = "Оплата заказа" }: { orderId: string; amountRub: number; part?: string },
): Promise<CardReceipt> {
  const order = await orders.findById(tx, orderId);
  if (!order) throw new NotFoundError(`Order '${orderId}' not found`);
  const lines = (await orderOffers.ofOrders(tx, [orderId])).map(
    ({ brand, manufacturerNumber, quantity, priceRub }) => ({
      ...{ name: `${brand} ${manufacturerNumber}`.trim(), quantity, priceRub },
      kind: "goods" as const,
    }),
  );
  const isWhole = lines.reduce((sum, { quantity, priceRub }) => sum + quantity * priceRub, 0) === amountRub;
  return {
    email: order.email,
    lines: isWhole
      ? lines.filter(({ priceRub }) => priceRub > 0)
      : [{ name: part, quantity: 1, priceRub: amountRub, kind: "part" }],
  };
}
