import { type EntityManager, Raw } from "typeorm";
import type { QueryDeepPartialEntity } from "typeorm/query-builder/QueryPartialEntity.js";
import {
  Payment,
  type PaymentMethod,
  type PaymentState,
  type UnmatchedReason,
} from "../../entities/payments/payment.ts";

export interface PaymentFilter {
  orderId?: string | undefined;
  state?: PaymentState | undefined;
  method?: PaymentMethod | undefined;
  /** True: only payments that hold money which is due back to the customer. */
  isDueBack?: boolean | undefined;
}

export type NewPaymentRow = Pick<
  Payment,
  "method" | "state" | "amountRub" | "provider" | "providerReference" | "checkoutUrl" | "createdBy"
> & { id: string; orderId: string };

/** Goods of a delivery that charged no balance, so none gets them back: a guest's, and what staff booked for itself. */
const isUncredited = "w.customer_id = w.author_id";

/** Payments that hold money of orders of which `dueBackRub` of the services is above 0. */
const dueBackSql = `
  SELECT held.id FROM payments held JOIN orders o ON o.id = held.order_id
  CROSS JOIN LATERAL (
    SELECT sum(amount_rub - refunded_rub) AS rub FROM payments WHERE order_id = o.id AND state = 'paid'
  ) paid
  CROSS JOIN LATERAL (
    SELECT coalesce(sum(refunds.amount_rub), 0) AS rub FROM refunds JOIN payments ON payments.id = refunds.payment_id
    WHERE payments.order_id = o.id AND payments.state = 'paid' AND refunds.state = 'pending'
  ) refunding
  CROSS JOIN LATERAL (
    SELECT coalesce(sum(l.quantity::bigint * l.price_rub), 0) AS rub FROM order_offers l WHERE l.order_id = o.id
  ) total
  CROSS JOIN LATERAL (
    SELECT coalesce(sum(l.quantity::bigint * l.price_rub), 0) AS rub
    FROM waybills w JOIN waybill_offers l ON l.waybill_id = w.id WHERE w.order_id = o.id AND NOT w.is_pending
  ) delivered
  CROSS JOIN LATERAL (
    SELECT coalesce(sum(l.quantity::bigint * l.price_rub), 0) AS rub
    FROM waybills w JOIN waybills back ON back.return_of = w.id JOIN waybill_offers l ON l.waybill_id = back.id
    WHERE w.order_id = o.id AND NOT back.is_pending AND ${isUncredited}
  ) uncredited
  WHERE held.state = 'paid' AND held.refunded_rub < held.amount_rub
    -- Of all others nothing is due back: what is paid is at most the total.
    AND (o.status = 'CANCELED' OR EXISTS (
      SELECT 1 FROM waybills w JOIN waybills back ON back.return_of = w.id WHERE w.order_id = o.id AND ${isUncredited}))
    AND paid.rub - refunding.rub >
      greatest(0, CASE o.status WHEN 'CANCELED' THEN delivered.rub ELSE total.rub END - uncredited.rub)`;

const newestFirst = { createdAt: "DESC", id: "DESC" } as const;

/** Payments as rows; a missing one is `null`, never an error. */
export const payments = {
  findById: (tx: EntityManager, id: string) => tx.findOneBy(Payment, { id }),

  /** The payment, locked until the transaction ends; its order, if it has one, is locked before. */
  lock: (tx: EntityManager, id: string) =>
    tx.findOneOrFail(Payment, { where: { id }, lock: { mode: "pessimistic_write" } }),

  findByReference: (tx: EntityManager, provider: string, providerReference: string) =>
    tx.findOneBy(Payment, { provider, providerReference }),

  /** All of one order, the oldest first. */
  ofOrder: (tx: EntityManager, orderId: string) =>
    tx.find(Payment, { where: { orderId }, order: { createdAt: "ASC", id: "ASC" } }),

  /** One page, the newest first, and the total; two statements. */
  list: (tx: EntityManager, { isDueBack, ...filter }: PaymentFilter, page: { limit: number; offset: number }) => {
    const given = Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
    if (isDueBack) Object.assign(given, { id: Raw((id) => `${id} IN (${dueBackSql})`) });
    return tx.findAndCount(Payment, { where: given, order: newestFirst, take: page.limit, skip: page.offset });
  },

  /** How many payments are unmatched, the money that is left of them, and the age of the oldest; 0 without any. */
  async unmatchedTotals(tx: EntityManager): Promise<{ payments: number; roubles: number; oldestSeconds: number }> {
    const [row] = await tx.query(
      `SELECT count(*)::int AS payments, coalesce(sum(amount_rub - refunded_rub), 0)::float8 AS roubles,
         coalesce(extract(epoch FROM now() - min(paid_at)), 0)::float8 AS "oldestSeconds"
       FROM payments WHERE state = 'unmatched'`,
    );
    return row;
  },

  async insert(tx: EntityManager, values: NewPaymentRow) {
    const paidAt = values.state === "paid" ? { paidAt: () => "now()" } : {};
    await tx.insert(Payment, { ...values, ...paidAt } as QueryDeepPartialEntity<Payment>);
  },

  /** Sets the state of a payment, and records when it was paid. */
  async move(tx: EntityManager, id: string, state: "authorized" | "paid" | "failed", failure: string | null) {
    await tx.update(Payment, { id }, { state, failure, ...(state === "paid" && { paidAt: () => "now()" }) });
  },

  /** Records money that matches no open sum, as it arrived. */
  async setUnmatched(
    tx: EntityManager,
    id: string,
    { amountRub, reason, failure }: { amountRub: number; reason: UnmatchedReason; failure: string | null },
  ) {
    const values = { state: "unmatched" as const, amountRub, unmatchedReason: reason, failure, paidAt: () => "now()" };
    await tx.update(Payment, { id }, values);
  },

  /** Makes unmatched money a payment of an order. */
  async assignToOrder(tx: EntityManager, { id, orderId, originalOrderId }: Payment, to: string) {
    const original = orderId === to ? originalOrderId : (originalOrderId ?? orderId);
    await tx.update(Payment, { id }, { state: "paid", orderId: to, originalOrderId: original });
  },

  /** Makes unmatched money part of a user's balance. */
  async credit(tx: EntityManager, id: string, userId: string) {
    await tx.update(Payment, { id }, { state: "credited", creditedTo: userId });
  },

  async setRefunded(tx: EntityManager, id: string, refundedRub: number, isWhole: boolean) {
    const whole = isWhole ? { state: "refunded" as const, refundedAt: () => "now()" } : {};
    await tx.update(Payment, { id }, { refundedRub, ...whole });
  },

  /** Keeps the payments of an order that is deleted: money may still arrive for them. */
  async detach(tx: EntityManager, orderId: string) {
    await tx.query(
      `UPDATE payments SET order_id = NULL, original_order_id = coalesce(original_order_id, order_id)
       WHERE order_id = $1`,
      [orderId],
    );
  },
};
