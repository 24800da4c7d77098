import type { EntityManager } from "typeorm";
import { z } from "zod";
import type { ApiContext } from "../http/types.ts";
import { NestedOffer, offerViewsById } from "./offer.ts";

/** Common fields of the lines of orders and waybills. */
export const lineFields = {
  id: z.uuid(),
  offer_id: z.uuid(),
  brand: z.string(),
  manufacturer_number: z.string(),
  quantity: z.int(),
  price_rub: z.int().meta({ description: "Of one piece, as it was when the line was made" }),
  offer: NestedOffer.meta({ description: "The offer as it is now" }),
};

interface Line {
  id: string;
  offerId: string;
  brand: string;
  manufacturerNumber: string;
  quantity: number;
  priceRub: number;
}

/** Lines of `owner` with their offers, in their order; two statements for any number of them. */
export async function lineViews<L extends Line, Owner>(
  context: ApiContext,
  reader: EntityManager,
  lines: readonly L[],
  owner: (line: L) => Owner,
) {
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
      ...owner(line),
      offer_id: line.offerId,
      brand: line.brand,
      manufacturer_number: line.manufacturerNumber,
      quantity: line.quantity,
      price_rub: line.priceRub,
      offer,
    };
  });
}
