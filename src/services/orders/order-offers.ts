import type { EntityManager } from "typeorm";
import { users } from "../../db/dao/accounts/users.ts";
import { sellableOffers } from "../../db/dao/catalogue/sellable-offers.ts";
import { type OrderLineRowChange, orderOffers } from "../../db/dao/orders/order-offers.ts";
import { orders } from "../../db/dao/orders/orders.ts";
import { payments } from "../../db/dao/payments/payments.ts";
import type { Order } from "../../db/entities/orders/order.ts";
import { BadRequestError, ConflictError, NotFoundError } from "../../errors.ts";
import { checkStock, maxOrderLines, priceOrderLines, type RequestedLine } from "./price-order-lines.ts";

/** Adds a line at the price of the order's customer, retail for a guest, and returns its id. Each call adds one. */
export async function addOrderLine(tx: EntityManager, { orderId, line }: { orderId: string; line: RequestedLine }) {
  const order = await orders.lock(tx, orderId);
  if (!order) throw new NotFoundError("Order not found");
  await refuseDelivered(tx, orderId);
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

/** Changes the given fields of a line; its offer stays. Throws when its quantity rises above the stock. */
export async function changeOrderLine(tx: EntityManager, { id, change }: { id: string; change: OrderLineRowChange }) {
  if (Object.keys(change).length === 0) throw new BadRequestError("No data provided for update");
  const line = await lockLine(tx, id);
  if (!line) throw new NotFoundError("Entity not found");
  await refuseDelivered(tx, line.orderId);
  if (change.quantity !== undefined && change.quantity > line.quantity) {
    const present = await orderOffers.ofOrders(tx, [line.orderId]);
    const quantities = { ...line, quantity: change.quantity };
    const wanted = present.map((one) => (one.id === id ? quantities : one));
    checkStock(await sellableOffers.lock(tx, [line.offerId]), wanted);
  }
  await orderOffers.patch(tx, id, change);
  await checkPaid(tx, line.orderId);
}

/** Removes a line from its order. */
export async function removeOrderLine(tx: EntityManager, { id }: { id: string }) {
  const line = await lockLine(tx, id);
  if (!line) throw new NotFoundError("Offer not found in order");
  await refuseDelivered(tx, line.orderId);
  await orderOffers.remove(tx, id);
  await checkPaid(tx, line.orderId);
}

/** The line, read after its order is locked, or null. */
async function lockLine(tx: EntityManager, id: string) {
  const line = await orderOffers.findById(tx, id);
  if (line) await orders.lock(tx, line.orderId);
  return line && orderOffers.findById(tx, id);
}

async function refuseDelivered(tx: EntityManager, orderId: string) {
  const waybill = await orders.lockWaybill(tx, orderId);
  if (!waybill || waybill.isPending) return;
  throw new ConflictError(
    `Waybill '${waybill.id}' of order '${orderId}' is committed, so the order's lines cannot change any more`,
  );
}

/** The payments of an order cannot exceed its total. */
async function checkPaid(tx: EntityManager, orderId: string) {
  const [total, paid] = [await orderOffers.totalRub(tx, orderId), await payments.activeRub(tx, orderId)];
  if (total < paid) {
    throw new ConflictError(
      `The order would cost '${total}' roubles, and its payments are '${paid}'; refund or fail a payment first`,
    );
  }
  await orders.touch(tx, orderId);
}

async function customerTypeOf(tx: EntityManager, { userId }: Order) {
  const user = userId === null ? null : await users.findById(tx, userId);
  return user?.customerType ?? "USER_RETAIL";
}
