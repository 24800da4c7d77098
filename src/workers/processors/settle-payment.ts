import { payments } from "../../db/dao/payments/payments.ts";
import { PermanentError } from "../../engine/worker.ts";
import { UnavailableError } from "../../errors.ts";
import { receivePaymentEvent } from "../../services/payments/payment-states.ts";
import type { Processor } from "../context.ts";

/**
 * Captures or gives up a payment at its provider, and applies what became of it as its notification would be; whichever
 * comes first counts. The provider's key is the same in each run, so repetitions charge nothing twice.
 */
export const settlePaymentProcessor: Processor<"settle-payment"> = {
  async run(job, { db, cards }) {
    const { act, paymentId } = job.payload;
    const payment = await payments.findById(db.manager, paymentId);
    const { provider, providerReference: reference } = payment ?? {};
    if (!payment || !provider || !reference) throw new PermanentError(`Payment '${paymentId}' is at no provider`);
    // A wrong setting costs no attempt: the money is at that provider all the same.
    if (cards?.name !== provider)
      throw new UnavailableError(`Payment '${paymentId}' is at '${provider}'; set PAYMENT_PROVIDER to it`);
    if (act === "refund") throw new PermanentError(`Refund '${job.payload.refundId}' is not known`);
    const request = { reference, key: `${act}-${paymentId}`, signal: job.signal, amountRub: payment.amountRub };
    const event = await cards[act](request);
    await job.complete(async (tx) => {
      const { outcome } = await receivePaymentEvent(tx, { provider, event });
      return { state: event.state, outcome };
    });
  },
};
