import type { EntityManager } from "typeorm";
import { users } from "../../db/dao/accounts/users.ts";
import { orders } from "../../db/dao/orders/orders.ts";
import { type NewLineRow, waybillOffers } from "../../db/dao/stock/waybill-offers.ts";
import { type WaybillRowChange, waybills } from "../../db/dao/stock/waybills.ts";
import type { Order } from "../../db/entities/orders/order.ts";
import type { Waybill, WaybillType } from "../../db/entities/stock/waybill.ts";
import { ConflictError, NotFoundError } from "../../errors.ts";
import type { RequestedLine } from "../orders/price-order-lines.ts";
import { checkGoods, remainingGoods, takeRequested } from "./goods.ts";
import { priceWaybillLines } from "./price-waybill-lines.ts";

const notFound = () => new NotFoundError("Waybill not found");

/** A waybill with author and customer, by id. */
export async function getWaybill(tx: EntityManager, id: string) {
  return (await waybills.findById(tx, id)) ?? Promise.reject(notFound());
}

/** As `getWaybill`, for a customer: only their own; others count as missing. */
export async function getOwnWaybill(tx: EntityManager, { id, userId }: { id: string; userId: string }) {
  const waybill = await getWaybill(tx, id);
  if (![waybill.authorId, waybill.customerId].includes(userId)) throw notFound();
  return waybill;
}

export interface NewWaybill {
  authorId: string;
  /** Null: that of the order or the delivery, and without them the author. */
  customerId: string | null;
  orderId: string | null;
  /** The committed delivery whose goods come back; for a WAYBILL_RETURN. */
  returnOf: string | null;
  waybillType: WaybillType;
  note: string | null;
  lines: readonly RequestedLine[];
}

/**
 * Saves a pending waybill with its lines and returns its id. Lines of an order's waybill have the order's prices and
 * take what is left of it, those of a return the delivery's; others are priced for the customer. Throws when an offer,
 * the customer, the order or the delivery is unknown, and when the waybill would contradict its order or delivery. Each
 * call makes one more.
 */
export async function createWaybill(tx: EntityManager, { lines, ...values }: NewWaybill) {
  const { authorId, orderId, returnOf } = values;
  const order = orderId === null ? null : await orders.lock(tx, orderId);
  if (orderId !== null && !order) throw unknownOrder(orderId);
  const delivery = returnOf === null ? null : await lockDelivery(tx, returnOf);
  const bound = boundCustomer({ order, delivery, authorId });
  const customer = await getCustomer(tx, values.customerId ?? bound ?? authorId);
  checkBinding({ ...values, customerId: customer.id }, { order, delivery });
  const remaining = await remainingGoods(tx, values);
  const priced = remaining
    ? await takeRequested(tx, values, remaining, lines)
    : await priceWaybillLines(tx, { customerType: customer.customerType, lines });
  const id = await waybills.insert(tx, { ...values, customerId: customer.id });
  if (priced.length > 0) await waybillOffers.insert(tx, id, priced);
  return id;
}

/**
 * Saves a pending return of what a committed delivery still has to give back, at its prices; returns its id. Throws when
 * there is nothing left.
 */
export async function returnDelivery(
  tx: EntityManager,
  { deliveryId, authorId }: { deliveryId: string; authorId: string },
): Promise<string> {
  const delivery = await lockDelivery(tx, deliveryId);
  const lines: NewLineRow[] = (await remainingGoods(tx, { orderId: null, returnOf: deliveryId })) ?? [];
  if (lines.length === 0) throw new ConflictError(`All goods of delivery '${deliveryId}' are on returns already`);
  const { customerId } = delivery;
  const values = { authorId, customerId, orderId: null, returnOf: deliveryId, waybillType: "WAYBILL_RETURN" as const };
  const id = await waybills.insert(tx, { ...values, note: null });
  await waybillOffers.insert(tx, id, lines);
  return id;
}

export interface WaybillChange {
  waybillType?: WaybillType | undefined;
  /** Null: the author. */
  customerId?: string | null | undefined;
  orderId?: string | null | undefined;
  note?: string | null | undefined;
}

/**
 * Changes the given fields; equal values change nothing, so it may be repeated. Of a committed waybill only the note
 * may change. Lines keep their prices. Throws when the waybill would contradict its order or the delivery it returns.
 */
export async function changeWaybill(tx: EntityManager, id: string, change: WaybillChange) {
  const wanted = change.orderId ? await orders.lock(tx, change.orderId) : null;
  const { waybill, order, delivery } = await lockWaybill(tx, id, "Entity not found");
  const different = differences(waybill, change);
  const keys = Object.keys(different);
  if (keys.length === 0) return;
  if (!waybill.isPending && keys.some((key) => key !== "note")) {
    throw new ConflictError(`Waybill '${id}' is committed: only its note can be changed`);
  }
  if (change.orderId && !wanted) throw unknownOrder(change.orderId);
  if (different.customerId !== undefined) await getCustomer(tx, different.customerId);
  const after = { ...waybill, ...different };
  checkBinding(after, { order: after.orderId === null ? null : (wanted ?? order), delivery });
  await waybills.patch(tx, id, different);
  if (different.orderId) await checkGoods(tx, after);
}

/** Deletes a pending waybill with its lines. */
export async function deleteWaybill(tx: EntityManager, id: string) {
  await lockPending(tx, id);
  await waybills.remove(tx, id);
}

interface Bound {
  /** The order that the waybill takes its goods from. */
  order: Order | null;
  /** The delivery whose goods the waybill brings back. */
  delivery: Waybill | null;
}

/**
 * Locks a waybill until the transaction ends, and before it its order and the delivery that it returns, so that neither
 * is paid or changed meanwhile. Throws when there is none, and when another transaction has just given it another order.
 */
export async function lockWaybill(
  tx: EntityManager,
  id: string,
  missing = "Waybill not found",
): Promise<Bound & { waybill: Waybill }> {
  const seen = await waybills.findWithoutLock(tx, id);
  if (!seen) throw new NotFoundError(missing);
  const order = seen.orderId === null ? null : await orders.lock(tx, seen.orderId);
  const delivery = seen.returnOf === null ? null : await lockDelivery(tx, seen.returnOf);
  const waybill = await waybills.lock(tx, id);
  if (!waybill) throw new NotFoundError(missing);
  // To lock the new order now could deadlock with a transaction that waits for the waybill.
  if (waybill.orderId !== seen.orderId && waybill.orderId !== null) {
    throw new ConflictError(`Waybill '${id}' was changed at the same moment; check it and try again`);
  }
  return { waybill, order: waybill.orderId === null ? null : order, delivery };
}

/** As `lockWaybill`, for one whose goods may still be changed; throws when it is committed. */
export async function lockPending(tx: EntityManager, id: string) {
  const { waybill } = await lockWaybill(tx, id);
  if (waybill.isPending) return waybill;
  throw new ConflictError(`Waybill '${id}' is committed: it and its lines stay as they are; correct it by another one`);
}

/** A user that a waybill names. */
export async function getCustomer(tx: EntityManager, id: string) {
  const user = await users.findById(tx, id);
  if (user) return user;
  throw new ConflictError(`There is no user '${id}' to be the customer; choose another one`);
}

async function lockDelivery(tx: EntityManager, id: string): Promise<Waybill> {
  const seen = await waybills.findWithoutLock(tx, id);
  if (seen?.orderId) await orders.lock(tx, seen.orderId);
  const delivery = seen && (await waybills.lock(tx, id));
  if (!delivery) throw new ConflictError(`There is no waybill '${id}' to be returned; choose another one or none`);
  if (delivery.waybillType === "WAYBILL_OUT" && !delivery.isPending) return delivery;
  const state = delivery.isPending ? "pending" : "committed";
  throw new ConflictError(
    `Waybill '${id}' is a ${state} ${delivery.waybillType}; only goods of a committed WAYBILL_OUT come back`,
  );
}

/** The customer that an order or a delivery asks for; a guest's goods are booked on the author. */
function boundCustomer({ order, delivery, authorId }: Bound & { authorId: string }): string | undefined {
  if (order) return order.userId ?? authorId;
  return delivery?.customerId;
}

type Binding = Pick<Waybill, "authorId" | "customerId" | "orderId" | "returnOf" | "waybillType">;

/** Throws, with both sides, when a waybill contradicts its order or the delivery that it returns. */
function checkBinding(waybill: Binding, { order, delivery }: Bound) {
  const { authorId, customerId, orderId, returnOf, waybillType } = waybill;
  if (orderId !== null && waybillType !== "WAYBILL_OUT") {
    throw new ConflictError(
      `A ${waybillType} cannot have order '${orderId}': goods of an order go out; a WAYBILL_RETURN names the delivery in return_of`,
    );
  }
  if (returnOf !== null && waybillType !== "WAYBILL_RETURN") {
    throw new ConflictError(`A ${waybillType} cannot bring back goods of delivery '${returnOf}'; a WAYBILL_RETURN can`);
  }
  const bound = boundCustomer({ order, delivery, authorId });
  if (bound === undefined || bound === customerId) return;
  const other = order
    ? `order '${order.id}' belongs to ${order.userId === null ? "a guest, whose goods are booked on the author" : "user"} '${bound}'`
    : `delivery '${returnOf}' went to user '${bound}'`;
  throw new ConflictError(`The waybill's customer is user '${customerId}', and ${other}; let both agree`);
}

function differences(waybill: Waybill, { customerId, ...change }: WaybillChange): WaybillRowChange {
  const wanted = { ...change, customerId: customerId === null ? waybill.authorId : customerId };
  const keys = Object.keys(wanted) as (keyof WaybillRowChange)[];
  const changed = keys.filter((key) => wanted[key] !== undefined && wanted[key] !== waybill[key]);
  return Object.fromEntries(changed.map((key) => [key, wanted[key]]));
}

function unknownOrder(id: string) {
  return new ConflictError(`There is no order '${id}'; choose another one or none`);
}
