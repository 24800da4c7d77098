import { z } from "zod";
import { type BalanceEntry, balanceReasons, currencies } from "../../db/entities/payments/balance-entry.ts";
import { timestamp } from "../http/fields.ts";
import type { Profile } from "../http/types.ts";
import { WaybillView, waybillView } from "./waybill.ts";

export const BalanceEntryView = z
  .object({
    id: z.uuid(),
    user_id: z.uuid(),
    waybill_id: z.uuid().nullable(),
    waybill: WaybillView.nullable(),
    delta: z.int(),
    balance_before: z.int(),
    balance_after: z.int(),
    currency: z.enum(currencies),
    reason: z.enum(balanceReasons),
    created_at: timestamp,
    updated_at: timestamp,
  })
  .meta({ id: "UserBalanceHistory" });

/** One change of a balance; its waybill, when it has one, has to be loaded with author and customer. */
export function balanceEntryView(entry: BalanceEntry, profile: Profile): z.output<typeof BalanceEntryView> {
  return {
    id: entry.id,
    user_id: entry.userId,
    waybill_id: entry.waybillId,
    waybill: entry.waybill && waybillView(entry.waybill, profile),
    delta: entry.delta,
    balance_before: entry.balanceBefore,
    balance_after: entry.balanceAfter,
    currency: entry.currency,
    reason: entry.reason,
    created_at: entry.createdAt.toISOString(),
    updated_at: entry.updatedAt.toISOString(),
  };
}
