import { defineJob, priorities } from "./define-job.ts";
import { slotKey, slotPayload } from "./slot.ts";

/** Tells staff by mail what was nearly sold out in the day before. */
export const digestLowStock = defineJob({
  name: "digest-low-stock",
  queue: "upkeep",
  version: 1,
  payload: slotPayload,
  key: slotKey,
  entity: () => ({ type: "schedule", id: "low-stock" }),
  priority: priorities.normal,
  retry: { attempts: 5, backoffMs: 5_000, outageMs: 5_000 },
  timeoutMs: 30_000,
  description: "Tells staff by mail what was nearly sold out in the day before.",
});
