import type { CustomerType } from "../../../src/db/entities/accounts/user.ts";
import type { OfferRow } from "../catalogue.ts";
import type { Random } from "../random.ts";

/** Chooses goods as customers do. */
export interface Shelf {
  /** Different offers, sold out by now or not. */
  any(count: number): OfferRow[];
  /** Different offers that are in stock. */
  stocked(count: number): OfferRow[];
  /** How many pieces of it a customer takes; traders more, of expensive parts fewer. */
  pieces(offer: OfferRow, type: CustomerType): number;
}

const bestSellers = 40;

/** Makes a shelf whose best-sellers come again and again. */
export function createShelf(random: Random, offers: readonly OfferRow[]): Shelf {
  const inStock = random.shuffle(offers.filter(({ quantity }) => quantity > 0));
  const popular = inStock.slice(0, bestSellers);
  const choose = (pool: readonly OfferRow[], count: number) => {
    const chosen = new Set<OfferRow>();
    while (chosen.size < count) chosen.add(random.pick(random.chance(0.35) ? popular : pool));
    return [...chosen];
  };
  return {
    any: (count) => choose(offers, count),
    stocked: (count) => choose(inStock, count),
    pieces(offer, type) {
      if (offer.priceRub > 15_000) return 1;
      return type === "USER_RETAIL" ? random.int(1, 3) : random.int(1, 8);
    },
  };
}
