import type { EntityManager } from "typeorm";
import { isCharged } from "../../db/dao/payments/card-payments.ts";
import { payments } from "../../db/dao/payments/payments.ts";
import { refunds } from "../../db/dao/payments/refunds.ts";
import { dueBackRub, getOrderBooks } from "./order-balance.ts";
import { refundPayment } from "./refunds.ts";
import { promiseSettlement } from "./settlements.ts";

const reason = "The order was canceled";

/**
 * Ends the payments of an order that has just been canceled. Pending ones fail: if the customer pays nevertheless, the
 * money is unmatched. With `refund` authorized ones are given up, and what was paid for goods that have not left is
 * given back, from the newest payment on; with `keep` both stay, and the order shows what is due back. Pending waybills
 * stay, and cannot be committed while the order is canceled.
 */
export async function cancelPayments(
  tx: EntityManager,
  { orderId, policy, actorId }: { orderId: string; policy: "keep" | "refund"; actorId: string | null },
): Promise<void> {
  const all = await payments.ofOrder(tx, orderId);
  for (const payment of all) {
    const { id, state } = payment;
    const isGivenUp = state === "pending" || (state === "authorized" && policy === "refund");
    if (isGivenUp) await payments.move(tx, id, "failed", reason);
    if (isGivenUp && state === "authorized" && isCharged(payment))
      await promiseSettlement(tx, { act: "cancel", paymentId: id });
  }
  if (policy === "keep") return;
  let dueRub = dueBackRub(await getOrderBooks(tx, orderId));
  for (const payment of all.filter(({ state }) => state === "paid").toReversed()) {
    const leftRub = payment.amountRub - payment.refundedRub - (await refunds.pendingRub(tx, payment.id));
    const amountRub = Math.min(dueRub, leftRub);
    if (amountRub <= 0) continue;
    await refundPayment(tx, { paymentId: payment.id, amountRub, reason, createdBy: actorId });
    dueRub -= amountRub;
  }
}
