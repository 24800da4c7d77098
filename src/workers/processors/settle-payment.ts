import { payments } from "../../db/dao/payments/payments.ts";
import { refunds } from "../../db/dao/payments/refunds.ts";
import type { Payment } from "../../db/entities/payments/payment.ts";
import type { Refund } from "../../db/entities/payments/refund.ts";
import { PermanentError } from "../../engine/worker.ts";
import { UnavailableError } from "../../errors.ts";
import { type CardRefund, CardRefusalError, type CardSettlement } from "../../platform/payments/card-provider.ts";
import { cardReceipt } from "../../services/payments/card-receipt.ts";
import { receivePaymentEvent } from "../../services/payments/payment-states.ts";
import { completeRefund, failRefund } from "../../services/payments/refunds.ts";
import type { JobRun, Processor, WorkerContext } from "../context.ts";

type Run = JobRun<"settle-payment">;

/** Wait before a refund that takes its time is asked about again. */
const refundMs = 60_000;

/**
 * Captures or gives up a payment at its provider, or pays out a refund, and applies what became of it as its
 * notification would be; whichever comes first counts. The provider's key is the same in each run, so repetitions charge
 * nothing twice.
 */
export const settlePaymentProcessor: Processor<"settle-payment"> = {
  async run(job, context) {
    const { payload, signal } = job;
    const { paymentId } = payload;
    const payment = await payments.findById(context.db.manager, paymentId);
    const { provider, providerReference: reference } = payment ?? {};
    if (!payment || !provider || !reference) throw new PermanentError(`Payment '${paymentId}' is at no provider`);
    const { cards } = context;
    // A wrong setting costs no attempt: the money is at that provider all the same.
    if (cards?.name !== provider)
      throw new UnavailableError(`Payment '${paymentId}' is at '${provider}'; set PAYMENT_PROVIDER to it`);
    // It was given up while this waited for the provider, as when its order was canceled.
    if (payload.act === "capture" && payment.state !== "authorized")
      return job.complete(async () => ({ state: payment.state, outcome: "ignored" }));
    if (payload.act === "refund") return payOut(job, context, { payment, cards, reference, id: payload.refundId });
    const request = { reference, key: `${payload.act}-${paymentId}`, signal, amountRub: payment.amountRub };
    const event = await cards[payload.act](request);
    await job.complete(async (tx) => {
      const { outcome } = await receivePaymentEvent(tx, { provider, event });
      return { state: event.state, outcome };
    });
  },
};

interface PayOut {
  payment: Payment;
  cards: CardSettlement;
  reference: string;
  id: string;
}

async function payOut(job: Run, { db, log }: WorkerContext, { payment, cards, reference, id }: PayOut): Promise<void> {
  const refund = await refunds.findById(db.manager, id);
  if (!refund) throw new PermanentError(`Refund '${id}' is not known`);
  if (refund.state !== "pending") return job.complete(async () => ({ state: refund.state }));
  const receipt = cards.makesReceipts ? await receiptOf(db, payment, refund) : undefined;
  const request = { reference, amountRub: refund.amountRub, key: id, signal: job.signal, receipt };
  let made: CardRefund;
  try {
    made = await cards.refund({ ...request, description: refund.reason ?? "Возврат" });
  } catch (error) {
    if (!(error instanceof CardRefusalError)) throw error;
    const { message, reason } = error;
    log.error({ err: error, payment: payment.id, refund: id }, "the card provider refuses a refund");
    return job.complete(async (tx) => {
      await failRefund(tx, id, message);
      return { state: "failed", reason };
    });
  }
  const { refundReference, state } = made;
  if (state === "pending") {
    await job.commit((tx) => refunds.setReference(tx, id, refundReference));
    return job.snooze(refundMs);
  }
  await job.complete(async (tx) => {
    await refunds.setReference(tx, id, refundReference);
    await completeRefund(tx, id);
    return { state };
  });
}

/** A refund of a whole payment has that one's receipt; one of a part says so, if there is an order to say it about. */
async function receiptOf(db: WorkerContext["db"], { orderId, ...payment }: Payment, { amountRub }: Refund) {
  if (orderId === null || amountRub === payment.amountRub) return undefined;
  return cardReceipt(db.manager, { orderId, amountRub, part: "Возврат" });
}
