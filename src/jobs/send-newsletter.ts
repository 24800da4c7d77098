import { z } from "zod";
import { defineJob, priorities } from "../engine/index.ts";

/** Enqueues the mail with the day's price list for every subscribed customer. */
export const sendNewsletter = defineJob({
  name: "send-newsletter",
  queue: "maintenance",
  payload: z.object({
    newsletterId: z.uuid(),
    customerTypes: z.array(z.enum(["USER_RETAIL", "USER_WHOLESALE", "USER_SUPER_WHOLESALE"])).min(1),
  }),
  key: ({ newsletterId }) => newsletterId,
  entity: ({ newsletterId }) => ({ type: "newsletter", id: newsletterId }),
  priority: priorities.bulk,
  retry: { attempts: 10, backoffMs: 2_000, outageMs: 2_000 },
  timeoutMs: 600_000,
  description: "Enqueues the price list mail for every subscribed customer, one job each, and waits for them.",
});
