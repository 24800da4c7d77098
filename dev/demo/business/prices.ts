import type { CustomerType } from "../../../src/db/entities/user.ts";
import type { OfferRow } from "../catalogue.ts";
import type { Person } from "./people.ts";

type Prices = Pick<OfferRow, "priceRub" | "superWholesalePriceRub">;

/** What one piece costs a customer of this type, in whole roubles; wholesale is the mean of the other two, half up. */
export function linePrice(type: CustomerType, { priceRub, superWholesalePriceRub }: Prices): number {
  if (type === "USER_RETAIL") return priceRub;
  if (type === "USER_SUPER_WHOLESALE") return superWholesalePriceRub;
  return Math.round((priceRub + superWholesalePriceRub) / 2);
}

/** The type that a customer had at a moment; guests buy retail. */
export function typeAt(person: Person | null, moment: string): CustomerType {
  if (!person || (person.retailUntil && moment < person.retailUntil)) return "USER_RETAIL";
  return person.customerType;
}

/** What lines of an order or a waybill cost together. */
export function sumOf(lines: readonly { quantity: number; priceRub: number }[]): number {
  return lines.reduce((sum, { quantity, priceRub }) => sum + quantity * priceRub, 0);
}
