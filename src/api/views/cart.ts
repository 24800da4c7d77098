import type { EntityManager } from "typeorm";
import { z } from "zod";
import { readCart } from "../../services/orders/carts.ts";
import { skipReasons } from "../../services/orders/merge-cart.ts";
import { timestamp } from "../http/fields.ts";
import type { ApiContext } from "../http/types.ts";
import { NestedOffer, offerViewsById } from "./offer.ts";

const CartLineView = z
  .object({
    id: z.uuid(),
    offer_id: z.uuid(),
    quantity: z.int(),
    price_rub: z.int().meta({ description: "For one piece, at this customer's current prices" }),
    seen_price_rub: z.int().meta({ description: "The price that the customer saw last" }),
    price_changed: z.boolean(),
    available: z.int().meta({ description: "Pieces that can be ordered; 0 for a discontinued offer" }),
    is_short: z.boolean().meta({ description: "More is wanted than is available" }),
    is_out_of_stock: z.boolean(),
    sum_rub: z.int(),
    offer: NestedOffer,
  })
  .meta({ id: "CartOffer" });

/** The open cart of a customer. */
export const CartView = z
  .object({
    id: z.uuid().nullable().meta({ description: "Null until an offer is added" }),
    user_id: z.uuid(),
    status: z.literal("DRAFT"),
    cart_offers: z.array(CartLineView),
    items_count: z.int().meta({ description: "Lines" }),
    total_quantity: z.int().meta({ description: "Pieces" }),
    total_sum: z.int(),
    created_at: timestamp.nullable(),
    updated_at: timestamp.nullable(),
  })
  .meta({ id: "Cart" });

/** A cart after the merge with a browser's cart. */
export const MergedCartView = CartView.extend({
  skipped: z
    .array(z.object({ offer_id: z.uuid(), reason: z.enum(skipReasons) }))
    .meta({ description: "Offers that were left out: unknown, discontinued, or the cart is full" }),
}).meta({ id: "MergedCart" });

/** The open cart of a user; four statements however many lines it has. Throws when there is no such user. */
export async function viewCart(
  context: ApiContext,
  reader: EntityManager,
  userId: string,
): Promise<z.output<typeof CartView>> {
  const { id, lines, createdAt, updatedAt } = await readCart(reader, userId);
  const offers = await offerViewsById(
    context,
    reader,
    lines.map(({ offerId }) => offerId),
  );
  const views = lines.map((line) => {
    const offer = offers.get(line.offerId);
    if (!offer) throw new Error(`Offer '${line.offerId}' of cart '${id}' was not loaded`);
    return {
      id: line.id,
      offer_id: line.offerId,
      quantity: line.quantity,
      price_rub: line.priceRub,
      seen_price_rub: line.seenPriceRub,
      price_changed: line.isPriceChanged,
      available: line.available,
      is_short: line.quantity > line.available,
      is_out_of_stock: line.available === 0,
      sum_rub: line.priceRub * line.quantity,
      offer,
    };
  });
  return {
    id,
    user_id: userId,
    status: "DRAFT",
    cart_offers: views,
    items_count: views.length,
    total_quantity: views.reduce((sum, { quantity }) => sum + quantity, 0),
    total_sum: views.reduce((sum, { sum_rub }) => sum + sum_rub, 0),
    created_at: createdAt?.toISOString() ?? null,
    updated_at: updatedAt?.toISOString() ?? null,
  };
}
