import type { EntityManager } from "typeorm";
import { isCharged } from "../../db/dao/payments/card-payments.ts";
import { payments } from "../../db/dao/payments/payments.ts";
import { receivedEvents } from "../../db/dao/webhooks/received-events.ts";
import type { Payment, PaymentMethod, PaymentState } from "../../db/entities/payments/payment.ts";
import { ConflictError, NotFoundError } from "../../errors.ts";
import { dueRub, getOrderBooks } from "./order-balance.ts";
import { getPayment, recordPaid } from "./payments.ts";
import { lockPayment } from "./refunds.ts";
import { promiseSettlement } from "./settlements.ts";
import { keepUnmatched, mismatchOf } from "./unmatched-money.ts";

/** The states that a provider can report. */
type Reported = "authorized" | "paid" | "failed";

/** The transitions of a payment's state that its provider reports. Money also arrives after a payment has failed. */
const next: Record<PaymentState, readonly Reported[]> = {
  pending: ["authorized", "paid", "failed"],
  authorized: ["paid", "failed"],
  failed: ["paid"],
  paid: [],
  refunded: [],
  unmatched: [],
  credited: [],
};

export interface StaffMove {
  id: string;
  from: readonly PaymentState[];
  to: "paid" | "failed";
  /** Methods for which staff may do this by hand; all when undefined. */
  methods?: readonly PaymentMethod[];
  failure?: string;
}

/**
 * Gives a payment a new state by staff. At a provider that charges cards a job captures or gives up an authorized one; it
 * stays authorized until it is captured. Throws when its present state or its method does not allow that, and when money
 * would be taken that a canceled order does not owe.
 */
export async function movePayment(tx: EntityManager, { id, from, to, methods, failure }: StaffMove) {
  const payment = await lockPayment(tx, await getPayment(tx, id));
  const { orderId, state } = payment;
  if (!from.includes(state)) {
    const expected = from.map((one) => `'${one}'`).join(" or ");
    throw new ConflictError(`Payment '${id}' is '${state}'; only one that is ${expected} becomes '${to}' this way`);
  }
  if (methods && !methods.includes(payment.method)) {
    throw new ConflictError(
      `A payment by '${payment.method}' becomes '${to}' when its provider says so, and not by hand`,
    );
  }
  if (orderId === null) throw new ConflictError(`The order of payment '${id}' was deleted; it stays as it is`);
  const books = await getOrderBooks(tx, orderId);
  if (to === "paid" && books.status === "CANCELED" && payment.amountRub > dueRub(books))
    throw new ConflictError(`Order '${orderId}' is canceled; mark payment '${id}' as failed${adviceOf(payment)}`);
  const isAtProvider = isCharged(payment) && state === "authorized";
  if (isAtProvider) await promiseSettlement(tx, { act: to === "paid" ? "capture" : "cancel", paymentId: id });
  // The money is not taken before the provider says so.
  if (isAtProvider && to === "paid") return;
  await payments.move(tx, id, to, failure ?? null);
  if (to === "paid") await recordPaid(tx, { id, orderId });
}

/** A failed payment cannot be refunded, and no money of an authorized one was taken. */
const adviceOf = ({ state }: Payment) =>
  state === "authorized"
    ? ", which gives its authorization up"
    : "; what was paid in cash or by bank goes back the same way";

/** What the card provider reports about a payment. */
export interface PaymentEvent {
  /** The same in each repetition of the event. */
  id: string;
  reference: string;
  state: Reported;
  amountRub: number;
  failure: string | null;
}

/** What an event has led to. */
export type EventOutcome = "done" | "repeated" | "ignored" | "unmatched";

/**
 * Applies an event of a provider, once: `repeated` when it came before, `ignored` when the payment is past that state,
 * because events may overtake each other, `unmatched` when money arrived that the order cannot take. Throws when there
 * is no such payment (yet), or when another amount than that of the payment was authorized.
 */
export async function receivePaymentEvent(
  tx: EntityManager,
  { provider, event }: { provider: string; event: PaymentEvent },
): Promise<{ outcome: EventOutcome; payment: Payment | null }> {
  const isNew = await receivedEvents.record(tx, { source: `payments:${provider}`, eventId: event.id });
  if (!isNew) return { outcome: "repeated", payment: null };
  const found = await payments.findByReference(tx, provider, event.reference);
  if (!found) throw new NotFoundError("Payment not found");
  const payment = await lockPayment(tx, found);
  // The customer has paid a card payment that was given up here before: its bank holds the money until it is released.
  if (payment.state === "failed" && event.state === "authorized" && isCharged(payment))
    await promiseSettlement(tx, { act: "cancel", paymentId: payment.id });
  if (!next[payment.state].includes(event.state)) return { outcome: "ignored", payment };
  if (event.state === "paid") return { outcome: await takeMoney(tx, payment, event.amountRub), payment };
  if (event.state === "authorized" && event.amountRub !== payment.amountRub) {
    throw new ConflictError(
      `'${event.amountRub}' roubles are not the '${payment.amountRub}' of payment '${payment.id}'`,
    );
  }
  await payments.move(tx, payment.id, event.state, event.failure);
  return { outcome: "done", payment };
}

async function takeMoney(tx: EntityManager, payment: Payment, arrivedRub: number): Promise<"done" | "unmatched"> {
  const { id, orderId } = payment;
  const reason = await mismatchOf(tx, { payment, arrivedRub });
  if (reason || orderId === null) {
    await keepUnmatched(tx, { payment, arrivedRub, reason: reason ?? "order_deleted" });
    return "unmatched";
  }
  await payments.move(tx, id, "paid", null);
  await recordPaid(tx, { id, orderId });
  return "done";
}
