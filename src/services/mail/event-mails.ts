import type { EntityManager } from "typeorm";
import { type MailRecipient, mailRecipients, type OrderRecipient } from "../../db/dao/mail/mail-recipients.ts";
import type { Event } from "../../db/entities/webhooks/event.ts";
import type { MailRules } from "./mail-rules.ts";
import { type MailRequest, requestCountedMails, requestMails } from "./mails.ts";
import { requestStaffNotices, toStaff } from "./staff-notices.ts";

/** The part of an event that decides about mails. */
export type MailedEvent = Pick<Event, "id" | "type" | "entityId" | "data">;

interface CustomerMail {
  type: Event["type"];
  recipientsOf(tx: EntityManager, ids: readonly string[]): Promise<MailRecipient[]>;
  contentOf(event: MailedEvent): Content;
}

/** The mails to customers about events, except those about new orders. */
const customerMails: readonly CustomerMail[] = [
  {
    type: "order.status_changed",
    recipientsOf: mailRecipients.ofOrders,
    // It may have the same status again later, and that is another event.
    contentOf: ({ id, entityId: orderId, data: { status } }) => ({
      ...{ event: `order-status:${id}`, kind: "order-status", parameters: { orderId, status } },
    }),
  },
  {
    type: "payment.paid",
    recipientsOf: mailRecipients.ofPayments,
    contentOf: ({ entityId: paymentId }) => ({
      ...{ event: `payment-received:${paymentId}`, kind: "payment-received", parameters: { paymentId } },
    }),
  },
  {
    type: "payment.unmatched",
    recipientsOf: mailRecipients.ofPayments,
    contentOf: ({ entityId: paymentId }) => ({
      ...{ event: `payment-unmatched:${paymentId}`, kind: "payment-unmatched", parameters: { paymentId } },
    }),
  },
  {
    type: "payment.refunded",
    recipientsOf: mailRecipients.ofPayments,
    contentOf: ({ data: { refund_id: refundId } }) => ({
      ...{ event: `payment-refunded:${refundId}`, kind: "payment-refunded", parameters: { refundId } },
    }),
  },
  {
    type: "waybill.committed",
    recipientsOf: mailRecipients.ofWaybills,
    contentOf: ({ entityId: waybillId }) => ({
      ...{ event: `waybill-committed:${waybillId}`, kind: "waybill-committed", parameters: { waybillId } },
    }),
  },
];

/**
 * Enqueues the mails of events: to customers about their orders, payments and waybills, and to `staff` about new
 * orders and unmatched money. Mails about orders without an account are counted by their mailbox. May be repeated;
 * deleted entities get no mail.
 */
export async function requestEventMails(
  tx: EntityManager,
  events: readonly MailedEvent[],
  rules: Pick<MailRules, "staff" | "unprovedPerDay">,
): Promise<void> {
  await tellOfNewOrders(tx, events, rules);
  const requests: MailRequest[] = [];
  for (const mail of customerMails) requests.push(...(await mailRequestsFor(tx, events, mail)));
  requests.push(...(await staffRequestsFor(tx, events, rules.staff)));
  if (requests.length > 0) await requestMails(tx, requests);
}

function staffRequestsFor(tx: EntityManager, events: readonly MailedEvent[], staff: readonly string[]) {
  const unmatched = events.filter(({ type }) => type === "payment.unmatched");
  const contents = unmatched.map(({ entityId: paymentId }) => ({
    ...{ event: `payment-unmatched-staff:${paymentId}`, kind: "payment-unmatched-staff" as const },
    parameters: { paymentId },
  }));
  return toStaff(tx, staff, contents);
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
  { type, recipientsOf, contentOf }: CustomerMail,
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
