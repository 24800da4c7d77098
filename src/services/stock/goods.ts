import type { EntityManager } from "typeorm";
import { catalogueRows } from "../../db/dao/catalogue/catalogue-rows.ts";
import { orderOffers } from "../../db/dao/orders/order-offers.ts";
import { bookedGoods } from "../../db/dao/stock/booked-goods.ts";
import { type NewLineRow, waybillOffers } from "../../db/dao/stock/waybill-offers.ts";
import type { Waybill } from "../../db/entities/stock/waybill.ts";
import { ConflictError, NotFoundError } from "../../errors.ts";
import type { RequestedLine } from "../orders/price-order-lines.ts";

/** What the lines of a waybill are taken from. */
type Origin = Pick<Waybill, "orderId" | "returnOf">;
type Goods = Pick<NewLineRow, "offerId" | "quantity" | "priceRub">;

const keyOf = ({ offerId, priceRub }: Goods) => `${offerId} ${priceRub}`;

/**
 * The lines with what is left of them when the booked pieces are taken away: of the same offer at the same price
 * first, and of the same offer at another price when waybills from before prices had to agree have one. Lines of which
 * nothing is left are left out.
 */
export function takeAway<Line extends Goods>(lines: readonly Line[], booked: readonly Goods[]): Line[] {
  const left = lines.map((line) => ({ ...line }));
  const take = (quantity: number, isSame: (line: Line) => boolean) => {
    let open = quantity;
    for (const line of left.filter(isSame)) {
      const taken = Math.min(line.quantity, open);
      line.quantity -= taken;
      open -= taken;
    }
    return open;
  };
  const others = booked.map((goods) => ({
    ...goods,
    quantity: take(goods.quantity, (line) => keyOf(line) === keyOf(goods)),
  }));
  for (const { offerId, quantity } of others) take(quantity, (line) => line.offerId === offerId);
  return left.filter(({ quantity }) => quantity > 0);
}

/** The lines of the order or the delivery that a waybill takes its own from; undefined when it has neither. */
async function originLines(tx: EntityManager, { orderId, returnOf }: Origin): Promise<NewLineRow[] | undefined> {
  if (orderId !== null) return orderOffers.ofOrders(tx, [orderId]);
  if (returnOf !== null) return waybillOffers.ofWaybill(tx, returnOf);
}

function bookedOf(tx: EntityManager, { orderId, returnOf }: Origin, except?: string) {
  if (orderId !== null) return bookedGoods.ofOrder(tx, orderId, except);
  return returnOf === null ? [] : bookedGoods.ofDelivery(tx, returnOf, except);
}

/**
 * What no waybill has taken yet of an order, or no return of a delivery, with its prices; undefined when the waybill
 * has neither. The caller has locked the order or the delivery.
 */
export async function remainingGoods(tx: EntityManager, origin: Origin): Promise<NewLineRow[] | undefined> {
  const lines = await originLines(tx, origin);
  return lines && takeAway(lines.map(toLine), await bookedOf(tx, origin));
}

const toLine = ({ offerId, brand, manufacturerNumber, quantity, priceRub }: NewLineRow): NewLineRow => {
  return { offerId, brand, manufacturerNumber, quantity, priceRub };
};

/**
 * Lines for storage, taken from what is left of an order or a delivery, at its prices; a requested line becomes several
 * where the prices differ. Throws when an offer is unknown, and when more is requested than is left.
 */
export async function takeRequested(
  tx: EntityManager,
  origin: Origin,
  remaining: readonly NewLineRow[],
  requested: readonly RequestedLine[],
): Promise<NewLineRow[]> {
  const ids = new Set(requested.map(({ offerId }) => offerId));
  if ((await catalogueRows.offers(tx, [...ids])).length < ids.size) throw new NotFoundError("Offer not found");
  const left = remaining.map((line) => ({ ...line }));
  return requested.flatMap(({ offerId, quantity }) => {
    let open = quantity;
    const taken: NewLineRow[] = [];
    for (const line of left.filter((one) => one.offerId === offerId && one.quantity > 0)) {
      const pieces = Math.min(line.quantity, open);
      if (pieces > 0) taken.push({ ...line, quantity: pieces });
      line.quantity -= pieces;
      open -= pieces;
    }
    if (open === 0) return taken;
    throw new ConflictError(
      `'${quantity}' pieces of offer '${offerId}' are ${open} more than ${nameOf(origin)} has left; ${adviceToTake(origin)}`,
    );
  });
}

/**
 * Throws, with both sides, when the waybills of an order hold more pieces of an offer at a price than the order, or the
 * returns of a delivery more than the delivery. Call it after a change of either, while the order or the delivery is
 * locked.
 */
export async function checkGoods(tx: EntityManager, origin: Origin): Promise<void> {
  const lines = await originLines(tx, origin);
  if (!lines) return;
  const ordered = new Map<string, number>();
  for (const line of lines) ordered.set(keyOf(line), (ordered.get(keyOf(line)) ?? 0) + line.quantity);
  const excess = (await bookedOf(tx, origin)).filter((goods) => goods.quantity > (ordered.get(keyOf(goods)) ?? 0));
  if (excess.length === 0) return;
  const list = excess.map((goods) => {
    const { offerId, priceRub, quantity } = goods;
    return `'${quantity}' pieces of offer '${offerId}' at '${priceRub}' roubles, where it has ${ordered.get(keyOf(goods)) ?? 0}`;
  });
  const hasLeft = excess.some((goods) => goods.committed > (ordered.get(keyOf(goods)) ?? 0));
  const pending = [...new Set(excess.flatMap((goods) => goods.pending))];
  const advice = origin.orderId === null ? noMoreThanLeft : adviceToAgree(hasLeft, pending);
  const booked = origin.orderId === null ? "Its returns" : "Its waybills";
  throw new ConflictError(
    `${sentence(nameOf(origin))} would not agree with what was taken from it. ${booked} hold ${list.join("; ")}; ${advice}`,
  );
}

const sentence = (text: string) => text[0]?.toUpperCase() + text.slice(1);

function nameOf({ orderId, returnOf }: Origin) {
  return orderId === null ? `delivery '${returnOf}'` : `order '${orderId}'`;
}

const noMoreThanLeft = "a return brings back what has left, and no more";

const adviceToTake = ({ orderId }: Origin) =>
  orderId === null ? noMoreThanLeft : "take what is left, or put more of it into the order first";

/** A committed waybill can be neither changed nor deleted. */
function adviceToAgree(hasLeft: boolean, pending: readonly string[]) {
  if (hasLeft) return "goods on a committed waybill have left, so the order keeps their quantity and price";
  const list = pending.map((id) => `'${id}'`).join(", ");
  return `change quantities and prices in the order first, or delete pending waybill ${list}`;
}
