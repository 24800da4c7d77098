import type { EntityManager } from "typeorm";
import { z } from "zod";
import type { OrderOffer } from "../../db/entities/order-offer.ts";
import type { ApiContext } from "../context.ts";
import { NestedOffer, offerViewsById } from "./offer.ts";

/** A line of an order: brand, number and price as they were when it was made, and the offer as it is now. */
export const OrderLineView = z
  .object({
    id: z.uuid(),
    order_id: z.uuid(),
    offer_id: z.uuid(),
    brand: z.string(),
    manufacturer_number: z.string(),
    quantity: z.int(),
    price_rub: z.int(),
    offer: NestedOffer,
  })
  .meta({ id: "OrderOffer" });

/** Views of these lines, in their order; two statements for all their offers. */
export async function viewOrderLines(
  context: ApiContext,
  reader: EntityManager,
  lines: readonly OrderOffer[],
): Promise<z.output<typeof OrderLineView>[]> {
  const offers = await offerViewsById(
    context,
    reader,
    lines.map(({ offerId }) => offerId),
  );
  return lines.map((line) => {
    const offer = offers.get(line.offerId);
    if (!offer) throw new Error(`Offer '${line.offerId}' of line '${line.id}' was not loaded`);
    return {
      id: line.id,
      order_id: line.orderId,
      offer_id: line.offerId,
      brand: line.brand,
      manufacturer_number: line.manufacturerNumber,
      quantity: line.quantity,
      price_rub: line.priceRub,
      offer,
    };
  });
}
