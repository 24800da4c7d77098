import { priceRubFor } from "../../../src/services/orders/prices.ts";
import type { PlacedOrder } from "./orders.ts";
import type { Person } from "./people.ts";
import { typeAt } from "./prices.ts";
import type { CartOfferRow, CartRow } from "./rows.ts";
import type { Shop } from "./shop.ts";

interface CartWithLines {
  cart: CartRow;
  lines: CartOfferRow[];
}

/** Two customers have a cart that is not ordered yet; the first of them has ordered one before. */
export function makeCarts(shop: Shop, orders: readonly PlacedOrder[]): CartWithLines[] {
  const [first, second] = shop.people.demoCustomers;
  const placed = orders.findLast(({ buyer, order }) => buyer === first && order.status !== "CANCELED");
  if (!first || !second || !placed) throw new Error("Carts need two demo customers, and an order of the first one");
  return [orderedCart(shop, first, placed), draft(shop, first), draft(shop, second)];
}

function orderedCart({ random, calendar }: Shop, { id: userId }: Person, placed: PlacedOrder): CartWithLines {
  const { order, lines } = placed;
  const createdAt = calendar.after(order.createdAt, -180, -120);
  const common = { orderId: order.id, createdAt, updatedAt: order.createdAt };
  const cart: CartRow = { id: random.uuid(), userId, status: "ORDERED", ...common };
  return {
    cart,
    lines: lines.map(({ offerId, quantity, priceRub }) => {
      const addedAt = calendar.after(createdAt, 1, 90);
      return cartLine(random.uuid(), cart, { offerId, quantity, seenPriceRub: priceRub, addedAt });
    }),
  };
}

function draft({ random, calendar, shelf }: Shop, person: Person): CartWithLines {
  const createdAt = calendar.onDay("2026-11-20", "2026-11-20");
  const cart: CartRow = {
    id: random.uuid(),
    userId: person.id,
    status: "DRAFT",
    orderId: null,
    createdAt,
    updatedAt: createdAt,
  };
  const type = typeAt(person, createdAt);
  const lines = shelf.stocked(random.int(2, 4)).map((offer) =>
    cartLine(random.uuid(), cart, {
      offerId: offer.id,
      quantity: Math.min(shelf.pieces(offer, type), offer.quantity),
      seenPriceRub: priceRubFor(type, offer),
      addedAt: calendar.after(createdAt, 1, 60),
    }),
  );
  return { cart, lines };
}

interface Added {
  offerId: string;
  quantity: number;
  seenPriceRub: number;
  addedAt: string;
}

function cartLine(id: string, cart: CartRow, { addedAt, ...line }: Added): CartOfferRow {
  return { id, cartId: cart.id, ...line, createdAt: addedAt, updatedAt: addedAt };
}
