import type { EntityManager } from "typeorm";
import { orders } from "../../../db/dao/orders/orders.ts";
import type { Order } from "../../../db/entities/orders/order.ts";
import { ForbiddenError, NotFoundError } from "../../../errors.ts";
import type { Actor } from "../../http/types.ts";

/** True for callers who may see an order with its account and waybill: its owner and staff. */
export function isTheirs({ userId }: Pick<Order, "userId">, actor: Actor | undefined) {
  return actor !== undefined && (actor.role !== "USER" || userId === actor.id);
}

/** The order, for its owner and staff only. Its existence is no secret: every caller with the id may read it. */
export async function ownOrder(reader: EntityManager, id: string, actor: Actor) {
  const order = await orders.findById(reader, id);
  if (!order) throw new NotFoundError("Order not found");
  if (!isTheirs(order, actor)) throw new ForbiddenError(`Access denied: order '${id}' belongs to another user.`);
  return order;
}
