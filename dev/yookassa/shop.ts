import { randomUUID } from "node:crypto";
import type { Notifier } from "./notifier.ts";
import {
  type Amount,
  amountOf,
  type EmulatedPayment,
  type EmulatedRefund,
  kopecksOf,
  type PaymentRecord,
  type ShopData,
} from "./shop-data.ts";

/** An answer of the protocol that is an error. */
export class ProtocolError extends Error {
  readonly status: number;
  readonly code: string;
  readonly parameter: string | undefined;
  constructor(status: number, code: string, message: string, parameter?: string) {
    super(message);
    this.status = status;
    this.code = code;
    this.parameter = parameter;
  }
}

/** What a person decides on the checkout page. */
export type Decision = "pay" | "decline";

type Body = Record<string, unknown>;

export interface ShopOptions {
  data: ShopData;
  notifier: Notifier;
  /** Address of the checkout page of a payment. */
  pageOf(id: string): string;
}

/**
 * Payments and refunds of all shops. Each act checks what the protocol asks, changes the data at once and sends the
 * notification that belongs to it.
 */
export function createShop({ data, notifier, pageOf }: ShopOptions) {
  function find(id: string, shopId?: string): PaymentRecord {
    const found = data.payments.find(({ payment }) => payment.id === id);
    if (found && (shopId === undefined || found.payment.recipient.account_id === shopId)) return found;
    throw new ProtocolError(404, "not_found", "There is no such payment", "payment_id");
  }

  function take(record: PaymentRecord) {
    const { payment } = record;
    Object.assign(payment, { status: "succeeded", paid: true, captured_at: now(), refundable: true });
    record.chargedKopecks += kopecksOf(payment.amount) ?? 0;
    delete payment.confirmation;
    notifier.send("payment.succeeded", payment);
  }

  function give(up: PaymentRecord, party: string, reason: string) {
    Object.assign(up.payment, { status: "canceled", paid: false, cancellation_details: { party, reason } });
    delete up.payment.confirmation;
    notifier.send("payment.canceled", up.payment);
  }

  function finish(refund: EmulatedRefund) {
    const record = find(refund.payment_id);
    const kopecks = kopecksOf(refund.amount) ?? 0;
    refund.status = "succeeded";
    record.chargedKopecks -= kopecks;
    record.payment.refunded_amount = amountOf((kopecksOf(record.payment.refunded_amount) ?? 0) + kopecks);
    notifier.send("refund.succeeded", refund);
  }

  return {
    find,

    create(shopId: string, body: Body): EmulatedPayment {
      const amount = checkedAmount(body.amount);
      const { return_url: returnUrl } = redirectOf(body.confirmation);
      checkReceipt(body.receipt, amount);
      const id = randomUUID();
      const payment: EmulatedPayment = {
        ...{ id, status: "pending", paid: false, amount, recipient: { account_id: shopId, gateway_id: "1" } },
        ...(typeof body.description === "string" && { description: body.description }),
        created_at: now(),
        confirmation: { type: "redirect", return_url: returnUrl, confirmation_url: pageOf(id) },
        ...{ refundable: false, test: true, metadata: textsOf(body.metadata) },
      };
      data.payments.push({ payment, capture: body.capture === true, chargedKopecks: 0 });
      return payment;
    },

    capture(shopId: string, id: string, body: Body): EmulatedPayment {
      const record = find(id, shopId);
      expect(record, "waiting_for_capture");
      if (body.amount !== undefined) {
        const kopecks = kopecksOf(checkedAmount(body.amount)) ?? 0;
        if (kopecks > (kopecksOf(record.payment.amount) ?? 0)) throw invalid("It is more than is authorized", "amount");
        record.payment.amount = amountOf(kopecks);
      }
      take(record);
      return record.payment;
    },

    cancel(shopId: string, id: string): EmulatedPayment {
      const record = find(id, shopId);
      expect(record, "waiting_for_capture");
      give(record, "merchant", "canceled_by_merchant");
      return record.payment;
    },

    refund(shopId: string, body: Body, { isPending }: { isPending: boolean }): EmulatedRefund {
      const record = find(String(body.payment_id), shopId);
      expect(record, "succeeded");
      const amount = checkedAmount(body.amount);
      const { payment } = record;
      checkReceipt(body.receipt, amount);
      const open = data.refunds.filter(({ payment_id, status }) => payment_id === payment.id && status !== "canceled");
      const given = open.reduce((sum, refund) => sum + (kopecksOf(refund.amount) ?? 0), 0);
      if (given + (kopecksOf(amount) ?? 0) > (kopecksOf(payment.amount) ?? 0))
        throw invalid("It is more than is left of the payment", "amount");
      const refund: EmulatedRefund = {
        ...{ id: randomUUID(), payment_id: payment.id, status: "pending", amount, created_at: now() },
        ...(typeof body.description === "string" && { description: body.description }),
        metadata: textsOf(body.metadata),
      };
      data.refunds.push(refund);
      if (!isPending) finish(refund);
      return refund;
    },

    findRefund(shopId: string, id: string): EmulatedRefund {
      const refund = data.refunds.find((one) => one.id === id);
      if (!refund) throw new ProtocolError(404, "not_found", "There is no such refund", "refund_id");
      find(refund.payment_id, shopId);
      return refund;
    },

    refundsOf(shopId: string, query: URLSearchParams): EmulatedRefund[] {
      const asked = (name: string, value: string) => (query.get(name) ?? value) === value;
      return data.refunds.filter(({ payment_id, status, created_at }) => {
        const isOwn = find(payment_id).payment.recipient.account_id === shopId;
        const isNew = created_at >= (query.get("created_at.gte") ?? "");
        return isOwn && isNew && asked("payment_id", payment_id) && asked("status", status);
      });
    },

    finish,

    /** What the customer does on the checkout page; throws when the payment is over. */
    decide(id: string, decision: Decision): EmulatedPayment {
      const record = find(id);
      expect(record, "pending");
      if (decision === "decline") {
        give(record, "payment_network", "insufficient_funds");
      } else if (record.capture) {
        take(record);
      } else {
        Object.assign(record.payment, { status: "waiting_for_capture", paid: true });
        delete record.payment.confirmation;
        notifier.send("payment.waiting_for_capture", record.payment);
      }
      return record.payment;
    },
  };
}

export type Shop = ReturnType<typeof createShop>;

const now = () => new Date().toISOString();
const invalid = (message: string, parameter: string) => new ProtocolError(400, "invalid_request", message, parameter);

function expect({ payment }: PaymentRecord, status: EmulatedPayment["status"]) {
  if (payment.status !== status) throw invalid(`The payment is ${payment.status} and not ${status}`, "payment_id");
}

function checkedAmount(amount: unknown): Amount {
  const kopecks = kopecksOf(amount);
  if (kopecks === undefined || kopecks === 0) throw invalid("It is a text like 100.00, in RUB", "amount.value");
  return amountOf(kopecks);
}

function redirectOf(confirmation: unknown): { return_url: string } {
  const { type, return_url: returnUrl } = (confirmation ?? {}) as Body;
  if (type !== "redirect") throw invalid("Only redirect is emulated", "confirmation.type");
  if (typeof returnUrl !== "string" || !URL.canParse(returnUrl))
    throw invalid("It is an address", "confirmation.return_url");
  return { return_url: returnUrl };
}

function textsOf(metadata: unknown): Record<string, string> {
  const entries = Object.entries((metadata ?? {}) as Body);
  if (entries.length > 16) throw invalid("At most 16 keys", "metadata");
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]));
}

function checkReceipt(receipt: unknown, amount: Amount) {
  if (receipt === undefined) return;
  const { customer, items } = receipt as { customer?: Body; items?: Body[] };
  if (!customer?.email && !customer?.phone) throw invalid("Whom does it go to?", "receipt.customer");
  if (!Array.isArray(items) || items.length === 0) throw invalid("It has lines", "receipt.items");
  const sum = items.reduce((total, item) => {
    const kopecks = kopecksOf(item.amount);
    const { vat_code: vat, description, quantity } = item;
    if (kopecks === undefined || typeof quantity !== "number") throw invalid("A price and a quantity", "receipt.items");
    if (!Number.isInteger(vat)) throw invalid("A code of VAT", "receipt.items.vat_code");
    if (typeof description !== "string" || description === "" || description.length > 128)
      throw invalid("1 to 128 characters", "receipt.items.description");
    return total + kopecks * quantity;
  }, 0);
  if (sum !== kopecksOf(amount)) throw invalid("Its lines are not the amount", "receipt.items");
}
