import type { EntityManager } from "typeorm";
import { type MailRecipient, mailRecipients } from "../db/dao/mail-recipients.ts";
import type { Event } from "../db/entities/event.ts";
import { type MailWish, requestMails } from "./mails.ts";

/** What of an event decides about mails. */
export type MailedEvent = Pick<Event, "id" | "type" | "entityId" | "data">;

/**
 * Promises the mails that events ask for: to customers about their orders, payments and waybills, and to `staff` about
 * new orders. May be repeated; whoever was deleted since gets none.
 */
export async function requestEventMails(
  tx: EntityManager,
  events: readonly MailedEvent[],
  { staff }: { staff: readonly string[] },
): Promise<void> {
  const toCustomers = await wishesFor(
    tx,
    events,
    "order.created",
    mailRecipients.ofOrders,
    ({ entityId: orderId }) => ({
      ...{ event: `order-received:${orderId}`, kind: "order-received", parameters: { orderId } },
    }),
  );
  const aboutOrders = toCustomers.map(({ parameters = {} }) => ({
    ...{ event: `order-received-staff:${parameters.orderId}`, kind: "order-received-staff" as const, parameters },
  }));
  const wishes = [
    ...toCustomers,
    ...(await toStaff(tx, staff, aboutOrders)),
    ...(await wishesFor(tx, events, "order.status_changed", mailRecipients.ofOrders, ({ id, entityId, data }) => ({
      // It may have the same status again one day, and that is another event.
      ...{ event: `order-status:${id}`, kind: "order-status", parameters: { orderId: entityId, status: data.status } },
    }))),
    ...(await wishesFor(tx, events, "payment.paid", mailRecipients.ofPayments, ({ entityId: paymentId }) => ({
      ...{ event: `payment-received:${paymentId}`, kind: "payment-received", parameters: { paymentId } },
    }))),
    ...(await wishesFor(tx, events, "waybill.committed", mailRecipients.ofWaybills, ({ entityId: waybillId }) => ({
      ...{ event: `waybill-committed:${waybillId}`, kind: "waybill-committed", parameters: { waybillId } },
    }))),
  ];
  if (wishes.length > 0) await requestMails(tx, wishes);
}

type Content = Pick<MailWish, "event" | "kind" | "parameters">;

async function wishesFor(
  tx: EntityManager,
  events: readonly MailedEvent[],
  type: Event["type"],
  recipientsOf: (tx: EntityManager, ids: readonly string[]) => Promise<MailRecipient[]>,
  contentOf: (event: MailedEvent) => Content,
): Promise<MailWish[]> {
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

/** The same mails to each address of the staff, in the language of the user who has it. */
export async function toStaff(
  tx: EntityManager,
  staff: readonly string[],
  contents: readonly Content[],
): Promise<MailWish[]> {
  if (staff.length === 0 || contents.length === 0) return [];
  const languages = await mailRecipients.languages(tx, staff);
  return contents.flatMap((content) =>
    staff.map((recipient) => ({
      ...content,
      recipient,
      language: languages.get(recipient.toLowerCase()) ?? ("ru" as const),
    })),
  );
}
