import type { EntityManager } from "typeorm";
import { Order } from "../entities/order.ts";
import { OrderOffer } from "../entities/order-offer.ts";

/** Orders as waybills need them. */
export const convertedOrders = {
  /** Holds the order until the transaction ends; null when there is none. Comes before any lock of its waybill. */
  lock: (tx: EntityManager, id: string) => tx.findOne(Order, { where: { id }, lock: { mode: "pessimistic_write" } }),

  /** Its lines, in the order in which they were entered. */
  lines: (tx: EntityManager, orderId: string) =>
    tx.find(OrderOffer, { where: { orderId }, order: { createdAt: "ASC", position: "ASC", id: "ASC" } }),
};
