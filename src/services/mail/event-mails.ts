import type { EntityManager } from "typeorm";
import { type MailRecipient, mailRecipients, type OrderRecipient } from "../../db/dao/mail/mail-recipients.ts";
import type { Event } from "../../db/entities/webhooks/event.ts";
import type { MailRules } from "./mail-rules.ts";
import { type MailRequest, requestCountedMails, requestMails } from "./mails.ts";
import { requestStaffNotices } from "./staff-notices.ts";

/** The part of an event that decides about mails. */
export type MailedEvent = Pick<Event, "id" | "type" | "entityId" | "data">;

/**
 * Enqueues the mails of events: to customers about their orders, payments and waybills, and to `staff` about new
 * orders. Mails about orders without an account are counted by their mailbox. May be repeated; deleted entities get no
 * mail.
 */
export async function requestEventMails(
  tx: EntityManager,
  events: readonly MailedEvent[],
  rules: Pick<MailRules, "staff" | "unprovedPerDay">,
): Promise<void> {
  await tellOfNewOrders(tx, events, rules);
  const requests = [
    ...(await mailRequestsFor(
      tx,
      events,
      "order.status_changed",
      mailRecipients.ofOrders,
      ({ id, entityId, data }) => ({
        // It may have the same status again later, and that is another event.
        ...{
          event: `order-status:${id}`,
          kind: "order-status",
          parameters: { orderId: entityId, status: data.status },
        },
      }),
    )),
    ...(await mailRequestsFor(tx, events, "payment.paid", mailRecipients.ofPayments, ({ entityId: paymentId }) => ({
      ...{ event: `payment-received:${paymentId}`, kind: "payment-received", parameters: { paymentId } },
    }))),
    ...(await mailRequestsFor(
      tx,
      events,
      "waybill.committed",
      mailRecipients.ofWaybills,
      ({ entityId: waybillId }) => ({
        ...{ event: `waybill-committed:${waybillId}`, kind: "waybill-committed", parameters: { waybillId } },
      }),
    )),
  ];
  if (requests.length > 0) await requestMails(tx, requests);
}

/** Customers sometimes buy for others, and staff can ask them by name; so they may do this more often than guests. */
const customersTimes = 4;

async function tellOfNewOrders(
  tx: EntityManager,
  events: readonly MailedEvent[],
  { staff, unprovedPerDay }: Pick<MailRules, "staff" | "unprovedPerDay">,
) {
  const ids = events.filter(({ type }) => type === "order.created").map(({ entityId }) => entityId);
  if (ids.length === 0) return;
  const orders = await mailRecipients.ofNewOrders(tx, ids);
  const mailRequestFor = ({ id: orderId, email: recipient, language }: OrderRecipient) => ({
    ...{ event: `order-received:${orderId}`, kind: "order-received" as const, recipient, language },
    parameters: { orderId },
  });
  const of = (by: OrderRecipient["unprovedBy"]) =>
    orders.filter(({ unprovedBy }) => unprovedBy === by).map(mailRequestFor);
  await requestMails(tx, of(null));
  await requestCountedMails(tx, [
    ...of("guest").map((request) => ({ ...request, act: "guest-order" as const, maxMails: unprovedPerDay })),
    ...of("customer").map((request) => ({
      ...{ ...request, act: "customer-order" as const, maxMails: unprovedPerDay * customersTimes },
    })),
  ]);
  await requestStaffNotices(tx, { staff, orders });
}

type Content = Pick<MailRequest, "event" | "kind" | "parameters">;

async function mailRequestsFor(
  tx: EntityManager,
  events: readonly MailedEvent[],
  type: Event["type"],
  recipientsOf: (tx: EntityManager, ids: readonly string[]) => Promise<MailRecipient[]>,
  contentOf: (event: MailedEvent) => Content,
): Promise<MailRequest[]> {
  const some = events.filter((event) => event.type === type);
  if (some.length === 0) return [];
  const recipients = await recipientsOf(
    tx,
    some.map(({ entityId }) => entityId),
  );
  const byId = new Map(recipients.map((recipient) => [recipient.id, recipient]));
  return some.flatMap((event) => {
    const recipient = byId.get(event.entityId);
    return recipient ? [{ ...contentOf(event), recipient: recipient.email, language: recipient.language }] : [];
  });
}
