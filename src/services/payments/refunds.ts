import { randomUUID } from "node:crypto";
import type { EntityManager } from "typeorm";
import { orders } from "../../db/dao/orders/orders.ts";
import { isCharged } from "../../db/dao/payments/card-payments.ts";
import { payments } from "../../db/dao/payments/payments.ts";
import { refunds } from "../../db/dao/payments/refunds.ts";
import { waybillOffers } from "../../db/dao/stock/waybill-offers.ts";
import { waybills } from "../../db/dao/stock/waybills.ts";
import { receivedEvents } from "../../db/dao/webhooks/received-events.ts";
import type { Payment } from "../../db/entities/payments/payment.ts";
import { ConflictError, NotFoundError } from "../../errors.ts";
import { recordEvent } from "../webhooks/events.ts";
import { getOrderBooks, heldRub, paidRub, settleOrder, uncreditedRub } from "./order-balance.ts";
import { getPayment } from "./payments.ts";
import { promiseSettlement } from "./settlements.ts";

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
 * Gives money of a payment back: all of it or a part, once or in several times. At a provider that charges cards a job
 * does so, and the refund is pending until then. Throws when the payment was not taken, when the amount is more than is
 * left of it, and when money from the balance has paid for goods that have left.
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
  if (isCharged(payment)) await promiseSettlement(tx, { act: "refund", paymentId, refundId: id });
  else await completeRefund(tx, id);
  return id;
}

/**
 * Books a refund that has been paid out, once; may be repeated. One that had failed here is booked as well: its provider
 * has the last word. The payment is `refunded` when nothing is left of it. Throws when less is left than was paid out.
 */
export async function completeRefund(tx: EntityManager, id: string): Promise<void> {
  const seen = await getRefund(tx, id);
  const payment = await lockPayment(tx, await getPayment(tx, seen.paymentId));
  const refund = await getRefund(tx, id);
  if (refund.state === "succeeded") return;
  const refundedRub = payment.refundedRub + refund.amountRub;
  if (refundedRub > payment.amountRub) throw tooMuch(payment, refund.amountRub);
  await refunds.finish(tx, id, "succeeded", null);
  await payments.setRefunded(tx, payment.id, refundedRub, refundedRub === payment.amountRub);
  const { orderId } = payment;
  if (orderId !== null && payment.state === "paid")
    await settleOrder(tx, orderId, { reason: "ORDER_REFUND", paymentId: payment.id, refundId: id });
  await recordEvent(tx, "payment.refunded", { id: payment.id, order_id: orderId, refund_id: id });
}

/** Ends a refund that its provider has refused; the money stays with the payment. May be repeated. */
export async function failRefund(tx: EntityManager, id: string, failure: string): Promise<void> {
  const { paymentId } = await getRefund(tx, id);
  await lockPayment(tx, await getPayment(tx, paymentId));
  if ((await getRefund(tx, id)).state === "pending") await refunds.finish(tx, id, "failed", failure);
}

/** What the card provider reports about a refund, also about one that was made in its own cabinet. */
export interface RefundEvent {
  /** The same in each repetition of the event. */
  id: string;
  /** The provider's id of the payment. */
  reference: string;
  /** The provider's id of the refund. */
  refundReference: string;
  /** The refund's id here; null: it was made in the cabinet. */
  key: string | null;
  amountRub: number;
}

/**
 * Books a refund that a provider reports, once; one of its cabinet is put on record first. Throws when the payment is
 * not known or not taken (yet), and when its money is in a balance, which this would not change.
 */
export async function receiveRefundEvent(
  tx: EntityManager,
  { provider, event }: { provider: string; event: RefundEvent },
): Promise<{ outcome: "done" | "repeated"; payment: Payment | null }> {
  const isNew = await receivedEvents.record(tx, { source: `payments:${provider}`, eventId: event.id });
  if (!isNew) return { outcome: "repeated", payment: null };
  const found = await payments.findByReference(tx, provider, event.reference);
  if (!found) throw new NotFoundError("Payment not found");
  const payment = await lockPayment(tx, found);
  const known =
    (event.key && (await refunds.findById(tx, event.key))) ||
    (await refunds.findByReference(tx, event.refundReference));
  const id = known?.id ?? (await putOnRecord(tx, payment, event));
  await refunds.setReference(tx, id, event.refundReference);
  await completeRefund(tx, id);
  return { outcome: "done", payment };
}

const tooMuch = ({ id, amountRub, refundedRub }: Payment, rub: number) =>
  new ConflictError(
    `'${rub}' roubles were paid out at the provider, and '${amountRub - refundedRub}' are left of payment '${id}'`,
  );

async function putOnRecord(tx: EntityManager, payment: Payment, { amountRub }: RefundEvent) {
  const { id: paymentId, state } = payment;
  if (state !== "paid" && state !== "unmatched") {
    throw new ConflictError(
      `'${amountRub}' roubles of payment '${paymentId}' were given back at its provider, and it is '${state}'; only of one that is 'paid' or 'unmatched' can that be booked`,
    );
  }
  const id = randomUUID();
  const row = { id, paymentId, amountRub, reason: "Made at the provider", waybillId: null, createdBy: null };
  await refunds.insert(tx, row);
  return id;
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
async function ofReturn(tx: EntityManager, { id, orderId }: Payment, waybillId: string) {
  if (orderId === null)
    throw new ConflictError(
      `The order of payment '${id}' was deleted, so its money is for no return; leave out waybill_id`,
    );
  const waybill = await waybills.findById(tx, waybillId);
  const delivery = waybill?.returnOf ? await waybills.findById(tx, waybill.returnOf) : null;
  if (!waybill || waybill.isPending || delivery === null || delivery.orderId !== orderId) {
    throw new ConflictError(`Waybill '${waybillId}' is no committed return of goods of order '${orderId}'`);
  }
  const lines = await waybillOffers.ofWaybill(tx, waybillId);
  const total = lines.reduce((sum, { quantity, priceRub }) => sum + quantity * priceRub, 0);
  const open = total - (await refunds.ofReturnRub(tx, waybillId));
  if (open > 0) return open;
  throw new ConflictError(`All '${total}' roubles of return '${waybillId}' are given back, or on their way`);
}

/** The delivery has charged the balance; only what is held for other goods can go back to it. */
async function checkHeld(tx: EntityManager, { orderId }: Payment, amountRub: number) {
  if (orderId === null) return;
  const books = await getOrderBooks(tx, orderId);
  const keptRub = books.deliveredRub - uncreditedRub(books);
  const heldForRest = Math.max(0, Math.min(heldRub(books), paidRub(books) - keptRub));
  if (amountRub <= heldForRest) return;
  const isOnBalance = books.chargedRub === books.deliveredRub;
  const advice =
    books.returnedRub < books.deliveredRub
      ? `take them back with a WAYBILL_RETURN, ${isOnBalance ? "which raises the balance" : "and refund it then"}`
      : "they have come back, and that has raised the balance";
  const what =
    heldForRest > 0
      ? `'${amountRub}' roubles are more than the '${heldForRest}' that are paid for goods of order '${orderId}' which have not left; for the others`
      : `The goods of order '${orderId}' have left;`;
  throw new ConflictError(`${what} ${advice}`);
}
