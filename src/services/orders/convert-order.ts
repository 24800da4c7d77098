import type { EntityManager } from "typeorm";
import { orders } from "../../db/dao/orders/orders.ts";
import { waybillOffers } from "../../db/dao/stock/waybill-offers.ts";
import { waybills } from "../../db/dao/stock/waybills.ts";
import { BadRequestError, ConflictError, NotFoundError } from "../../errors.ts";
import { remainingGoods } from "../stock/goods.ts";

/**
 * Makes a pending waybill from what no waybill of the order has taken yet, with the order's note and prices; the order
 * stays as it is. A guest's goods are booked on the author. Returns the id; throws when there is no such order, when it
 * is canceled, and when its waybills have taken everything.
 */
export async function convertOrder(tx: EntityManager, { orderId, authorId }: { orderId: string; authorId: string }) {
  const order = await orders.lock(tx, orderId);
  if (!order) throw new NotFoundError("Order not found");
  const lines = (await remainingGoods(tx, { orderId, returnOf: null })) ?? [];
  if (lines.length === 0 && (await waybills.ofOrder(tx, orderId)).length > 0) {
    throw new BadRequestError("Order is already converted to a waybill");
  }
  if (order.status === "CANCELED")
    throw new ConflictError(`Order '${orderId}' is canceled; give it another status before its goods leave`);
  const id = await waybills.insert(tx, {
    authorId,
    customerId: order.userId ?? authorId,
    orderId,
    waybillType: "WAYBILL_OUT",
    note: order.note,
  });
  if (lines.length > 0) await waybillOffers.insert(tx, id, lines);
  return id;
}
