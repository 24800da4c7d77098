import { defineScheduledJob } from "../engine/index.ts";

/** Has the public price list of a day made by a child job. */
export const publishPriceList = defineScheduledJob({
  name: "publish-price-list",
  queue: "maintenance",
  schedule: "price-list",
  timeoutMs: 30_000,
  description: "Has the public price list of the day made.",
});
