import { z } from "zod";
import { defineJob } from "../engine/index.ts";

/** Does at the card provider what staff has decided here: captures or gives up a payment, or pays out a refund. */
export const settlePayment = defineJob({
  name: "settle-payment",
  queue: "payments",
  payload: z.discriminatedUnion("act", [
    z.object({ act: z.enum(["capture", "cancel"]), paymentId: z.uuid() }),
    z.object({ act: z.literal("refund"), paymentId: z.uuid(), refundId: z.uuid() }),
  ]),
  key: (payload) => `${payload.act}:${payload.act === "refund" ? payload.refundId : payload.paymentId}`,
  entity: ({ paymentId }) => ({ type: "payment", id: paymentId }),
  // An outage of the provider costs no attempt, however long it lasts.
  retry: { attempts: 10, backoffMs: 30_000, outageMs: 30_000 },
  timeoutMs: 60_000,
  description: "Captures, gives up or refunds a card payment at its provider.",
});
