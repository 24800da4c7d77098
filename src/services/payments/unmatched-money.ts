import type { EntityManager } from "typeorm";
import { users } from "../../db/dao/accounts/users.ts";
import { orders } from "../../db/dao/orders/orders.ts";
import type { OrderBooks } from "../../db/dao/payments/order-books.ts";
import { payments } from "../../db/dao/payments/payments.ts";
import { refunds } from "../../db/dao/payments/refunds.ts";
import type { Payment, UnmatchedReason } from "../../db/entities/payments/payment.ts";
import { ConflictError, NotFoundError } from "../../errors.ts";
import { recordEvent } from "../webhooks/events.ts";
import { changeBalance } from "./balances.ts";
import { getOrderBooks } from "./order-balance.ts";
import { openOf, recordPaid } from "./payments.ts";
import { lockPayment } from "./refunds.ts";

/** Why money that arrives for a payment cannot be taken for its order; undefined when it can. */
export async function mismatchOf(
  tx: EntityManager,
  { payment, arrivedRub }: { payment: Payment; arrivedRub: number },
): Promise<UnmatchedReason | undefined> {
  if (payment.orderId === null) return "order_deleted";
  const promisedRub = payment.state === "failed" ? 0 : payment.amountRub;
  const books = await getOrderBooks(tx, payment.orderId);
  // Goods that have left before are paid for; what came back of them is not.
  if (books.status === "CANCELED" && arrivedRub > openOf(books) + promisedRub) return "order_canceled";
  if (arrivedRub !== payment.amountRub) return "wrong_amount";
  // What was asked for before goods came back is taken; it can be given back.
  const open = openOf(books) + books.returnedRub + promisedRub;
  return arrivedRub > open ? "nothing_due" : undefined;
}

/** Puts money that arrived on record as unmatched, for staff to assign or give back. */
export async function keepUnmatched(
  tx: EntityManager,
  { payment, arrivedRub, reason }: { payment: Payment; arrivedRub: number; reason: UnmatchedReason },
): Promise<void> {
  const { id, orderId, amountRub } = payment;
  const failure =
    arrivedRub === amountRub ? payment.failure : `'${arrivedRub}' roubles arrived, and '${amountRub}' were asked for`;
  await payments.setUnmatched(tx, id, { amountRub: arrivedRub, reason, failure });
  await recordEvent(tx, "payment.unmatched", { id, order_id: orderId, reason });
}

/** Makes unmatched money a payment of an order. Throws when it is more than the order's open sum. */
export async function assignToOrder(tx: EntityManager, { id, orderId }: { id: string; orderId: string }) {
  // In the sequence of ids, so that two transactions never deadlock.
  const seen = await payments.findById(tx, id);
  for (const one of [...new Set([orderId, seen?.orderId ?? orderId])].toSorted()) await orders.lock(tx, one);
  const payment = await lockUnmatched(tx, id);
  const books = await getOrderBooks(tx, orderId);
  const open = openOf(books);
  if (books.status === "CANCELED" && payment.amountRub > open)
    throw new ConflictError(
      `Order '${orderId}' is canceled; give the money back${books.userId ? ", or assign it to the customer's balance" : ""}`,
    );
  if (payment.amountRub > open) {
    throw new ConflictError(
      `'${payment.amountRub}' roubles are more than the '${open}' that are left to be paid for order '${orderId}'; ${adviceFor(books, open)}`,
    );
  }
  await payments.assignToOrder(tx, payment, orderId);
  await recordPaid(tx, { id, orderId });
}

/** A guest has no balance, and from a balance only an open sum can be paid. */
function adviceFor({ userId }: OrderBooks, openRub: number) {
  if (userId === null) return "give them back";
  return openRub > 0
    ? "assign them to the customer's balance, and pay from there"
    : "assign them to the customer's balance, or give them back";
}

/** Makes unmatched money part of a user's balance. */
export async function assignToBalance(tx: EntityManager, { id, userId }: { id: string; userId: string }) {
  const payment = await lockUnmatched(tx, id);
  if (!(await users.lock(tx, userId))) throw new NotFoundError(`User ${userId} not found`);
  await payments.credit(tx, id, userId);
  const { amountRub: delta } = payment;
  await changeBalance(tx, { userId, currency: "RUB", delta, reason: "ORDER_PAYMENT", paymentId: id });
}

async function lockUnmatched(tx: EntityManager, id: string): Promise<Payment> {
  const seen = await payments.findById(tx, id);
  if (!seen) throw new NotFoundError("Payment not found");
  const payment = await lockPayment(tx, seen);
  if (payment.state !== "unmatched")
    throw new ConflictError(`Payment '${id}' is '${payment.state}'; only one that is 'unmatched' can be assigned`);
  if (payment.refundedRub > 0)
    throw new ConflictError(
      `'${payment.refundedRub}' roubles of payment '${id}' have been given back; give the rest back as well`,
    );
  if ((await refunds.pendingRub(tx, id)) > 0)
    throw new ConflictError(`Payment '${id}' is being given back; wait until its provider has done so`);
  return payment;
}
