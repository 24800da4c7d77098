import { z } from "zod";
import { type Payment, paymentMethods, paymentStates } from "../../db/entities/payments/payment.ts";
import { timestamp } from "../http/fields.ts";

/** Money for an order. */
export const PaymentView = z
  .object({
    id: z.uuid(),
    order_id: z.uuid(),
    method: z.enum(paymentMethods),
    state: z.enum(paymentStates),
    amount_rub: z.int(),
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
    method: payment.method,
    state: payment.state,
    amount_rub: payment.amountRub,
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
