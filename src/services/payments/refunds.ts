import { randomUUID } from "node:crypto";
import type { EntityManager } from "typeorm";
import { orders } from "../../db/dao/orders/orders.ts";
import { payments } from "../../db/dao/payments/payments.ts";
import { refunds } from "../../db/dao/payments/refunds.ts";
import { waybillOffers } from "../../db/dao/stock/waybill-offers.ts";
import { waybills } from "../../db/dao/stock/waybills.ts";
import type { Payment } from "../../db/entities/payments/payment.ts";
import { ConflictError, NotFoundError } from "../../errors.ts";
import { recordEvent } from "../webhooks/events.ts";
import { getOrderBooks, heldRub, paidRub, settleOrder } from "./order-balance.ts";
import { getPayment } from "./payments.ts";

export interface RefundRequest {
  paymentId: string;
  /** Undefined: all that is left of the payment, or the price of the returned goods. */
  amountRub?: number | undefined;
  reason?: string | null | undefined;
  /** The committed return whose goods the money is for. */
  waybillId?: string | null | undefined;
  createdBy: string | null;
}

/**
 * Locks the order of a payment, if it has one, and then the payment; every change of a payment does this. Throws when
 * another transaction has just given it another order.
 */
export async function lockPayment(tx: EntityManager, { id, orderId }: Payment): Promise<Payment> {
  if (orderId !== null) await orders.lock(tx, orderId);
  const payment = await payments.lock(tx, id);
  // To lock the new order now could deadlock with a transaction that waits for the payment.
  if (payment.orderId === orderId) return payment;
  throw new ConflictError(`Payment '${id}' was given another order at the same moment; try again`);
}

/**
 * Gives money of a payment back: all of it or a part, once or in several times. Throws when the payment was not taken,
 * when the amount is more than is left of it, and when money from the balance has paid for goods that have left.
 */
export async function refundPayment(tx: EntityManager, request: RefundRequest): Promise<string> {
  const payment = await lockPayment(tx, await getPayment(tx, request.paymentId));
  const { id: paymentId, state } = payment;
  if (state !== "paid" && state !== "unmatched") {
    throw new ConflictError(
      `Payment '${paymentId}' is '${state}'; only one that is 'paid' or 'unmatched' becomes 'refunded' this way`,
    );
  }
  const amountRub = await refundableRub(tx, payment, request);
  if (payment.method === "BALANCE") await checkHeld(tx, payment, amountRub);
  const id = randomUUID();
  const { reason = null, waybillId = null, createdBy } = request;
  await refunds.insert(tx, { id, paymentId, amountRub, reason, waybillId, createdBy });
  await completeRefund(tx, id);
  return id;
}

/**
 * Books a refund that has been paid out, once; may be repeated. The payment is `refunded` when nothing is left of it.
 */
export async function completeRefund(tx: EntityManager, id: string): Promise<void> {
  const seen = await getRefund(tx, id);
  const payment = await lockPayment(tx, await getPayment(tx, seen.paymentId));
  const refund = await getRefund(tx, id);
  if (refund.state !== "pending") return;
  await refunds.finish(tx, id, "succeeded", null);
  const refundedRub = payment.refundedRub + refund.amountRub;
  await payments.setRefunded(tx, payment.id, refundedRub, refundedRub === payment.amountRub);
  const { orderId } = payment;
  if (orderId !== null && payment.state === "paid")
    await settleOrder(tx, orderId, { reason: "ORDER_REFUND", paymentId: payment.id, refundId: id });
  await recordEvent(tx, "payment.refunded", { id: payment.id, order_id: orderId, refund_id: id });
}

/** A refund by id. */
export async function getRefund(tx: EntityManager, id: string) {
  return (await refunds.findById(tx, id)) ?? Promise.reject(new NotFoundError("Refund not found"));
}

async function refundableRub(tx: EntityManager, payment: Payment, { amountRub, waybillId }: RefundRequest) {
  const left = payment.amountRub - payment.refundedRub - (await refunds.pendingRub(tx, payment.id));
  const wanted = waybillId ? await ofReturn(tx, payment, waybillId) : left;
  const amount = amountRub ?? Math.min(wanted, left);
  if (amount > left || amount <= 0) {
    throw new ConflictError(`'${amount}' roubles cannot be given back: '${left}' are left of payment '${payment.id}'`);
  }
  if (waybillId && amount > wanted) {
    throw new ConflictError(
      `'${amount}' roubles are more than the '${wanted}' that are open for return '${waybillId}'`,
    );
  }
  return amount;
}

/** The price of returned goods that has not been given back yet. */
async function ofReturn(tx: EntityManager, { orderId }: Payment, waybillId: string) {
  const waybill = await waybills.findById(tx, waybillId);
  const delivery = waybill?.returnOf ? await waybills.findById(tx, waybill.returnOf) : null;
  if (!waybill || waybill.isPending || delivery === null || delivery.orderId !== orderId) {
    throw new ConflictError(`Waybill '${waybillId}' is no committed return of goods of order '${orderId}'`);
  }
  const lines = await waybillOffers.ofWaybill(tx, waybillId);
  const total = lines.reduce((sum, { quantity, priceRub }) => sum + quantity * priceRub, 0);
  return total - (await refunds.ofReturnRub(tx, waybillId));
}

/** The delivery has charged the balance; only what is held for other goods can go back to it. */
async function checkHeld(tx: EntityManager, { orderId }: Payment, amountRub: number) {
  if (orderId === null) return;
  const books = await getOrderBooks(tx, orderId);
  const heldForRest = Math.min(heldRub(books), paidRub(books) - books.deliveredRub);
  if (amountRub <= heldForRest) return;
  throw new ConflictError(
    `The goods of order '${orderId}' have left; take them back with a WAYBILL_RETURN, which raises the balance`,
  );
}
