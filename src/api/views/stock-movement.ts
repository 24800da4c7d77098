import { z } from "zod";
import type { StockMovement } from "../../db/entities/stock/stock-movement.ts";
import { waybillTypes } from "../../db/entities/stock/waybill.ts";
import { timestamp } from "../http/fields.ts";

export const StockMovementView = z
  .object({
    id: z.uuid(),
    offer_id: z.uuid(),
    waybill_id: z.uuid(),
    waybill_offer_id: z.uuid().meta({ description: "The line; each moves the stock once" }),
    waybill_type: z.enum(waybillTypes),
    delta: z.int().meta({ description: "Negative: goods that went out" }),
    quantity_before: z.int(),
    quantity_after: z.int(),
    user_id: z.uuid(),
    user: z
      .object({ id: z.uuid(), first_name: z.string(), last_name: z.string() })
      .meta({ description: "Who committed the waybill" }),
    created_at: timestamp,
  })
  .meta({ id: "StockMovement" });

/** A movement with its actor; the user's names have to be loaded. */
export function stockMovementView(movement: StockMovement): z.output<typeof StockMovementView> {
  const { id, firstName, lastName } = movement.user;
  return {
    id: movement.id,
    offer_id: movement.offerId,
    waybill_id: movement.waybillId,
    waybill_offer_id: movement.waybillOfferId,
    waybill_type: movement.waybillType,
    delta: movement.delta,
    quantity_before: movement.quantityBefore,
    quantity_after: movement.quantityAfter,
    user_id: movement.userId,
    user: { id, first_name: firstName, last_name: lastName },
    created_at: movement.createdAt.toISOString(),
  };
}
