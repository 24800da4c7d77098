import type { EntityManager } from "typeorm";
import { enqueue, type PayloadOf, reopenJob } from "../../engine/index.ts";
import { settlePayment } from "../../jobs/settle-payment.ts";

/**
 * Promises what staff has decided about a card payment to its provider. Each act has one job, so one that has failed or
 * was cancelled is retried, and one that is under way or done stays as it is; may be repeated.
 */
export async function promiseSettlement(tx: EntityManager, payload: PayloadOf<typeof settlePayment>): Promise<void> {
  await reopenJob(tx, await enqueue(tx, settlePayment, payload));
}
