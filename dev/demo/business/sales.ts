import type { PlacedOrder } from "./orders.ts";
import type { Person } from "./people.ts";
import { typeAt } from "./prices.ts";
import type { Shop } from "./shop.ts";
import { type WaybillWithLines, writeWaybill } from "./waybills.ts";

const overTheCounter = 12;
const stillOpen = 3;

/** What was sold: a waybill for every order that was shipped and some that are packed, and sales without an order. */
export function makeSales(shop: Shop, orders: readonly PlacedOrder[]): WaybillWithLines[] {
  const packed = orders.filter(({ order }) => order.status === "IN_PROGRESS").filter((_, index) => index % 2 === 0);
  return [
    ...orders.filter(({ shippedAt }) => shippedAt !== null).map((placed) => convert(shop, placed)),
    ...packed.map((placed) => convert(shop, placed)),
    ...Array.from({ length: overTheCounter }, () => sell(shop, "committed")),
    ...Array.from({ length: stillOpen }, () => sell(shop, "pending")),
  ];
}

/** One of the two people who write waybills, mostly the employee. */
export function someoneOfStaff({ random, people }: Shop): Person {
  return random.chance(0.8) ? people.employee : people.admin;
}

/** Lines keep the prices of the order; the goods of a guest are booked on the author of the waybill. */
function convert(shop: Shop, { order, lines, buyer, steps, shippedAt }: PlacedOrder): WaybillWithLines {
  const { random, calendar, catalogue } = shop;
  const author = someoneOfStaff(shop);
  const packedAt = steps[0]?.at ?? order.createdAt;
  return writeWaybill(random, {
    waybillType: "WAYBILL_OUT",
    author,
    customer: buyer ?? author,
    orderId: order.id,
    note: order.note,
    createdAt: calendar.after(packedAt, 1, 20),
    ...(shippedAt && { committed: { by: someoneOfStaff(shop), at: shippedAt } }),
    goods: lines.flatMap(({ offerId, quantity, priceRub }) =>
      catalogue.offers.filter(({ id }) => id === offerId).map((offer) => ({ offer, quantity, priceRub })),
    ),
  });
}

function sell(shop: Shop, state: "committed" | "pending"): WaybillWithLines {
  const { random, calendar, shelf, people } = shop;
  const createdAt =
    state === "committed" ? calendar.onDay("2026-06-01", "2026-11-16") : calendar.onDay("2026-11-17", "2026-11-19");
  const customer = random.pick(
    people.customers.filter((person) => person.isActive && person.createdAt < createdAt).concat(people.demoCustomers),
  );
  const goods = state === "committed" ? shelf.any(random.int(1, 6)) : shelf.stocked(random.int(1, 6));
  return writeWaybill(random, {
    waybillType: "WAYBILL_OUT",
    author: people.employee,
    customer,
    note: random.pick(["продажа со склада", "по телефону", null]),
    createdAt,
    ...(state === "committed" && {
      committed: { by: someoneOfStaff(shop), at: calendar.after(createdAt, 10, 240) },
    }),
    goods: goods.map((offer) => {
      const wanted = shelf.pieces(offer, typeAt(customer, createdAt));
      return { offer, quantity: state === "committed" ? wanted : Math.min(wanted, offer.quantity) };
    }),
  });
}
