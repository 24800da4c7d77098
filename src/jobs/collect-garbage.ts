import { defineScheduledJob, priorities } from "../engine/index.ts";

/** One pass through the bucket: removes what this pass and the one before found to be unused. */
export const collectGarbage = defineScheduledJob({
  name: "collect-garbage",
  queue: "maintenance",
  schedule: "collect-garbage",
  priority: priorities.bulk,
  retry: { backoffMs: 30_000, outageMs: 10_000 },
  timeoutMs: 3_600_000,
  description: "Removes unused files from the bucket.",
});
