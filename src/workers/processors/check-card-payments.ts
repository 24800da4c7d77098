import { cardPayments } from "../../db/dao/payments/card-payments.ts";
import { ConflictError, NotFoundError } from "../../errors.ts";
import { receivePaymentEvent } from "../../services/payments/payment-states.ts";
import { receiveRefundEvent } from "../../services/payments/refunds.ts";
import type { Processor } from "../context.ts";

/** How long ago a refund may have been made that is still looked for. */
const sinceMs = 2 * 24 * 3_600_000;

/**
 * Asks about each payment and applies the answer in a transaction of its own, as its notification would be; one that
 * was applied before changes nothing. A payment that cannot be judged is logged, and the others go on. Then the
 * same with the refunds of the last two days.
 */
export const checkCardPaymentsProcessor: Processor<"check-card-payments"> = {
  async run(job, { db, cards, log }) {
    const unfinished = (await cardPayments.unfinished(db.manager)).filter(({ provider }) => provider === cards?.name);
    const outcomes: Record<string, number> = {};
    for (const [at, { id, provider, reference }] of unfinished.entries()) {
      const outcome = await check(provider, reference).catch((error: unknown) => {
        if (!(error instanceof ConflictError || error instanceof NotFoundError)) throw error;
        log.error({ err: error, payment: id }, "a card payment differs from what its provider says");
        return "unclear";
      });
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      job.progress(at + 1, unfinished.length);
    }
    outcomes.refunds = await checkRefunds();
    return job.complete(async () => outcomes);

    async function checkRefunds(): Promise<number> {
      if (!cards) return 0;
      const { name: provider } = cards;
      let booked = 0;
      const events = await cards.recentRefunds({ since: new Date(Date.now() - sinceMs), signal: job.signal });
      for (const event of events) {
        try {
          await job.commit(async (tx) => {
            if ((await receiveRefundEvent(tx, { provider, event })).outcome === "done") booked += 1;
          });
        } catch (error) {
          if (!(error instanceof ConflictError || error instanceof NotFoundError)) throw error;
          log.error({ err: error, refund: event.refundReference }, "a refund of the card provider cannot be booked");
        }
      }
      return booked;
    }

    async function check(provider: string, reference: string): Promise<string> {
      const event = await cards?.read({ reference, signal: job.signal });
      if (!event) return "open";
      let outcome = "";
      await job.commit(async (tx) => {
        ({ outcome } = await receivePaymentEvent(tx, { provider, event }));
      });
      return outcome;
    }
  },
};
