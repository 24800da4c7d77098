import type { OfferRow } from "../catalogue.ts";
import type { PlacedOrder } from "./orders.ts";
import type { Person } from "./people.ts";
import { someoneOfStaff } from "./sales.ts";
import type { Shop } from "./shop.ts";
import { committedOf, type WaybillWithLines, writeWaybill } from "./waybills.ts";

const [committed, pending] = [6, 2];
const lastSale = "2026-11-05";

/** What customers brought back, at the price that they had paid. */
export function makeReturns(
  shop: Shop,
  sales: readonly WaybillWithLines[],
  orders: readonly PlacedOrder[],
): WaybillWithLines[] {
  const { people, random } = shop;
  const customers = new Map([...people.demoCustomers, ...people.customers].map((person) => [person.id, person]));
  const returnable = returnableOffers(shop, orders);
  const returns = random.shuffle(committedOf(sales)).flatMap((sale) => {
    const customer = customers.get(sale.waybill.customerId);
    // Who was promoted since would get another price back.
    if (!customer || customer.retailUntil || sale.committedAt > lastSale) return [];
    const line = sale.lines.find(({ offerId }) => returnable.has(offerId));
    const offer = line && returnable.get(line.offerId);
    if (!offer) return [];
    returnable.delete(offer.id);
    return [{ customer, sale, offer, line, quantity: random.int(1, Math.min(line.quantity, offer.quantity)) }];
  });
  return returns
    .slice(0, committed + pending)
    .map((item, index) => bringBack(shop, item, index < committed ? "committed" : "pending"));
}

/** The returned goods are still in stock and were not ordered meanwhile: then no order ever exceeded the stock. */
function returnableOffers({ catalogue }: Shop, orders: readonly PlacedOrder[]): Map<string, OfferRow> {
  const ordered = new Set(
    orders.filter(({ shippedAt }) => shippedAt === null).flatMap(({ lines }) => lines.map(({ offerId }) => offerId)),
  );
  return new Map(
    catalogue.offers
      .filter(({ id, quantity }) => quantity > 0 && !ordered.has(id))
      .map((offer): [string, OfferRow] => [offer.id, offer]),
  );
}

interface Item {
  customer: Person;
  sale: ReturnType<typeof committedOf>[number];
  offer: OfferRow;
  line: WaybillWithLines["lines"][number];
  quantity: number;
}

function bringBack(shop: Shop, { customer, sale, offer, line, quantity }: Item, state: "committed" | "pending") {
  const { random, calendar, people } = shop;
  const createdAt = calendar.after(sale.committedAt, 2_880, 14_400);
  return writeWaybill(random, {
    waybillType: "WAYBILL_RETURN",
    author: people.employee,
    customer,
    returnOf: sale.waybill.id,
    note: random.pick(["не подошло", "брак", "лишнее"]),
    createdAt,
    ...(state === "committed" && { committed: { by: someoneOfStaff(shop), at: calendar.after(createdAt, 15, 300) } }),
    goods: [{ offer, quantity, priceRub: line.priceRub }],
  });
}
