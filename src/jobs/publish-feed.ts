import { defineScheduledJob } from "../engine/index.ts";

/** Has the feed of the catalogue made by a child job, unless it is up to date. */
export const publishFeed = defineScheduledJob({
  name: "publish-feed",
  queue: "maintenance",
  schedule: "feed",
  timeoutMs: 30_000,
  description: "Has the Yandex feed made from the present catalogue.",
});
