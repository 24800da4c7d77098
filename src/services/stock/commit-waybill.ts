import type { EntityManager } from "typeorm";
import { orders } from "../../db/dao/orders/orders.ts";
import { type StockRow, stock } from "../../db/dao/stock/stock.ts";
import { stockMovements } from "../../db/dao/stock/stock-movements.ts";
import { waybillOffers } from "../../db/dao/stock/waybill-offers.ts";
import { waybills } from "../../db/dao/stock/waybills.ts";
import type { Waybill } from "../../db/entities/stock/waybill.ts";
import type { WaybillOffer } from "../../db/entities/stock/waybill-offer.ts";
import { ConflictError, NotFoundError } from "../../errors.ts";
import { changeBalance } from "../payments/balances.ts";
import { coveredRub } from "../payments/payments.ts";
import { recordEvent } from "../webhooks/events.ts";
import { directionOf, planMovements } from "./plan-movements.ts";

const notFound = () => new NotFoundError("Waybill not found");

/** Maximum of the quantity column. */
const maxStockPieces = 2 ** 31 - 1;

/**
 * Commits a waybill: changes the stock and its customer's balance, once; a committed waybill does not change, so it may
 * be repeated. Throws when there is no such waybill or too little stock. The number of statements does not depend on
 * the number of lines.
 */
export async function commitWaybill(tx: EntityManager, { waybillId, userId }: { waybillId: string; userId: string }) {
  const waybill = await lockPendingWithOrder(tx, waybillId);
  if (!waybill) return;
  const lines = await waybillOffers.ofWaybill(tx, waybillId);
  await moveStock(tx, { waybill, lines, userId });
  await waybills.markCommitted(tx, waybillId, userId);
  await settleBalance(tx, { waybill, lines });
  const { id, waybillType, orderId } = waybill;
  await recordEvent(tx, "waybill.committed", { id, waybill_type: waybillType, order_id: orderId });
}

/** Undefined when it is committed. Its order is locked too, so that it cannot be paid while it is being charged. */
async function lockPendingWithOrder(tx: EntityManager, waybillId: string) {
  const seen = await waybills.findWithoutLock(tx, waybillId);
  if (!seen) throw notFound();
  // A committed waybill stays committed, so no lock is needed to know it.
  if (!seen.isPending) return undefined;
  if (seen.orderId !== null) await orders.lock(tx, seen.orderId);
  const waybill = await waybills.lock(tx, waybillId);
  if (!waybill) throw notFound();
  if (!waybill.isPending) return undefined;
  // Its order was just replaced. To lock the new one now could deadlock with a transaction that waits for the waybill.
  if (waybill.orderId !== null && waybill.orderId !== seen.orderId) {
    throw new ConflictError(`Waybill '${waybillId}' was changed at the same moment; check it and commit it again`);
  }
  return waybill;
}

interface Stocking {
  waybill: Waybill;
  lines: readonly WaybillOffer[];
  userId: string;
}

async function moveStock(tx: EntityManager, { waybill, lines, userId }: Stocking) {
  if (lines.length === 0) return;
  const offers = await stock.lock(tx, [...new Set(lines.map(({ offerId }) => offerId))]);
  const before = new Map(offers.map(({ id, quantity }) => [id, quantity]));
  const { movements, quantities } = planMovements(waybill.waybillType, lines, before);
  checkQuantities(offers, quantities);
  await stock.write(tx, quantities);
  await stockMovements.insert(tx, { waybillId: waybill.id, waybillType: waybill.waybillType, userId }, movements);
}

function checkQuantities(offers: readonly StockRow[], quantities: ReadonlyMap<string, number>) {
  const after = ({ id }: StockRow) => quantities.get(id) ?? 0;
  const name = ({ id, brand, manufacturerNumber }: StockRow) => `'${brand} ${manufacturerNumber}' (offer '${id}')`;
  const short = offers.filter((offer) => after(offer) < 0);
  if (short.length > 0) {
    const list = short.map((offer) => {
      const wanted = offer.quantity - after(offer);
      return `${name(offer)}: ${wanted} wanted, ${offer.quantity} available`;
    });
    throw new ConflictError(
      `There is too little in stock of ${list.join("; ")}. Nothing was changed: lower the quantities or commit a receipt first`,
    );
  }
  const full = offers.filter((offer) => after(offer) > maxStockPieces);
  if (full.length > 0) {
    const list = full.map((offer) => `${name(offer)}: ${after(offer)}`);
    throw new ConflictError(
      `The stock would grow above ${maxStockPieces} pieces of ${list.join("; ")}. Nothing was changed: lower the quantities`,
    );
  }
}

/** Staff that books goods for itself owes nothing; payments of the order are not charged again. */
async function settleBalance(tx: EntityManager, { waybill, lines }: Omit<Stocking, "userId">) {
  const { id: waybillId, customerId, authorId, orderId, waybillType } = waybill;
  if (customerId === authorId) return;
  const total = lines.reduce((sum, { quantity, priceRub }) => sum + quantity * priceRub, 0);
  if (!Number.isSafeInteger(total)) {
    throw new ConflictError(`Waybill '${waybillId}' adds up to more roubles than can be booked; split it`);
  }
  const isCharge = waybillType === "WAYBILL_OUT";
  const covered = isCharge && orderId !== null ? await coveredRub(tx, orderId) : 0;
  const delta = directionOf(waybillType) * (total - covered);
  if (delta === 0) return;
  await changeBalance(tx, { userId: customerId, currency: "RUB", delta, reason: "WAYBILL_PAYMENT", waybillId });
}
