import type { ScheduleConditions } from "../engine/index.ts";
import { isFeedOutdated } from "../services/documents/documents.ts";

/** By schedule, what is asked before its job is promised. */
export const scheduleConditions: ScheduleConditions = { feed: isFeedOutdated };
