import type { EntityManager } from "typeorm";
import { z } from "zod";
import type { WaybillOffer } from "../../db/entities/stock/waybill-offer.ts";
import type { ApiContext } from "../http/types.ts";
import { lineFields, lineViews } from "./lines.ts";

export const WaybillOfferView = z.object({ ...lineFields, waybill_id: z.uuid() }).meta({ id: "WaybillOffer" });
export type WaybillOfferView = z.output<typeof WaybillOfferView>;

/** Lines with their offers, in their order; two statements for any number of them. */
export function waybillOfferViews(
  context: ApiContext,
  reader: EntityManager,
  lines: readonly WaybillOffer[],
): Promise<WaybillOfferView[]> {
  return lineViews(context, reader, lines, ({ waybillId }) => ({ waybill_id: waybillId }));
}
