import type { EntityManager } from "typeorm";
import { sellableOffers } from "../../db/dao/catalogue/sellable-offers.ts";
import { carts, type NewCartLine } from "../../db/dao/orders/carts.ts";
import { lockCart } from "./carts.ts";
import { maxOrderLines, type RequestedLine } from "./price-order-lines.ts";
import { priceRubFor } from "./prices.ts";

/** Why an offer of a browser's cart was left out. */
export const skipReasons = ["unknown", "deleted", "full"] as const;
export interface Skipped {
  offerId: string;
  reason: (typeof skipReasons)[number];
}

/**
 * Adds the offers of a browser's cart: of an offer that is in both, the larger quantity. Offers that cannot be added
 * are left out and returned with the reason. May be repeated.
 */
export async function mergeIntoCart(
  tx: EntityManager,
  { userId, lines }: { userId: string; lines: readonly RequestedLine[] },
): Promise<Skipped[]> {
  const cart = await lockCart(tx, userId);
  const wanted = largestOf(lines);
  const offers = new Map((await sellableOffers.lock(tx, wanted.keys())).map((offer) => [offer.id, offer]));
  const present = new Set(cart.lines.map(({ offerId }) => offerId));
  const skipped: Skipped[] = [];
  const taken: NewCartLine[] = [];
  for (const [offerId, quantity] of wanted) {
    const offer = offers.get(offerId);
    const hasRoom = present.has(offerId) || present.size < maxOrderLines;
    if (!offer) skipped.push({ offerId, reason: "unknown" });
    else if (offer.isDiscontinued) skipped.push({ offerId, reason: "deleted" });
    else if (!hasRoom) skipped.push({ offerId, reason: "full" });
    else {
      present.add(offerId);
      taken.push({ offerId, quantity, priceRub: priceRubFor(cart.customerType, offer) });
    }
  }
  if (taken.length > 0) await carts.merge(tx, cart.id, taken);
  await carts.touch(tx, cart.id);
  return skipped;
}

function largestOf(lines: readonly RequestedLine[]) {
  const maxQuantities = new Map<string, number>();
  for (const { offerId, quantity } of lines)
    maxQuantities.set(offerId, Math.max(quantity, maxQuantities.get(offerId) ?? 0));
  return maxQuantities;
}
