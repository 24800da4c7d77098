import type { CustomerType } from "../../../src/db/entities/accounts/user.ts";
import type { Person } from "./people.ts";

/** The type that a customer had at a moment; guests buy retail. */
export function typeAt(person: Person | null, moment: string): CustomerType {
  if (!person || (person.retailUntil && moment < person.retailUntil)) return "USER_RETAIL";
  return person.customerType;
}

/** What lines of an order or a waybill cost together. */
export function sumOf(lines: readonly { quantity: number; priceRub: number }[]): number {
  return lines.reduce((sum, { quantity, priceRub }) => sum + quantity * priceRub, 0);
}
