import { defineScheduledJob, priorities } from "../engine/index.ts";

/** Removes rows that are older than RETENTION allows; the name is from when these were only jobs. */
export const pruneLedger = defineScheduledJob({
  name: "prune-ledger",
  queue: "maintenance",
  schedule: "prune-ledger",
  priority: priorities.bulk,
  retry: { backoffMs: 30_000, outageMs: 10_000 },
  timeoutMs: 3_600_000,
  description: "Removes rows that are older than RETENTION allows from the database.",
});
