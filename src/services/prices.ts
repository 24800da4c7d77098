import type { CustomerType } from "../db/entities/user.ts";

/** The two prices of an offer that are stored; all others follow from them. */
export interface OfferPrices {
  priceRub: number;
  superWholesalePriceRub: number;
}

/** The wholesale price in whole roubles: half-way between retail and super-wholesale, halves rounded up. */
export function wholesalePriceRub({ priceRub, superWholesalePriceRub }: OfferPrices): number {
  return Math.round((priceRub + superWholesalePriceRub) / 2);
}

/** What a customer of this type pays for one piece, in whole roubles: the same in catalogue, orders and documents. */
export function priceRubFor(customerType: CustomerType, offer: OfferPrices): number {
  switch (customerType) {
    case "USER_RETAIL":
      return offer.priceRub;
    case "USER_WHOLESALE":
      return wholesalePriceRub(offer);
    case "USER_SUPER_WHOLESALE":
      return offer.superWholesalePriceRub;
  }
}
