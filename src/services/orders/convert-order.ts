import type { EntityManager } from "typeorm";
import { orderOffers } from "../../db/dao/orders/order-offers.ts";
import { orders } from "../../db/dao/orders/orders.ts";
import { type NewLineRow, waybillOffers } from "../../db/dao/stock/waybill-offers.ts";
import { waybills } from "../../db/dao/stock/waybills.ts";
import { BadRequestError, NotFoundError } from "../../errors.ts";

/**
 * Makes a pending waybill from an order, with its note, its lines and their prices; the order stays as it is. A guest's
 * goods are booked on the author. Returns the id; throws when there is no such order or it has a waybill.
 */
export async function convertOrder(tx: EntityManager, { orderId, authorId }: { orderId: string; authorId: string }) {
  const order = await orders.lock(tx, orderId);
  if (!order) throw new NotFoundError("Order not found");
  // A transaction that makes a waybill from an order locks the order, so none can appear from here on.
  if (await waybills.findByOrder(tx, orderId)) {
    throw new BadRequestError("Order is already converted to a waybill");
  }
  const id = await waybills.insert(tx, {
    authorId,
    customerId: order.userId ?? authorId,
    orderId,
    waybillType: "WAYBILL_OUT",
    note: order.note,
  });
  const lines = await orderOffers.ofOrders(tx, [orderId]);
  if (lines.length > 0) await waybillOffers.insert(tx, id, lines.map(toWaybillLine));
  return id;
}

function toWaybillLine({ offerId, brand, manufacturerNumber, quantity, priceRub }: NewLineRow): NewLineRow {
  return { offerId, brand, manufacturerNumber, quantity, priceRub };
}
