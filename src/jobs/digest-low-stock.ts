import { defineScheduledJob } from "../engine/index.ts";

/** Sends staff a mail about what was nearly sold out on the day before. */
export const digestLowStock = defineScheduledJob({
  name: "digest-low-stock",
  queue: "maintenance",
  schedule: "low-stock",
  timeoutMs: 30_000,
  description: "Sends staff a mail about what was nearly sold out on the day before.",
});
