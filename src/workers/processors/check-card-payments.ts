import { cardPayments } from "../../db/dao/payments/card-payments.ts";
import { ConflictError, NotFoundError } from "../../errors.ts";
import { receivePaymentEvent } from "../../services/payments/payment-states.ts";
import type { Processor } from "../context.ts";

/**
 * Asks about each payment and applies the answer in a transaction of its own, as its notification would be; one that
 * was applied before changes nothing. A payment that cannot be judged is logged, and the others go on.
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
    return job.complete(async () => outcomes);

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
