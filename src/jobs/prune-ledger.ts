import { defineJob, priorities } from "./define-job.ts";
import { slotKey, slotPayload } from "./slot.ts";

/** Removes what nobody will ask for any more from the ledger and the tables beside it. */
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
  description: "Removes old jobs, answers to retried requests, received events and links in mails from the database.",
});
