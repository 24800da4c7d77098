import type { EntityManager } from "typeorm";
import { z } from "zod";
import { documentSources } from "../../db/dao/documents/document-sources.ts";
import { documents } from "../../db/dao/documents/documents.ts";
import { newOrders } from "../../db/dao/orders/new-orders.ts";
import { payments } from "../../db/dao/payments/payments.ts";
import { lowStockOffers } from "../../db/dao/stock/low-stock-offers.ts";
import type { Language, User } from "../../db/entities/accounts/user.ts";
import type { Mail } from "../../db/entities/mail/mail.ts";
import { type Order, orderStatuses } from "../../db/entities/orders/order.ts";
import { PermanentError } from "../../engine/worker.ts";
import type { MailKindName } from "../../jobs/mail-kinds.ts";
import type { MailTemplate } from "./compose.ts";
import { templates } from "./templates/index.ts";
import type { MailedOrder } from "./templates/order-data.ts";

/** The data of templates that the transaction does not read. */
export interface Sources {
  /** The day's public price list; read only when needed. */
  priceList(): Promise<{ day: string; listUrl: string }>;
  documentUrl(id: string): string;
  /** The storefront's page of an order; undefined: there is none. */
  orderUrl(id: string): string | undefined;
  user(id: string): Promise<User | null>;
}

type Parameters = Mail["parameters"];
type Writer = (
  tx: EntityManager,
  parameters: Parameters,
  language: Language,
  sources: Sources,
) => Promise<MailTemplate>;

// Made once: a schema costs a hundred times as much as its use.
const ofUser = z.object({ userId: z.uuid() });
const ofLink = z.object({ url: z.url() });
const ofPayment = z.object({ paymentId: z.uuid() });
const ofDocument = z.object({ documentId: z.uuid() });
const ofSpan = z.object({ since: z.iso.datetime(), until: z.iso.datetime() });
const ofDigest = ofSpan.extend({ atMost: z.int().min(0) });
const ofOrder = z.object({ orderId: z.uuid() });
const ofStatus = ofOrder.extend({ status: z.enum(orderStatuses) });

const writers: Record<MailKindName, Writer> = {
  async welcome(_tx, parameters, language, sources) {
    const { userId } = ofUser.parse(parameters);
    required(await sources.user(userId), "user", userId);
    return templates.welcome.write[language]({});
  },
  async "verify-email"(_tx, parameters, language) {
    if (!("url" in parameters)) throw new PermanentError("Its link is a day old and was deleted");
    return templates["verify-email"].write[language](ofLink.parse(parameters));
  },
  async "order-received"(tx, parameters, language, sources) {
    return templates["order-received"].write[language](await readOrder(tx, ofOrder.parse(parameters).orderId, sources));
  },
  async "order-received-staff"(tx, parameters, language, sources) {
    return templates["order-received-staff"].write[language](
      await readOrder(tx, ofOrder.parse(parameters).orderId, sources),
    );
  },
  async "orders-received-staff"(tx, parameters, language) {
    const { since, until } = ofSpan.parse(parameters);
    const span = { since: new Date(since), until: new Date(until) };
    const found = await newOrders(tx, { ...span, limit: listedOrders });
    return templates["orders-received-staff"].write[language]({ ...span, ...found });
  },
  async "order-status"(tx, parameters, language, sources) {
    const { orderId, status } = ofStatus.parse(parameters);
    return templates["order-status"].write[language]({ ...(await readOrder(tx, orderId, sources)), status });
  },
  async "waybill-committed"(tx, parameters, language, sources) {
    const { waybillId: id } = ofWaybill.parse(parameters);
    const waybill = required(await documentSources.waybill(tx, id), "waybill", id);
    return templates["waybill-committed"].write[language]({
      ...{ id, order: waybill.order && withUrl(waybill.order, sources) },
      lines: await documentSources.waybillLines(tx, id),
    });
  },
  async "price-list"(_tx, _parameters, language, sources) {
    return templates["price-list"].write[language](await sources.priceList());
  },
  async "payment-received"(tx, parameters, language, sources) {
    const { paymentId } = ofPayment.parse(parameters);
    const payment = required(await payments.findById(tx, paymentId), "payment", paymentId);
    const { amountRub, paidAt, updatedAt } = payment;
    const orderId = required(payment.orderId, "order of payment", paymentId);
    const order = required(await documentSources.order(tx, orderId), "order", orderId);
    const data = { ...withUrl(order, sources), orderId, amountRub, at: paidAt ?? updatedAt };
    return templates["payment-received"].write[language](data);
  },
  async "low-stock"(tx, parameters, language) {
    const { atMost, since, until } = ofDigest.parse(parameters);
    const span = { since: new Date(since), until: new Date(until) };
    return templates["low-stock"].write[language]({ offers: await lowStockOffers(tx, { atMost, ...span }) });
  },
  async "document-ready"(tx, parameters, language, sources) {
    const { documentId: id } = ofDocument.parse(parameters);
    const { fileName } = required(await documents.findById(tx, id), "document", id);
    return templates["document-ready"].write[language]({ fileName, url: sources.documentUrl(id) });
  },
};

/** A longer list is too long for a mail. */
const listedOrders = 50;

export const ofWaybill = z.object({ waybillId: z.uuid() });

/** The content of a mail from the present data; throws `PermanentError` when its entity was deleted. */
export function loadTemplateData(
  tx: EntityManager,
  { kind, parameters, language }: Pick<Mail, "kind" | "parameters" | "language">,
  sources: Sources,
) {
  if (!Object.hasOwn(writers, kind)) throw new PermanentError(`There are no mails of the kind '${kind}'`);
  return writers[kind as MailKindName](tx, parameters, language, sources);
}

async function readOrder(tx: EntityManager, id: string, sources: Sources): Promise<MailedOrder> {
  const order = required(await documentSources.order(tx, id), "order", id);
  return { ...withUrl(order, sources), lines: await documentSources.orderLines(tx, id) };
}

const withUrl = (order: Order, { orderUrl }: Sources) => ({ ...order, url: orderUrl(order.id) });

function required<T>(row: T | null, what: string, id: string): T {
  if (row === null) throw new PermanentError(`The ${what} '${id}' was deleted before its mail was sent`);
  return row;
}
