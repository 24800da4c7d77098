import type { EntityManager } from "typeorm";
import type { QueryDeepPartialEntity } from "typeorm/query-builder/QueryPartialEntity.js";
import { Payment, type PaymentMethod, type PaymentState } from "../../entities/payments/payment.ts";

export interface PaymentFilter {
  orderId?: string | undefined;
  state?: PaymentState | undefined;
  method?: PaymentMethod | undefined;
}

export type NewPaymentRow = Pick<
  Payment,
  "orderId" | "method" | "state" | "amountRub" | "provider" | "providerReference" | "checkoutUrl" | "createdBy"
> & { id: string };

const newestFirst = { createdAt: "DESC", id: "DESC" } as const;

async function sumRub(tx: EntityManager, orderId: string, condition: string): Promise<number> {
  const [row]: { sum: number }[] = await tx.query(
    `SELECT coalesce(sum(amount_rub), 0)::float8 AS sum FROM payments WHERE order_id = $1 AND ${condition}`,
    [orderId],
  );
  return row?.sum ?? 0;
}

/** Payments as rows; a missing one is `null`, never an error. */
export const payments = {
  findById: (tx: EntityManager, id: string) => tx.findOneBy(Payment, { id }),

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

  /** The sum paid or promised for an order: all payments that have neither failed nor been refunded. */
  activeRub: (tx: EntityManager, orderId: string) => sumRub(tx, orderId, "state NOT IN ('failed', 'refunded')"),

  /** The sum paid for an order. */
  paidRub: (tx: EntityManager, orderId: string) => sumRub(tx, orderId, "state = 'paid'"),

  async insert(tx: EntityManager, values: NewPaymentRow) {
    const paidAt = values.state === "paid" ? { paidAt: () => "now()" } : {};
    await tx.insert(Payment, { ...values, ...paidAt } as QueryDeepPartialEntity<Payment>);
  },

  /** Sets the state of a payment, and records when it was paid or refunded. */
  async move(tx: EntityManager, id: string, state: PaymentState, failure: string | null) {
    const times = {
      ...(state === "paid" && { paidAt: () => "now()" }),
      ...(state === "refunded" && { refundedAt: () => "now()" }),
    };
    await tx.update(Payment, { id }, { state, failure, ...times });
  },

  async removeFailed(tx: EntityManager, orderId: string) {
    await tx.delete(Payment, { orderId, state: "failed" });
  },
};
