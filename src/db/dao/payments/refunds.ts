import type { EntityManager } from "typeorm";
import { Refund } from "../../entities/payments/refund.ts";

export type NewRefundRow = Pick<Refund, "id" | "paymentId" | "amountRub" | "reason" | "waybillId" | "createdBy">;

async function sumRub(tx: EntityManager, condition: string, id: string): Promise<number> {
  const [row]: { sum: number }[] = await tx.query(
    `SELECT coalesce(sum(amount_rub), 0)::float8 AS sum FROM refunds WHERE ${condition}`,
    [id],
  );
  return row?.sum ?? 0;
}

/** Refunds as rows; a missing one is `null`, never an error. */
export const refunds = {
  findById: (tx: EntityManager, id: string) => tx.findOneBy(Refund, { id }),

  findByReference: (tx: EntityManager, providerReference: string) => tx.findOneBy(Refund, { providerReference }),

  /** All of one payment, the oldest first. */
  ofPayment: (tx: EntityManager, paymentId: string) =>
    tx.find(Refund, { where: { paymentId }, order: { createdAt: "ASC", id: "ASC" } }),

  /** The sum of a payment that the provider has yet to give back. */
  pendingRub: (tx: EntityManager, paymentId: string) => sumRub(tx, "payment_id = $1 AND state = 'pending'", paymentId),

  /** The sum given back, or to be given back, for the goods of a return. */
  ofReturnRub: (tx: EntityManager, waybillId: string) => sumRub(tx, "waybill_id = $1 AND state <> 'failed'", waybillId),

  async insert(tx: EntityManager, values: NewRefundRow) {
    await tx.insert(Refund, { ...values, state: "pending" });
  },

  async setReference(tx: EntityManager, id: string, providerReference: string) {
    await tx.update(Refund, { id }, { providerReference });
  },

  async finish(tx: EntityManager, id: string, state: "succeeded" | "failed", failure: string | null) {
    await tx.update(Refund, { id }, { state, failure, finishedAt: () => "now()" });
  },
};
