import { Webhook } from "standardwebhooks";
import { events } from "../../db/dao/webhooks/events.ts";
import { webhookEndpoints } from "../../db/dao/webhooks/webhook-endpoints.ts";
import { type Event, pingType } from "../../db/entities/webhooks/event.ts";
import { PermanentError } from "../../engine/worker.ts";
import { ForbiddenTargetError } from "../../platform/outbound-url.ts";
import { type OutboundAnswer, UnreachableError } from "../../platform/webhook-client.ts";
import { recordDelivered, recordGone, recordNotDelivered } from "../../services/webhooks/webhook-endpoints.ts";
import type { Processor } from "../context.ts";

/** The endpoint did not accept the event; the delivery is retried. */
class DeliveryError extends Error {
  override readonly name = "DeliveryError";
}

/**
 * Delivers an event to an endpoint, signed as https://www.standardwebhooks.com requires. At least once: `webhook-id` is
 * the same each time. As that specification says, 2xx is success, 410 disables the endpoint, and everything else is
 * retried, other 4xx too: people correct their receivers.
 */
export const deliverWebhookProcessor: Processor<"deliver-webhook"> = {
  async run(job, { db, webhookClient }) {
    const { endpointId, eventId } = job.payload;
    const endpoint = await webhookEndpoints.findById(db.manager, endpointId);
    if (!endpoint) return job.complete(async () => ({ skipped: "the endpoint was deleted" }));
    const event = await events.findById(db.manager, eventId);
    if (!event) throw new PermanentError(`Event '${eventId}' is too old to be delivered`);
    if (!endpoint.isActive && event.type !== pingType)
      throw new PermanentError("The endpoint is disabled; enable it and retry the job");

    const secrets = await webhookEndpoints.secrets(db.manager, endpointId);
    const began = performance.now();
    const answer = await webhookClient
      .post({ url: endpoint.url, ...signed(event, secrets), signal: job.signal })
      .catch(async (error: unknown) => {
        if (!(error instanceof UnreachableError || error instanceof ForbiddenTargetError)) throw error;
        await job.commit((tx) => recordNotDelivered(tx, endpointId));
        if (error instanceof UnreachableError) throw error;
        throw new PermanentError(`The endpoint's address is refused: ${error.message}`);
      });
    if (isTaken(answer)) {
      const result = { status: answer.status, ms: Math.round(performance.now() - began) };
      return job.complete(async (tx) => {
        await recordDelivered(tx, endpoint);
        return result;
      });
    }
    if (answer.status === 410) {
      await job.commit((tx) => recordGone(tx, endpointId));
      throw new PermanentError(`The endpoint is gone and was disabled: it answered ${answer.status}`);
    }
    await job.commit((tx) => recordNotDelivered(tx, endpointId));
    throw new DeliveryError(`The endpoint answered ${answer.status}`);
  },
};

const isTaken = ({ status }: OutboundAnswer) => status >= 200 && status < 300;

/** The body has the event and its time; each attempt has new headers, with the signature of each secret. */
function signed({ id, type, createdAt, data }: Event, secrets: readonly string[]) {
  const body = JSON.stringify({ type, timestamp: createdAt.toISOString(), data });
  const now = new Date();
  const headers = {
    "content-type": "application/json",
    "user-agent": "tcf-backend",
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(now.getTime() / 1_000)),
    "webhook-signature": secrets.map((secret) => new Webhook(secret).sign(id, now, body)).join(" "),
  };
  return { headers, body };
}
