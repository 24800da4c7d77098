import { z } from "zod";
import { defineJob } from "../engine/index.ts";

/** Has unsuccessful jobs run again, at a rate per minute. */
export const replayJobs = defineJob({
  name: "replay-jobs",
  queue: "maintenance",
  version: 2,
  payload: z.object({
    /** The filter of jobs; never empty. */
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
    /** Only jobs that had ended before; a job that fails again meanwhile is not replayed once more. */
    before: z.iso.datetime(),
  }),
  // The time of the end is new in version 2 and may be absent; an older worker would replay too much.
  upgrades: { 1: (payload) => payload },
  key: (payload) => JSON.stringify(payload),
  entity: () => ({ type: "replay", id: "jobs" }),
  // At its rate a replay may take the night.
  timeoutMs: 24 * 3_600_000,
  description: "Has unsuccessful jobs run again, at the requested rate per minute.",
});
