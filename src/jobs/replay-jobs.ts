import { z } from "zod";
import { defineJob } from "../engine/index.ts";

/** Has jobs that ended badly run again, so many a minute. */
export const replayJobs = defineJob({
  name: "replay-jobs",
  queue: "maintenance",
  version: 2,
  payload: z.object({
    /** Which; never empty. */
    filter: z.object({
      state: z.enum(["failed", "unknown", "cancelled"]).optional(),
      queue: z.string().optional(),
      kind: z.string().optional(),
      entity: z.object({ type: z.string(), id: z.string() }).optional(),
      errorKey: z.string().optional(),
      /** From then on, and before then. */
      endedSince: z.iso.datetime().optional(),
      endedUntil: z.iso.datetime().optional(),
    }),
    limitPerMinute: z.int().min(1).max(60_000),
    /** Only what had ended before; what fails again meanwhile is not replayed once more. */
    before: z.iso.datetime(),
  }),
  // What is new in version 2, the time of the end, may be absent; a worker of before it would replay too much.
  upgrades: { 1: (payload) => payload },
  key: (payload) => JSON.stringify(payload),
  entity: () => ({ type: "replay", id: "jobs" }),
  // At its pace a replay may take the night.
  timeoutMs: 24 * 3_600_000,
  description: "Has jobs that ended badly run again, as many a minute as was asked for.",
});
