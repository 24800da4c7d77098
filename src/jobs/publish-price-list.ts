import { defineJob, priorities } from "./define-job.ts";
import { slotKey, slotPayload } from "./slot.ts";

/** Has the public price list of a day made, as a part of its own work. */
export const publishPriceList = defineJob({
  name: "publish-price-list",
  queue: "upkeep",
  version: 1,
  payload: slotPayload,
  key: slotKey,
  entity: () => ({ type: "schedule", id: "price-list" }),
  priority: priorities.normal,
  retry: { attempts: 5, backoffMs: 5_000, outageMs: 5_000 },
  timeoutMs: 30_000,
  description: "Has the public price list of the day made.",
});
