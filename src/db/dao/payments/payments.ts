import type { EntityManager } from "typeorm";
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
}

export type NewPaymentRow = Pick<
  Payment,
  "method" | "state" | "amountRub" | "provider" | "providerReference" | "checkoutUrl" | "createdBy"
> & { id: string; orderId: string };

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
  list: (tx: EntityManager, filter: PaymentFilter, page: { limit: number; offset: number }) => {
    const given = Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
    return tx.findAndCount(Payment, { where: given, order: newestFirst, take: page.limit, skip: page.offset });
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
