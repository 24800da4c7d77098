import type { EntityManager } from "typeorm";
import { users } from "../../db/dao/accounts/users.ts";
import { sellableOffers } from "../../db/dao/catalogue/sellable-offers.ts";
import { type OrderLineRowChange, orderOffers } from "../../db/dao/orders/order-offers.ts";
import { orders } from "../../db/dao/orders/orders.ts";
import { bookedGoods } from "../../db/dao/stock/booked-goods.ts";
import type { Order } from "../../db/entities/orders/order.ts";
import type { OrderOffer } from "../../db/entities/orders/order-offer.ts";
import { BadRequestError, ConflictError, NotFoundError } from "../../errors.ts";
import { getOrderBooks, paidRub } from "../payments/order-balance.ts";
import { checkGoods } from "../stock/goods.ts";
import { checkStock, maxOrderLines, priceOrderLines, type RequestedLine } from "./price-order-lines.ts";

/** Adds a line at the price of the order's customer, retail for a guest, and returns its id. Each call adds one. */
export async function addOrderLine(tx: EntityManager, { orderId, line }: { orderId: string; line: RequestedLine }) {
  const order = await orders.lock(tx, orderId);
  if (!order) throw new NotFoundError("Order not found");
  const present = await orderOffers.ofOrders(tx, [orderId]);
  if (present.length >= maxOrderLines)
    throw new ConflictError(`Order '${orderId}' has ${maxOrderLines} lines, which is the maximum`);
  const same = present.filter(({ offerId }) => offerId === line.offerId);
  const customerType = await customerTypeOf(tx, order);
  const [priced] = (await priceOrderLines(tx, { lines: [line, ...same], customerType })).slice(0, 1);
  if (!priced) throw new Error("A line was requested and none was priced");
  const [id = ""] = await orderOffers.insert(tx, orderId, [priced]);
  await orders.touch(tx, orderId);
  return id;
}

/**
 * Changes the given fields of a line; its offer stays. Pending waybills follow its price. Throws when its quantity rises
 * above the stock, and when the waybills of the order would hold more than the order.
 */
export async function changeOrderLine(tx: EntityManager, { id, change }: { id: string; change: OrderLineRowChange }) {
  if (Object.keys(change).length === 0) throw new BadRequestError("No data provided for update");
  const line = await lockLine(tx, id);
  if (!line) throw new NotFoundError("Entity not found");
  if (change.quantity !== undefined && change.quantity > line.quantity) {
    const present = await orderOffers.ofOrders(tx, [line.orderId]);
    const quantities = { ...line, quantity: change.quantity };
    const wanted = present.map((one) => (one.id === id ? quantities : one));
    checkStock(await sellableOffers.lock(tx, [line.offerId]), wanted);
  }
  await orderOffers.patch(tx, id, change);
  if (change.priceRub !== undefined) await repriceWaybills(tx, line, change.priceRub);
  await checkGoods(tx, { orderId: line.orderId, returnOf: null });
  await checkPaid(tx, line.orderId);
}

/** Removes a line from its order; throws when a waybill has taken goods of it. */
export async function removeOrderLine(tx: EntityManager, { id }: { id: string }) {
  const line = await lockLine(tx, id);
  if (!line) throw new NotFoundError("Offer not found in order");
  await orderOffers.remove(tx, id);
  await checkGoods(tx, { orderId: line.orderId, returnOf: null });
  await checkPaid(tx, line.orderId);
}

/** Another line of the offer at the old price may be the one that a waybill has taken; then the waybill stays. */
async function repriceWaybills(tx: EntityManager, { id, orderId, offerId, priceRub: from }: OrderOffer, to: number) {
  const lines = await orderOffers.ofOrders(tx, [orderId]);
  const isAmbiguous = lines.some((line) => line.id !== id && line.offerId === offerId && line.priceRub === from);
  if (from !== to && !isAmbiguous) await bookedGoods.reprice(tx, { orderId, offerId, from, to });
}

/** The line, read after its order is locked, or null. */
async function lockLine(tx: EntityManager, id: string) {
  const line = await orderOffers.findById(tx, id);
  if (line) await orders.lock(tx, line.orderId);
  return line && orderOffers.findById(tx, id);
}

/** The payments of an order cannot exceed its total. */
async function checkPaid(tx: EntityManager, orderId: string) {
  const books = await getOrderBooks(tx, orderId);
  const paid = paidRub(books) + books.promisedRub;
  if (books.totalRub < paid) {
    throw new ConflictError(
      `The order would cost '${books.totalRub}' roubles, and its payments are '${paid}'; refund or fail a payment first`,
    );
  }
  await orders.touch(tx, orderId);
}

async function customerTypeOf(tx: EntityManager, { userId }: Order) {
  const user = userId === null ? null : await users.findById(tx, userId);
  return user?.customerType ?? "USER_RETAIL";
}
