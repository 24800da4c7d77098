import { defineScheduledJob, priorities } from "../engine/index.ts";

/** Removes from the database what is older than RETENTION says; its name is older than most of what it removes. */
export const pruneLedger = defineScheduledJob({
  name: "prune-ledger",
  queue: "maintenance",
  schedule: "prune-ledger",
  priority: priorities.bulk,
  retry: { backoffMs: 30_000, outageMs: 10_000 },
  timeoutMs: 3_600_000,
  description: "Removes what is older than RETENTION says from the database.",
});
