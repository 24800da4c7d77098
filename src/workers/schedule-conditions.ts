import { cardPayments } from "../db/dao/payments/card-payments.ts";
import type { ScheduleConditions } from "../engine/index.ts";
import { isFeedOutdated } from "../services/documents/documents.ts";

/** By schedule, the condition that is checked before its job is enqueued. */
export const scheduleConditions: ScheduleConditions = {
  feed: isFeedOutdated,
  "card-payments": cardPayments.isUsed,
};
