import { z } from "zod";
import { type Waybill, waybillTypes } from "../../db/entities/stock/waybill.ts";
import { paperNumberOf } from "../../services/stock/paper-number.ts";
import { timestamp } from "../http/fields.ts";
import type { Profile } from "../http/types.ts";
import { UserView, userView } from "./user.ts";

export const WaybillView = z
  .object({
    id: z.uuid(),
    author: UserView,
    customer: UserView,
    customer_id: z.uuid(),
    order_id: z.uuid().nullable(),
    waybill_type: z.enum(waybillTypes),
    is_pending: z.boolean(),
    return_of: z.uuid().nullable().meta({ description: "The delivery whose goods come back" }),
    paper_number: z
      .string()
      .nullable()
      .meta({ description: "Year and number among the committed waybills of its type, as 2026-17; null until then" }),
    note: z.string().nullable(),
    created_at: timestamp,
    updated_at: timestamp,
  })
  .meta({ id: "Waybill" });

/** A waybill without its lines; author and customer have to be loaded. */
export function waybillView(waybill: Waybill, profile: Profile): z.output<typeof WaybillView> {
  return {
    id: waybill.id,
    author: userView(waybill.author, profile),
    customer: userView(waybill.customer, profile),
    customer_id: waybill.customerId,
    order_id: waybill.orderId,
    waybill_type: waybill.waybillType,
    is_pending: waybill.isPending,
    return_of: waybill.returnOf,
    paper_number: paperNumberOf(waybill),
    note: waybill.note,
    created_at: waybill.createdAt.toISOString(),
    updated_at: waybill.updatedAt.toISOString(),
  };
}
