import type { EntityManager } from "typeorm";
import { type LineRowChange, waybillOffers } from "../../db/dao/stock/waybill-offers.ts";
import { ConflictError, NotFoundError } from "../../errors.ts";
import type { RequestedLine } from "../orders/price-order-lines.ts";
import { checkGoods, remainingGoods, takeRequested } from "./goods.ts";
import { maxWaybillLines, priceWaybillLines } from "./price-waybill-lines.ts";
import { getCustomer, getWaybill, lockPending } from "./waybills.ts";

/** A line of a waybill, by id. */
export async function getLine(tx: EntityManager, id: string) {
  return (await waybillOffers.findById(tx, id)) ?? Promise.reject(new NotFoundError("Entity not found"));
}

/** All lines of a waybill; throws when there is no such waybill. */
export async function getLines(tx: EntityManager, waybillId: string) {
  await getWaybill(tx, waybillId);
  return waybillOffers.ofWaybill(tx, waybillId);
}

/**
 * Adds a line to a pending waybill and returns its id: from what is left of its order or delivery, at that price, or
 * priced for its customer. Where prices differ it becomes several lines, and the first one is returned. Each call adds
 * one more.
 */
export async function addLine(tx: EntityManager, { waybillId, ...line }: RequestedLine & { waybillId: string }) {
  const waybill = await lockPending(tx, waybillId);
  if ((await waybillOffers.count(tx, waybillId)) >= maxWaybillLines)
    throw new ConflictError(
      `Waybill '${waybillId}' has ${maxWaybillLines} lines, which is the maximum; make another one`,
    );
  const remaining = await remainingGoods(tx, waybill);
  const lines = remaining
    ? await takeRequested(tx, waybill, remaining, [line])
    : await priced(tx, waybill.customerId, line);
  const [id] = await waybillOffers.insert(tx, waybillId, lines);
  return id as string;
}

async function priced(tx: EntityManager, customerId: string, line: RequestedLine) {
  const { customerType } = await getCustomer(tx, customerId);
  return priceWaybillLines(tx, { customerType, lines: [line] });
}

/**
 * Changes the given fields of a line, except its offer; throws when its waybill is committed, and when its order or
 * delivery would have less than the waybill. May be repeated.
 */
export async function changeLine(tx: EntityManager, id: string, change: LineRowChange) {
  const line = await lockLine(tx, id);
  if (!line) throw new NotFoundError("Entity not found");
  if (Object.keys(change).length === 0) return;
  await waybillOffers.patch(tx, id, change);
  const isMore = change.quantity !== undefined && change.quantity > line.quantity;
  const isRepriced = change.priceRub !== undefined && change.priceRub !== line.priceRub;
  if (isMore || isRepriced) await checkGoods(tx, line.waybill);
}

/** Removes a line from its waybill; throws when that is committed. */
export async function removeLine(tx: EntityManager, id: string) {
  if (!(await lockLine(tx, id))) throw new NotFoundError("Offer not found in waybill");
  await waybillOffers.remove(tx, id);
}

/** The lock of its waybill covers a line; both may be deleted while this waits for the lock. */
async function lockLine(tx: EntityManager, id: string) {
  const line = await waybillOffers.findById(tx, id);
  if (!line) return null;
  const waybill = await lockPending(tx, line.waybillId);
  const locked = await waybillOffers.findById(tx, id);
  return locked && { ...locked, waybill };
}
