import type { EntityManager } from "typeorm";
import { type StockRow, stock } from "../../db/dao/stock/stock.ts";
import { stockMovements } from "../../db/dao/stock/stock-movements.ts";
import { waybillOffers } from "../../db/dao/stock/waybill-offers.ts";
import { waybills } from "../../db/dao/stock/waybills.ts";
import type { Waybill } from "../../db/entities/stock/waybill.ts";
import type { WaybillOffer } from "../../db/entities/stock/waybill-offer.ts";
import { ConflictError } from "../../errors.ts";
import { changeBalance } from "../payments/balances.ts";
import { settleOrder } from "../payments/order-balance.ts";
import { recordEvent } from "../webhooks/events.ts";
import { directionOf, planMovements } from "./plan-movements.ts";
import { lockWaybill } from "./waybills.ts";

/** Maximum of the quantity column. */
const maxStockPieces = 2 ** 31 - 1;

/**
 * Commits a waybill: changes the stock and its customer's balance and takes its number, once; a committed waybill does
 * not change, so it may be repeated. Throws when there is no such waybill or too little stock, and when its order is
 * canceled. The number of statements does not depend on the number of lines.
 */
export async function commitWaybill(tx: EntityManager, { waybillId, userId }: { waybillId: string; userId: string }) {
  // A committed waybill stays committed, so no lock is needed to know it.
  if ((await waybills.findWithoutLock(tx, waybillId))?.isPending === false) return;
  const { waybill, order } = await lockWaybill(tx, waybillId);
  if (!waybill.isPending) return;
  if (order?.status === "CANCELED") {
    throw new ConflictError(
      `Order '${order.id}' is canceled, so its waybill '${waybillId}' stays pending; delete it, or give the order another status`,
    );
  }
  const lines = await waybillOffers.ofWaybill(tx, waybillId);
  await moveStock(tx, { waybill, lines, userId });
  await waybills.markCommitted(tx, waybill, userId);
  await settleBalance(tx, { waybill, lines });
  const { id, waybillType, orderId } = waybill;
  await recordEvent(tx, "waybill.committed", { id, waybill_type: waybillType, order_id: orderId });
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

/** Staff that books goods for itself owes nothing; goods that were not charged are not paid back either. */
async function settleBalance(tx: EntityManager, { waybill, lines }: Omit<Stocking, "userId">) {
  const { id: waybillId, customerId, authorId, orderId, returnOf, waybillType } = waybill;
  const delivery = returnOf === null ? waybill : await waybills.findWithoutLock(tx, returnOf);
  if (customerId === (delivery?.authorId ?? authorId)) return;
  const total = lines.reduce((sum, { quantity, priceRub }) => sum + quantity * priceRub, 0);
  if (!Number.isSafeInteger(total)) {
    throw new ConflictError(`Waybill '${waybillId}' adds up to more roubles than can be booked; split it`);
  }
  if (orderId !== null) return settleOrder(tx, orderId, { reason: "WAYBILL_PAYMENT", waybillId });
  const delta = directionOf(waybillType) * total;
  if (delta === 0) return;
  await changeBalance(tx, { userId: customerId, currency: "RUB", delta, reason: "WAYBILL_PAYMENT", waybillId });
}
