import type { EntityManager } from "typeorm";
import { users } from "../../db/dao/accounts/users.ts";
import { orders } from "../../db/dao/orders/orders.ts";
import { waybillOffers } from "../../db/dao/stock/waybill-offers.ts";
import { type WaybillRowChange, waybills } from "../../db/dao/stock/waybills.ts";
import type { Waybill, WaybillType } from "../../db/entities/stock/waybill.ts";
import { ConflictError, NotFoundError } from "../../errors.ts";
import { violatedUnique } from "../../platform/postgres/errors.ts";
import type { RequestedLine } from "../orders/price-order-lines.ts";
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
  /** Null: the author. */
  customerId: string | null;
  orderId: string | null;
  waybillType: WaybillType;
  note: string | null;
  lines: readonly RequestedLine[];
}

/**
 * Saves a pending waybill with its lines, priced for its customer; returns its id. Throws when an offer, the customer
 * or the order is unknown, or the order has a waybill. Each call makes one more.
 */
export async function createWaybill(tx: EntityManager, { lines, ...values }: NewWaybill) {
  const { orderId } = values;
  if (orderId !== null && !(await orders.lock(tx, orderId))) throw unknownOrder(orderId);
  const customer = await getCustomer(tx, values.customerId ?? values.authorId);
  const priced = await priceWaybillLines(tx, { customerType: customer.customerType, lines });
  const id = await waybills.insert(tx, { ...values, customerId: customer.id }).catch(refuseSecond(orderId));
  if (priced.length > 0) await waybillOffers.insert(tx, id, priced);
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
 * may change. Lines keep their prices. Throws as `createWaybill` does.
 */
export async function changeWaybill(tx: EntityManager, id: string, change: WaybillChange) {
  const { orderId } = change;
  const order = orderId && (await orders.lock(tx, orderId));
  const waybill = await waybills.lock(tx, id);
  if (!waybill) throw new NotFoundError("Entity not found");
  const different = differences(waybill, change);
  const keys = Object.keys(different);
  if (keys.length === 0) return;
  if (!waybill.isPending && keys.some((key) => key !== "note")) {
    throw new ConflictError(`Waybill '${id}' is committed: only its note can be changed`);
  }
  if (orderId && !order) throw unknownOrder(orderId);
  if (different.customerId !== undefined) await getCustomer(tx, different.customerId);
  await waybills.patch(tx, id, different).catch(refuseSecond(orderId));
}

/** Deletes a pending waybill with its lines. */
export async function deleteWaybill(tx: EntityManager, id: string) {
  await lockPending(tx, id);
  await waybills.remove(tx, id);
}

/** Locks a waybill whose goods may still be changed; throws when there is none or it is committed. */
export async function lockPending(tx: EntityManager, id: string) {
  const waybill = await waybills.lock(tx, id);
  if (!waybill) throw notFound();
  if (waybill.isPending) return waybill;
  throw new ConflictError(`Waybill '${id}' is committed: it and its lines stay as they are; correct it by another one`);
}

/** A user that a waybill names. */
export async function getCustomer(tx: EntityManager, id: string) {
  const user = await users.findById(tx, id);
  if (user) return user;
  throw new ConflictError(`There is no user '${id}' to be the customer; choose another one`);
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

function refuseSecond(orderId: string | null | undefined) {
  return (error: unknown): never => {
    if (violatedUnique(error) !== "waybills_order_id_key") throw error;
    throw new ConflictError(`Order '${orderId}' has a waybill already; an order has one at most`);
  };
}
