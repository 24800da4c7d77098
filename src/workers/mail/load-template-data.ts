import type { EntityManager } from "typeorm";
import { z } from "zod";
import { documentSources } from "../../db/dao/documents/document-sources.ts";
import { documents } from "../../db/dao/documents/documents.ts";
import { newOrders } from "../../db/dao/orders/new-orders.ts";
import { payments } from "../../db/dao/payments/payments.ts";
import { refunds } from "../../db/dao/payments/refunds.ts";
import { lowStockOffers } from "../../db/dao/stock/low-stock-offers.ts";
import type { Language, User } from "../../db/entities/accounts/user.ts";
import type { Mail } from "../../db/entities/mail/mail.ts";
import { type Order, orderStatuses } from "../../db/entities/orders/order.ts";
import type { Payment } from "../../db/entities/payments/payment.ts";
import { PermanentError } from "../../engine/worker.ts";
import type { MailKindName } from "../../jobs/mail-kinds.ts";
import { dueBackRub, getOrderBooks } from "../../services/payments/order-balance.ts";
import { paperNumberOf } from "../../services/stock/paper-number.ts";
import type { MailTemplate } from "./compose.ts";
import { shortId } from "./format.ts";
import type { DueBack } from "./templates/due-back.ts";
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
const ofRefund = z.object({ refundId: z.uuid() });
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
    const order = await readOrder(tx, orderId, sources);
    const dueBack = status === "CANCELED" ? await readDueBack(tx, orderId) : undefined;
    return templates["order-status"].write[language]({ ...order, status, dueBack });
  },
  async "waybill-committed"(tx, parameters, language, sources) {
    const { waybillId: id } = ofWaybill.parse(parameters);
    const waybill = required(await documentSources.waybill(tx, id), "waybill", id);
    const delivery = waybill.returnOf === null ? null : await documentSources.waybill(tx, waybill.returnOf);
    const order = waybill.order ?? delivery?.order ?? null;
    const isReturn = waybill.waybillType === "WAYBILL_RETURN";
    return templates["waybill-committed"].write[language]({
      number: paperNumberOf(waybill) ?? shortId(id),
      isReturn,
      isCredited: isReturn && waybill.customerId !== (delivery ?? waybill).authorId,
      dueBack: isReturn && order ? await readDueBack(tx, order.id) : undefined,
      deliveryNumber: (delivery && paperNumberOf(delivery)) ?? undefined,
      order: order && withUrl(order, sources),
      lines: await documentSources.waybillLines(tx, id),
    });
  },
  async "price-list"(_tx, _parameters, language, sources) {
    return templates["price-list"].write[language](await sources.priceList());
  },
  async "payment-received"(tx, parameters, language, sources) {
    const { amountRub, paidAt, updatedAt, orderId: of, id } = await readPayment(tx, parameters);
    const orderId = required(of, "order of payment", id);
    const order = required(await documentSources.order(tx, orderId), "order", orderId);
    const canceled = order.status === "CANCELED" ? await readDueBack(tx, orderId) : undefined;
    const data = { ...withUrl(order, sources), orderId, amountRub, at: paidAt ?? updatedAt, canceled };
    return templates["payment-received"].write[language](data);
  },
  async "payment-unmatched"(tx, parameters, language, sources) {
    const { money } = await readUnmatched(tx, parameters, sources);
    return templates["payment-unmatched"].write[language](money);
  },
  async "payment-unmatched-staff"(tx, parameters, language, sources) {
    const { money, order } = await readUnmatched(tx, parameters, sources);
    const customer = order && {
      ...{ name: `${order.firstName} ${order.lastName}`, phone: order.phone, email: order.email },
    };
    return templates["payment-unmatched-staff"].write[language]({ ...money, customer });
  },
  async "payment-refunded"(tx, parameters, language, sources) {
    const { refundId } = ofRefund.parse(parameters);
    const { paymentId, amountRub, finishedAt, createdAt } = required(
      await refunds.findById(tx, refundId),
      "refund",
      refundId,
    );
    const { method, orderId, url } = await readMeant(tx, await readPayment(tx, { paymentId }), sources);
    const data = { orderId, amountRub, at: finishedAt ?? createdAt, method, url };
    return templates["payment-refunded"].write[language](data);
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

async function readPayment(tx: EntityManager, parameters: Parameters): Promise<Payment> {
  const { paymentId } = ofPayment.parse(parameters);
  return required(await payments.findById(tx, paymentId), "payment", paymentId);
}

/** The order that a payment is for, or was made for: its id stays when it is deleted. */
async function readMeant(tx: EntityManager, { method, orderId, originalOrderId, id }: Payment, sources: Sources) {
  const meant = required(orderId ?? originalOrderId, "order of payment", id);
  const order = await documentSources.order(tx, meant);
  return { method, orderId: meant, order, url: order ? sources.orderUrl(order.id) : undefined };
}

async function readUnmatched(tx: EntityManager, parameters: Parameters, sources: Sources) {
  const payment = await readPayment(tx, parameters);
  const { id: paymentId, state, amountRub, createdBy, paidAt, updatedAt } = payment;
  const reason = required(payment.unmatchedReason, "reason of payment", paymentId);
  const { orderId, order, url } = await readMeant(tx, payment, sources);
  const hasBalance = order ? order.userId !== null : createdBy !== null;
  const money = { paymentId, orderId, state, reason, amountRub, at: paidAt ?? updatedAt, hasBalance, url };
  return { money, order };
}

/** What an order owes to its customer. */
async function readDueBack(tx: EntityManager, orderId: string): Promise<DueBack> {
  const books = await getOrderBooks(tx, orderId);
  const { refundingRub, userId } = books;
  return { dueBackRub: dueBackRub(books), refundingRub, hasBalance: userId !== null };
}

const withUrl = (order: Order, { orderUrl }: Sources) => ({ ...order, url: orderUrl(order.id) });

function required<T>(row: T | null, what: string, id: string): T {
  if (row === null) throw new PermanentError(`The ${what} '${id}' was deleted before its mail was sent`);
  return row;
}
