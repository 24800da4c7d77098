import type { OfferRow } from "../catalogue.ts";
import type { Calendar } from "./calendar.ts";
import type { PlacedOrder } from "./orders.ts";
import { someoneOfStaff } from "./sales.ts";
import type { Shop } from "./shop.ts";
import { committedOf, directions, type WaybillWithLines, writeWaybill } from "./waybills.ts";

/** Something that needs or changes the stock of one offer. */
interface Use {
  at: string;
  needs: number;
  delta: number;
}

interface Delivery {
  createdAt: string;
  /** Only then the goods are there. */
  committedAt: string;
  goods: { offer: OfferRow; quantity: number }[];
}

const deliveryDays = "2026-06-09 2026-07-01 2026-07-23 2026-08-13 2026-09-08 2026-10-01 2026-10-22 2026-11-10".split(
  " ",
);
const unsold = 60;
const linesOfOne = 40;
const expected = 3;

/**
 * The receipts that lead to the stock of today: together they bring of each offer what was sold since and what is left.
 * A part of it comes with a later delivery, as far as everything before could be served without.
 */
export function makeReceipts(
  shop: Shop,
  waybills: readonly WaybillWithLines[],
  orders: readonly PlacedOrder[],
): WaybillWithLines[] {
  const { random, calendar, catalogue, shelf } = shop;
  const uses = usesByOffer(waybills, orders);
  const moved = new Set(committedOf(waybills).flatMap(({ lines }) => lines.map(({ offerId }) => offerId)));
  for (const { id } of shelf.stocked(unsold)) moved.add(id);

  const deliveries = deliveryDays.map((day) => planDelivery(calendar, day, day, []));
  const opening = catalogue.offers
    .filter(({ id }) => moved.has(id))
    .map((offer) => {
      const timeline = uses.get(offer.id) ?? [];
      const total = timeline.reduce((stock, { delta }) => stock - delta, offer.quantity);
      const delivery = random.pick(deliveries);
      const later = random.chance(0.4)
        ? random.int(0, Math.min(spare(timeline, total, delivery.committedAt), total - 1))
        : 0;
      if (later > 0) delivery.goods.push({ offer, quantity: later });
      return { offer, quantity: total - later };
    });
  return [
    ...chunks(opening).map((goods) => receive(shop, planDelivery(calendar, "2026-05-06", "2026-05-13", goods), "own")),
    ...deliveries
      .filter(({ goods }) => goods.length > 0)
      .map((delivery, index) => receive(shop, delivery, index % 2 === 0 ? "supplied" : "own")),
    ...Array.from({ length: expected }, () => expectGoods(shop)),
  ];
}

function planDelivery(calendar: Calendar, first: string, last: string, goods: Delivery["goods"]): Delivery {
  const createdAt = calendar.onDay(first, last);
  return { createdAt, committedAt: calendar.after(createdAt, 30, 480), goods };
}

function usesByOffer(waybills: readonly WaybillWithLines[], orders: readonly PlacedOrder[]): Map<string, Use[]> {
  const moves = committedOf(waybills).flatMap(({ waybill, lines, committedAt }) =>
    lines.map(({ offerId, quantity }) => {
      const delta = directions[waybill.waybillType] * quantity;
      return { offerId, at: committedAt, needs: Math.max(0, -delta), delta };
    }),
  );
  const demands = orders.flatMap(({ order, lines }) =>
    lines.map(({ offerId, quantity }) => ({ offerId, at: order.createdAt, needs: quantity, delta: 0 })),
  );
  const uses = new Map<string, Use[]>();
  for (const { offerId, ...use } of [...moves, ...demands].sort((a, b) => (a.at < b.at ? -1 : 1))) {
    uses.set(offerId, [...(uses.get(offerId) ?? []), use]);
  }
  return uses;
}

/** How much of the first receipt is not needed before the moment. */
function spare(timeline: readonly Use[], total: number, moment: string): number {
  let [stock, missed] = [total, total];
  for (const { needs, delta } of timeline.filter(({ at }) => at < moment)) {
    missed = Math.min(missed, stock - needs, stock + delta);
    stock += delta;
  }
  return missed;
}

function chunks<T>(items: readonly T[]): T[][] {
  const count = Math.ceil(items.length / linesOfOne);
  return Array.from({ length: count }, (_, index) => items.slice(index * linesOfOne, (index + 1) * linesOfOne));
}

/** Goods of the supplier are credited to its balance; our own stock-taking has no customer but its author. */
function receive(shop: Shop, { createdAt, committedAt, goods }: Delivery, whose: "own" | "supplied"): WaybillWithLines {
  const { random, people } = shop;
  const author = someoneOfStaff(shop);
  return writeWaybill(random, {
    waybillType: "WAYBILL_IN",
    author,
    customer: whose === "own" ? author : people.supplier,
    note: whose === "own" ? "оприходование" : "поставка",
    createdAt,
    committed: { by: someoneOfStaff(shop), at: committedAt },
    goods,
  });
}

/** Goods that are on their way. */
function expectGoods(shop: Shop): WaybillWithLines {
  const { random, calendar, shelf, people } = shop;
  return writeWaybill(random, {
    waybillType: "WAYBILL_IN",
    author: people.employee,
    customer: people.supplier,
    note: "ожидается",
    createdAt: calendar.onDay("2026-11-16", "2026-11-19"),
    goods: shelf.any(random.int(3, 12)).map((offer) => ({ offer, quantity: random.int(2, 20) })),
  });
}
