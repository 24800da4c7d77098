import { z } from "zod";
import { type Payment, paymentMethods, paymentStates, unmatchedReasons } from "../../db/entities/payments/payment.ts";
import { type Refund, refundStates } from "../../db/entities/payments/refund.ts";
import { timestamp } from "../http/fields.ts";

/** Money for an order. */
export const PaymentView = z
  .object({
    id: z.uuid(),
    order_id: z.uuid().nullable().meta({ description: "Null when the order was deleted" }),
    original_order_id: z
      .uuid()
      .nullable()
      .meta({ description: "The order it was made for, when that was deleted or the money went to another one" }),
    method: z.enum(paymentMethods),
    state: z.enum(paymentStates),
    amount_rub: z.int(),
    refunded_rub: z.int().meta({ description: "What was given back of it" }),
    unmatched_reason: z
      .enum(unmatchedReasons)
      .nullable()
      .meta({ description: "Why the money could not be taken for its order when it arrived" }),
    credited_to: z.uuid().nullable().meta({ description: "The user whose balance got the money" }),
    provider: z.string().nullable().meta({ description: "Who handles the card" }),
    provider_reference: z.string().nullable(),
    checkout_url: z.url().nullable().meta({ description: "Where to pay by card; null when the payment is finished" }),
    failure: z.string().nullable(),
    created_by: z.uuid().nullable(),
    paid_at: timestamp.nullable(),
    refunded_at: timestamp.nullable(),
    created_at: timestamp,
    updated_at: timestamp,
  })
  .meta({ id: "Payment" });

/** A payment for its payer and staff. */
export function paymentView(payment: Payment): z.output<typeof PaymentView> {
  return {
    id: payment.id,
    order_id: payment.orderId,
    original_order_id: payment.originalOrderId,
    method: payment.method,
    state: payment.state,
    amount_rub: payment.amountRub,
    refunded_rub: payment.refundedRub,
    unmatched_reason: payment.unmatchedReason,
    credited_to: payment.creditedTo,
    provider: payment.provider,
    provider_reference: payment.providerReference,
    checkout_url: payment.state === "pending" ? payment.checkoutUrl : null,
    failure: payment.failure,
    created_by: payment.createdBy,
    paid_at: payment.paidAt?.toISOString() ?? null,
    refunded_at: payment.refundedAt?.toISOString() ?? null,
    created_at: payment.createdAt.toISOString(),
    updated_at: payment.updatedAt.toISOString(),
  };
}

/** Money of a payment that goes back. */
export const RefundView = z
  .object({
    id: z.uuid(),
    payment_id: z.uuid(),
    amount_rub: z.int(),
    reason: z.string().nullable(),
    state: z.enum(refundStates).meta({ description: "pending: the provider has yet to do it" }),
    failure: z.string().nullable(),
    waybill_id: z.uuid().nullable().meta({ description: "The return whose goods it is for" }),
    created_by: z.uuid().nullable(),
    finished_at: timestamp.nullable(),
    created_at: timestamp,
  })
  .meta({ id: "Refund" });

/** A refund for the payer and staff. */
export function refundView(refund: Refund): z.output<typeof RefundView> {
  return {
    id: refund.id,
    payment_id: refund.paymentId,
    amount_rub: refund.amountRub,
    reason: refund.reason,
    state: refund.state,
    failure: refund.failure,
    waybill_id: refund.waybillId,
    created_by: refund.createdBy,
    finished_at: refund.finishedAt?.toISOString() ?? null,
    created_at: refund.createdAt.toISOString(),
  };
}
