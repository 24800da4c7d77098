import type { CustomerType } from "../../db/entities/accounts/user.ts";

/** The two prices that an offer has, whole roubles. */
export interface Prices {
  priceRub: number;
  superWholesalePriceRub: number;
}

/** The price between the two, rounded half up, wherever it is shown, charged or printed (contract 3.12). */
export function wholesalePriceRub({ priceRub, superWholesalePriceRub }: Prices): number {
  return Math.round((priceRub + superWholesalePriceRub) / 2);
}

/** What a customer of this type pays for one piece. */
export function priceRubFor(customerType: CustomerType, prices: Prices): number {
  switch (customerType) {
    case "USER_RETAIL":
      return prices.priceRub;
    case "USER_WHOLESALE":
      return wholesalePriceRub(prices);
    case "USER_SUPER_WHOLESALE":
      return prices.superWholesalePriceRub;
  }
}
