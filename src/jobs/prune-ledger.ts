import { defineJob, priorities } from "./define-job.ts";
import { slotKey, slotPayload } from "./slot.ts";

/** Removes from the database what is older than RETENTION says; its name is older than most of what it removes. */
export const pruneLedger = defineJob({
  name: "prune-ledger",
  queue: "upkeep",
  version: 1,
  payload: slotPayload,
  key: slotKey,
  entity: () => ({ type: "schedule", id: "prune-ledger" }),
  priority: priorities.bulk,
  retry: { attempts: 5, backoffMs: 30_000, outageMs: 10_000 },
  timeoutMs: 3_600_000,
  description: "Removes what is older than RETENTION says from the database.",
});
