import type { EntityManager } from "typeorm";
import { events } from "../../db/dao/webhooks/events.ts";
import { webhookEndpoints } from "../../db/dao/webhooks/webhook-endpoints.ts";
import type { OrderStatus } from "../../db/entities/orders/order.ts";
import type { UnmatchedReason } from "../../db/entities/payments/payment.ts";
import type { WaybillType } from "../../db/entities/stock/waybill.ts";
import type { EventType } from "../../db/entities/webhooks/event.ts";
import type { WebhookEndpoint } from "../../db/entities/webhooks/webhook-endpoint.ts";
import { enqueueAll, priorities } from "../../engine/index.ts";
import { deliverWebhook } from "../../jobs/deliver-webhook.ts";
import { requestEventMails } from "../mail/event-mails.ts";
import type { MailRules } from "../mail/mail-rules.ts";

/**
 * The data of each business event: ids and states; a receiver that wants more asks the API. Times are the event's own.
 */
export interface EventData {
  "order.created": { id: string; status: OrderStatus };
  "order.status_changed": { id: string; status: OrderStatus; previous_status: OrderStatus };
  "order.paid": { id: string };
  "payment.paid": { id: string; order_id: string };
  "payment.refunded": { id: string; order_id: string | null; refund_id: string };
  "payment.unmatched": { id: string; order_id: string | null; reason: UnmatchedReason };
  "waybill.committed": { id: string; waybill_type: WaybillType; order_id: string | null };
}

/**
 * Records an event in the caller's transaction; it has happened if, and only if, that commits. The database itself
 * records the ends of jobs (migration 0008).
 */
export async function recordEvent<Type extends keyof EventData>(
  tx: EntityManager,
  type: Type,
  data: EventData[Type],
): Promise<void> {
  const [entityType = type] = type.split(".", 1);
  await events.insert(tx, { type, entityType, entityId: data.id, data: { ...data } });
}

/** Deliveries that are enqueued in one statement of moderate size. */
const maxAtOnce = 100;

/**
 * Enqueues the consequences of up to 100 events, each once however many callers there are at the same time: their
 * mails, and their deliveries to all active endpoints that subscribe to them. Endpoints that failed last time come
 * after all others, or they would delay them by a time-out. Returns the number of events.
 */
export async function fanOutEvents(
  tx: EntityManager,
  rules: Pick<MailRules, "staff" | "unprovedPerDay">,
): Promise<number> {
  const taken = await events.takeNew(tx, maxAtOnce);
  if (taken.length === 0) return 0;
  await requestEventMails(tx, taken, rules);
  const endpoints = await webhookEndpoints.active(tx);
  const promise = async (some: typeof endpoints, priority: number) => {
    const deliveries = taken.flatMap(({ id: eventId, type }) =>
      some
        .filter(({ eventTypes }) => eventTypes.includes(type as EventType))
        .map(({ id: endpointId }) => ({ eventId, endpointId })),
    );
    if (deliveries.length > 0) await enqueueAll(tx, deliverWebhook, deliveries, { priority });
  };
  const isFailing = ({ consecutiveFailures }: WebhookEndpoint) => consecutiveFailures > 0;
  await promise(
    endpoints.filter((endpoint) => !isFailing(endpoint)),
    deliverWebhook.priority,
  );
  await promise(endpoints.filter(isFailing), priorities.bulk);
  await events.markFannedOut(
    tx,
    taken.map(({ id }) => id),
  );
  return taken.length;
}
