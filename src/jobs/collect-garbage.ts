import { defineJob, priorities } from "./define-job.ts";
import { slotKey, slotPayload } from "./slot.ts";

/** One pass through the bucket: removes what this pass and the one before it found that nobody refers to. */
export const collectGarbage = defineJob({
  name: "collect-garbage",
  queue: "upkeep",
  version: 1,
  payload: slotPayload,
  key: slotKey,
  entity: () => ({ type: "schedule", id: "collect-garbage" }),
  priority: priorities.bulk,
  retry: { attempts: 5, backoffMs: 30_000, outageMs: 10_000 },
  timeoutMs: 3_600_000,
  description: "Removes files that nobody refers to from the bucket.",
});
