import { slugify } from "../../../src/services/catalogue/slug.ts";
import { guestNames } from "../words.ts";
import type { Person } from "./people.ts";
import type { Shop } from "./shop.ts";

/** Orders of customers with a story, so that it is told: who is promoted in August buys before and after it. */
const booked: Partial<Record<number, number>> = { 3: 2, 8: 1, 18: 1 };

/**
 * Who places the order of that number, null for a guest: every fifth is a guest and every tenth from the warehouse, and
 * who has a demo token finds orders of their own.
 */
export function buyerOf({ random, people }: Shop, index: number, placedAt: string): Person | null {
  if (index % 5 === 4) return null;
  if (index % 10 === 7) return people.employee;
  if (index % 10 < 3 || index % 10 === 5) return people.demoCustomers[index % 3] ?? null;
  const dayBefore = new Date(Date.parse(placedAt) - 86_400_000).toISOString();
  const regular = people.customers[booked[index] ?? -1];
  if (regular) return regular;
  const present = ({ createdAt, activeUntil }: Person) =>
    createdAt < dayBefore && (activeUntil === undefined || placedAt < activeUntil);
  return random.pick(people.customers.filter(present));
}

/** How to reach the buyer; a guest of the same number is the same person. */
export function contactOf(buyer: Person | null, index: number) {
  if (buyer) {
    const { firstName, lastName, email, phone } = buyer;
    return { firstName, lastName, email, phone: phone ?? "—" };
  }
  const guest = Math.floor(index / 5) % guestNames.length;
  const [firstName = "", lastName = ""] = (guestNames[guest] ?? "").split(" ");
  const email = `${slugify(firstName)}.${slugify(lastName)}@guest.example.com`;
  return { firstName, lastName, email, phone: `+7978000${9_001 + guest}` };
}
