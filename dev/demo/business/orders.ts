import type { OrderStatus } from "../../../src/db/entities/orders/order.ts";
import { priceRubFor } from "../../../src/services/orders/prices.ts";
import { orderNotes } from "../words.ts";
import { buyerOf, contactOf } from "./buyers.ts";
import type { Calendar } from "./calendar.ts";
import type { Person } from "./people.ts";
import { typeAt } from "./prices.ts";
import type { OrderOfferRow, OrderRow } from "./rows.ts";
import { destinationOf, type Style } from "./shipping.ts";
import type { Shop } from "./shop.ts";

/** An order, and what became of it. */
export interface PlacedOrder {
  order: OrderRow;
  lines: OrderOfferRow[];
  /** Null for a guest. */
  buyer: Person | null;
  /** Every status after NEW. */
  steps: { status: OrderStatus; at: string }[];
  /** When its goods left the warehouse. */
  shippedAt: string | null;
}

interface Plan {
  status: OrderStatus;
  count: number;
  first: string;
  last: string;
}

const plans: readonly Plan[] = [
  { status: "COMPLETED", count: 30, first: "2026-05-18", last: "2026-11-05" },
  { status: "CANCELED", count: 7, first: "2026-06-01", last: "2026-11-12" },
  { status: "SHIPPING", count: 8, first: "2026-11-09", last: "2026-11-15" },
  { status: "IN_PROGRESS", count: 8, first: "2026-11-12", last: "2026-11-18" },
  { status: "NEW", count: 8, first: "2026-11-17", last: "2026-11-19" },
];

/** Orders in every state, of guests, customers and staff, in the order of their moments. */
export function makeOrders(shop: Shop): PlacedOrder[] {
  return plans
    .flatMap(spread)
    .map((plan, index) => placeOrder(shop, plan, index))
    .sort((a, b) => (a.order.createdAt < b.order.createdAt ? -1 : 1));
}

/** As many plans as orders, each with its own part of the days. */
function spread({ status, count, first, last }: Plan): Plan[] {
  const dayAt = (place: number) => {
    const moment = Date.parse(first) + (place / count) * (Date.parse(last) - Date.parse(first));
    return new Date(moment).toISOString().slice(0, 10);
  };
  return Array.from({ length: count }, (_, place) => ({
    status,
    count: 1,
    first: dayAt(place),
    last: dayAt(place + 1),
  }));
}

function placeOrder(shop: Shop, { status, first, last }: Plan, index: number): PlacedOrder {
  const { random, calendar, addresses } = shop;
  const placedAt = calendar.onDay(first, last);
  const buyer = buyerOf(shop, index, placedAt);
  const { steps, shippedAt } = progressOf(calendar, status, placedAt);
  const order: OrderRow = {
    id: random.uuid(),
    userId: buyer?.id ?? null,
    byGuest: !buyer,
    status,
    note: random.chance(0.25) ? random.pick(orderNotes) : null,
    ...destinationOf(random, styleOf(shop, index, buyer), buyer, addresses),
    ...contactOf(buyer, index),
    createdAt: placedAt,
    updatedAt: steps.at(-1)?.at ?? placedAt,
  };
  return { order, lines: makeLines(shop, order, buyer, shippedAt !== null), buyer, steps, shippedAt };
}

function styleOf({ random, people }: Shop, index: number, buyer: Person | null): Style {
  if (!buyer) return index % 2 === 0 ? "cargo" : "pickup";
  if (buyer === people.employee) return "warehouse";
  return random.pick(["cargo", "cargo", "pickup", "postal", "stored"] as const);
}

/** A paid order is packed after five hours at the earliest. */
function progressOf(calendar: Calendar, status: OrderStatus, placedAt: string) {
  if (status === "NEW") return { steps: [], shippedAt: null };
  if (status === "CANCELED") {
    return { steps: [{ status, at: calendar.after(placedAt, 300, 2_400) }], shippedAt: null };
  }
  const packing = { status: "IN_PROGRESS" as const, at: calendar.after(placedAt, 300, 480) };
  if (status === "IN_PROGRESS") return { steps: [packing], shippedAt: null };
  const shippedAt = calendar.after(packing.at, 120, 1_200);
  const shipping = { status: "SHIPPING" as const, at: calendar.after(shippedAt, 20, 90) };
  if (status === "SHIPPING") return { steps: [packing, shipping], shippedAt };
  const completed = { status, at: calendar.after(shipping.at, 1_440, 7_200) };
  return { steps: [packing, shipping, completed], shippedAt };
}

/** What has left the warehouse may be sold out by now; what has not is still there. */
function makeLines(shop: Shop, order: OrderRow, buyer: Person | null, shipped: boolean): OrderOfferRow[] {
  const { random, shelf } = shop;
  const { id: orderId, createdAt } = order;
  const type = typeAt(buyer, createdAt);
  const count = random.int(1, 8);
  return (shipped ? shelf.any(count) : shelf.stocked(count)).map((offer, position) => {
    const wanted = shelf.pieces(offer, type);
    return {
      id: random.uuid(),
      orderId,
      offerId: offer.id,
      position,
      brand: offer.brand,
      manufacturerNumber: offer.manufacturerNumber,
      quantity: shipped ? wanted : Math.min(wanted, offer.quantity),
      priceRub: priceRubFor(type, offer),
      createdAt,
      updatedAt: createdAt,
    };
  });
}
