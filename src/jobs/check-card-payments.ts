import { defineScheduledJob } from "../engine/index.ts";

/** Asks the card provider about unfinished payments, and applies what it says: its notification may have been lost. */
export const checkCardPayments = defineScheduledJob({
  name: "check-card-payments",
  queue: "payments",
  schedule: "card-payments",
  retry: { backoffMs: 60_000, outageMs: 60_000 },
  timeoutMs: 300_000,
  description: "Asks the card provider about unfinished payments.",
});
