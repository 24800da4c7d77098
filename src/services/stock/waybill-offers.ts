import type { EntityManager } from "typeorm";
import { type LineRowChange, waybillOffers } from "../../db/dao/stock/waybill-offers.ts";
import { ConflictError, NotFoundError } from "../../errors.ts";
import type { RequestedLine } from "../orders/price-order-lines.ts";
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

/** Adds a line to a pending waybill, priced for its customer; returns its id. Each call adds one more. */
export async function addLine(tx: EntityManager, { waybillId, ...line }: RequestedLine & { waybillId: string }) {
  const waybill = await lockPending(tx, waybillId);
  if ((await waybillOffers.count(tx, waybillId)) >= maxWaybillLines)
    throw new ConflictError(
      `Waybill '${waybillId}' has ${maxWaybillLines} lines, which is the maximum; make another one`,
    );
  const { customerType } = await getCustomer(tx, waybill.customerId);
  const [id] = await waybillOffers.insert(tx, waybillId, await priceWaybillLines(tx, { customerType, lines: [line] }));
  return id as string;
}

/** Changes the given fields of a line, except its offer; throws when its waybill is committed. May be repeated. */
export async function changeLine(tx: EntityManager, id: string, change: LineRowChange) {
  if (!(await lockLine(tx, id))) throw new NotFoundError("Entity not found");
  if (Object.keys(change).length > 0) await waybillOffers.patch(tx, id, change);
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
  await lockPending(tx, line.waybillId);
  return waybillOffers.findById(tx, id);
}
