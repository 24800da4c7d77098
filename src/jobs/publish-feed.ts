import { defineScheduledJob } from "../engine/index.ts";

/** Has the feed of the catalogue made, as a part of its own work, unless it is up to date. */
export const publishFeed = defineScheduledJob({
  name: "publish-feed",
  queue: "maintenance",
  schedule: "feed",
  timeoutMs: 30_000,
  description: "Has the Yandex feed made of what the catalogue says now.",
});
