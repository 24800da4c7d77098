import type { EntityManager } from "typeorm";
import { type SellableOffer, sellableOffers } from "../../db/dao/catalogue/sellable-offers.ts";
import type { NewOrderLineRow } from "../../db/dao/orders/order-offers.ts";
import type { CustomerType } from "../../db/entities/accounts/user.ts";
import { ConflictError, NotFoundError } from "../../errors.ts";
import { priceRubFor } from "./prices.ts";

export interface RequestedLine {
  offerId: string;
  quantity: number;
}

/** A larger order could not be packed. */
export const maxOrderLines = 200;

/**
 * Lines for storage: the present brand, number and price of the offers. Throws when an offer is unknown or not sold any
 * more, and when all lines together exceed the stock of an offer. The number of statements does not depend on the
 * number of lines.
 */
export async function priceOrderLines(
  tx: EntityManager,
  { lines, customerType }: { lines: readonly RequestedLine[]; customerType: CustomerType },
): Promise<NewOrderLineRow[]> {
  if (lines.length === 0) return [];
  const held = await sellableOffers.lock(
    tx,
    lines.map(({ offerId }) => offerId),
  );
  const offers = new Map(held.map((offer) => [offer.id, offer]));
  const priced = lines.map(({ offerId, quantity }) => {
    const offer = offers.get(offerId);
    if (!offer || offer.isDiscontinued) throw new NotFoundError("Offer not found");
    const { brand, manufacturerNumber } = offer;
    return { offerId, quantity, brand, manufacturerNumber, priceRub: priceRubFor(customerType, offer) };
  });
  checkStock(held, lines);
  return priced;
}

/** Throws with a sentence that names every offer whose stock is too small. */
export function checkStock(offers: readonly SellableOffer[], lines: readonly RequestedLine[]) {
  const wanted = demandOf(lines);
  const short = offers.filter(({ id, quantity }) => (wanted.get(id) ?? 0) > quantity);
  if (short.length === 0) return;
  const list = short.map((offer) => `${nameOf(offer)}: '${wanted.get(offer.id)}' wanted, ${offer.quantity} available`);
  const advice = [
    ...(short.some(({ quantity }) => quantity > 0) ? ["Lower the quantity"] : []),
    ...(short.some(({ quantity }) => quantity === 0) ? ["Leave out what is sold out"] : []),
  ];
  throw new ConflictError(`There is too little in stock of ${list.join("; ")}. ${advice.join(". ")}`);
}

/** The name of an offer in a sentence. */
export function nameOf({ id, brand, manufacturerNumber }: Pick<SellableOffer, "id" | "brand" | "manufacturerNumber">) {
  return `'${brand} ${manufacturerNumber}' (offer '${id}')`;
}

function demandOf(lines: readonly RequestedLine[]) {
  const wanted = new Map<string, number>();
  for (const { offerId, quantity } of lines) wanted.set(offerId, (wanted.get(offerId) ?? 0) + quantity);
  return wanted;
}
