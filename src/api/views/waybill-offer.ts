import type { EntityManager } from "typeorm";
import { z } from "zod";
import type { WaybillOffer } from "../../db/entities/waybill-offer.ts";
import type { ApiContext } from "../context.ts";
import { NestedOffer, offerViewsById } from "./offer.ts";

export const WaybillOfferView = z
  .object({
    id: z.uuid(),
    waybill_id: z.uuid(),
    offer_id: z.uuid(),
    brand: z.string(),
    manufacturer_number: z.string(),
    quantity: z.int(),
    price_rub: z.int().meta({ description: "Of one piece, as it was when the line was made" }),
    offer: NestedOffer.meta({ description: "The offer as it is now" }),
  })
  .meta({ id: "WaybillOffer" });
export type WaybillOfferView = z.output<typeof WaybillOfferView>;

/** Lines with their offers, in their order; two statements for any number of them. */
export async function waybillOfferViews(
  context: ApiContext,
  reader: EntityManager,
  lines: readonly WaybillOffer[],
): Promise<WaybillOfferView[]> {
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
      waybill_id: line.waybillId,
      offer_id: line.offerId,
      brand: line.brand,
      manufacturer_number: line.manufacturerNumber,
      quantity: line.quantity,
      price_rub: line.priceRub,
      offer,
    };
  });
}
