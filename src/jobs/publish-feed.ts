import { defineJob, priorities } from "./define-job.ts";
import { slotKey, slotPayload } from "./slot.ts";

/** Has the feed of the catalogue made, as a part of its own work, unless it is up to date. */
export const publishFeed = defineJob({
  name: "publish-feed",
  queue: "upkeep",
  version: 1,
  payload: slotPayload,
  key: slotKey,
  entity: () => ({ type: "schedule", id: "feed" }),
  priority: priorities.normal,
  retry: { attempts: 5, backoffMs: 5_000, outageMs: 5_000 },
  timeoutMs: 30_000,
  description: "Has the Yandex feed made of what the catalogue says now.",
});
