import { z } from "zod";

/** What a scheduled job is told: the moment it was due, ISO 8601 in UTC. It is also its key, so each slot has one job. */
export const slotPayload = z.object({ slot: z.iso.datetime() });

/** Key of a scheduled job. */
export const slotKey = ({ slot }: z.output<typeof slotPayload>) => slot;
