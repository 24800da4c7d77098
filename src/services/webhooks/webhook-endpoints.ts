import { randomBytes } from "node:crypto";
import type { EntityManager } from "typeorm";
import { events } from "../../db/dao/webhooks/events.ts";
import { type EndpointFields, type EndpointPatch, webhookEndpoints } from "../../db/dao/webhooks/webhook-endpoints.ts";
import { pingType } from "../../db/entities/webhooks/event.ts";
import type { WebhookEndpoint } from "../../db/entities/webhooks/webhook-endpoint.ts";
import { enqueue } from "../../engine/index.ts";
import { ConflictError, NotFoundError } from "../../errors.ts";
import { deliverWebhook, endpointEntity } from "../../jobs/deliver-webhook.ts";

/** Each event is sent to all of them. */
const maxEndpoints = 50;
/** How long receivers may verify with the previous secret; Standard Webhooks rotates without an outage this way. */
const overlapHours = 24;

const notFound = (id: string) => new NotFoundError(`Webhook endpoint with id ${id} not found.`);

/** 24 to 64 random bytes in base64 after `whsec_`, says Standard Webhooks. */
const newSecret = () => `whsec_${randomBytes(32).toString("base64")}`;

/** An endpoint; throws `NotFoundError`. */
export async function getEndpoint(tx: EntityManager, id: string): Promise<WebhookEndpoint> {
  return (await webhookEndpoints.findById(tx, id)) ?? Promise.reject(notFound(id));
}

/** Inserts an endpoint; returns its id and its secret, which is never shown again. Throws when there are too many. */
export async function createEndpoint(
  tx: EntityManager,
  { fields, createdBy }: { fields: EndpointFields; createdBy: string },
): Promise<{ id: string; secret: string }> {
  if ((await webhookEndpoints.countAlone(tx)) >= maxEndpoints)
    throw new ConflictError(`There are ${maxEndpoints} webhook endpoints already; delete one that is not needed`);
  const secret = newSecret();
  return { id: await webhookEndpoints.insert(tx, { ...fields, createdBy, secret }), secret };
}

/**
 * Changes the given fields of an endpoint; one that is enabled again starts without failures. Throws `NotFoundError`.
 */
export async function changeEndpoint(tx: EntityManager, { id, patch }: { id: string; patch: EndpointPatch }) {
  const endpoint = await webhookEndpoints.lock(tx, id);
  if (!endpoint) throw notFound(id);
  if (patch.isActive && !endpoint.isActive) await webhookEndpoints.clearFailures(tx, id);
  if (Object.values(patch).some((value) => value !== undefined)) await webhookEndpoints.patch(tx, id, patch);
}

/** Deletes an endpoint; its pending deliveries are skipped. Throws `NotFoundError`. */
export async function deleteEndpoint(tx: EntityManager, id: string) {
  if (!(await webhookEndpoints.remove(tx, id))) throw notFound(id);
}

/**
 * Gives an endpoint a new secret and returns it; for a day everything is also signed with the previous one. A second
 * call changes the secret again. Throws `NotFoundError`.
 */
export async function rotateSecret(tx: EntityManager, id: string): Promise<string> {
  const secret = newSecret();
  if (!(await webhookEndpoints.rotate(tx, id, { secret, overlapHours }))) throw notFound(id);
  return secret;
}

/** Enqueues the delivery of a ping, also to a disabled endpoint; returns the job's id. Throws `NotFoundError`. */
export async function pingEndpoint(tx: EntityManager, id: string): Promise<string> {
  await getEndpoint(tx, id);
  const data = { id };
  const eventId = await events.insert(tx, { type: pingType, entityType: endpointEntity, entityId: id, data });
  await events.markFannedOut(tx, [eventId]);
  return enqueue(tx, deliverWebhook, { eventId, endpointId: id });
}

/** Attempts in a row, and days between the first and the last, after which the receiver counts as dead. */
const giveUp = { failures: 20, days: 3 };

/** Resets the failures of an endpoint that has accepted a delivery. */
export function recordDelivered(tx: EntityManager, { id, consecutiveFailures }: WebhookEndpoint) {
  return consecutiveFailures > 0 ? webhookEndpoints.recordSuccess(tx, id) : undefined;
}

/** Counts a failed attempt; after 20 in a row over 3 days or more the endpoint is disabled. */
export function recordNotDelivered(tx: EntityManager, id: string) {
  const reason = `All deliveries failed for ${giveUp.days} days`;
  return webhookEndpoints.recordFailure(tx, id, { ...giveUp, reason });
}

/** Disables an endpoint whose receiver wants no more events (410 Gone). */
export function recordGone(tx: EntityManager, id: string) {
  return webhookEndpoints.disable(tx, id, "It answered 410 Gone");
}
