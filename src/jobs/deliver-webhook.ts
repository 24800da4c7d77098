import { z } from "zod";
import { defineJob } from "../engine/index.ts";

/** The entity type of these jobs in the ledger. */
export const endpointEntity = "webhook-endpoint";

/** Delivers one event to one endpoint. The database's trigger on `job` knows the name: these jobs make no events. */
export const deliverWebhook = defineJob({
  name: "deliver-webhook",
  queue: "webhooks",
  payload: z.object({ eventId: z.uuid(), endpointId: z.uuid() }),
  key: ({ eventId, endpointId }) => `${eventId}:${endpointId}`,
  entity: ({ endpointId }) => ({ type: endpointEntity, id: endpointId }),
  // An endpoint with a thousand events at once keeps none of the others waiting.
  group: ({ endpointId }) => endpointId,
  // Waits of 30 s to 2 h: in all, a receiver may be unavailable for two to four hours.
  retry: { attempts: 10, backoffMs: 30_000, outageMs: 2_000 },
  timeoutMs: 20_000,
  description: "Delivers an event to a webhook endpoint.",
});
