import { z } from "zod";
import { eventTypes } from "../../db/entities/webhooks/event.ts";
import type { WebhookEndpoint } from "../../db/entities/webhooks/webhook-endpoint.ts";
import { type Job, jobStates } from "../../engine/index.ts";
import { deliverWebhook } from "../../jobs/deliver-webhook.ts";
import { timestamp } from "../http/fields.ts";

export const WebhookEndpointView = z
  .object({
    id: z.uuid(),
    url: z.url(),
    description: z.string().nullable(),
    event_types: z.array(z.enum(eventTypes)),
    is_active: z.boolean(),
    consecutive_failures: z.int().meta({ description: "Attempts that failed since one succeeded" }),
    failing_since: timestamp.nullable(),
    disabled_at: timestamp
      .nullable()
      .meta({ description: "When it was disabled after failures; null when a person disabled it" }),
    disabled_reason: z.string().nullable(),
    created_by: z.uuid().nullable(),
    created_at: timestamp,
    updated_at: timestamp,
  })
  .meta({ id: "WebhookEndpoint" });

/** The only answer that contains the secret. */
export const WebhookEndpointWithSecret = WebhookEndpointView.extend({
  secret: z.string().meta({ description: "Signs deliveries (`whsec_…`); shown only once" }),
}).meta({ id: "WebhookEndpointWithSecret" });

/** An endpoint, without its secret. */
export function webhookEndpointView(endpoint: WebhookEndpoint): z.output<typeof WebhookEndpointView> {
  return {
    id: endpoint.id,
    url: endpoint.url,
    description: endpoint.description,
    event_types: endpoint.eventTypes,
    is_active: endpoint.isActive,
    consecutive_failures: endpoint.consecutiveFailures,
    failing_since: endpoint.failingSince?.toISOString() ?? null,
    disabled_at: endpoint.disabledAt?.toISOString() ?? null,
    disabled_reason: endpoint.disabledReason,
    created_by: endpoint.createdBy,
    created_at: endpoint.createdAt.toISOString(),
    updated_at: endpoint.updatedAt.toISOString(),
  };
}

export const DeliveryView = z
  .object({
    id: z.uuid().meta({ description: "Its job" }),
    event_id: z.uuid().meta({ description: "Sent to the receiver as `webhook-id`" }),
    status: z.enum(jobStates),
    attempts: z
      .array(
        z.object({
          started_at: timestamp.nullable(),
          ended_at: timestamp,
          outcome: z.string(),
          error: z.string().nullable(),
        }),
      )
      .meta({ description: "The last 20 that did not succeed" }),
    response_status: z.int().nullable().meta({ description: "Status with which the endpoint accepted the event" }),
    created_at: timestamp,
    finished_at: timestamp.nullable(),
  })
  .meta({ id: "WebhookDelivery" });

/** A job that delivers an event to an endpoint. */
export function deliveryView(job: Job): z.output<typeof DeliveryView> {
  const { status } = (job.result ?? {}) as { status?: number };
  return {
    id: job.id,
    event_id: deliverWebhook.payload.parse(job.payload).eventId,
    status: job.state,
    attempts: job.attempts.map(({ started_at, ended_at, outcome, error }) => ({
      ...{ started_at, ended_at, outcome },
      error: error?.message ?? null,
    })),
    response_status: status ?? null,
    created_at: job.createdAt.toISOString(),
    finished_at: job.finishedAt?.toISOString() ?? null,
  };
}
