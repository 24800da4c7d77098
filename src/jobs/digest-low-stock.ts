import { defineScheduledJob } from "../engine/index.ts";

/** Tells staff by mail what was nearly sold out in the day before. */
export const digestLowStock = defineScheduledJob({
  name: "digest-low-stock",
  queue: "maintenance",
  schedule: "low-stock",
  timeoutMs: 30_000,
  description: "Tells staff by mail what was nearly sold out in the day before.",
});
