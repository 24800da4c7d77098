import type { EntityManager } from "typeorm";
import { orders } from "../../db/dao/orders/orders.ts";
import { payments } from "../../db/dao/payments/payments.ts";
import { receivedEvents } from "../../db/dao/webhooks/received-events.ts";
import type { Payment, PaymentMethod, PaymentState } from "../../db/entities/payments/payment.ts";
import { ConflictError, NotFoundError } from "../../errors.ts";
import { changeBalance } from "./balances.ts";
import { deliveryOf, settleDelivered } from "./order-balance.ts";
import { getPayment, recordPaid } from "./payments.ts";

/** The transitions of a payment's state; never back. */
const next: Record<PaymentState, readonly PaymentState[]> = {
  pending: ["authorized", "paid", "failed"],
  authorized: ["paid", "failed"],
  paid: ["refunded"],
  failed: [],
  refunded: [],
};

export interface StaffMove {
  id: string;
  from: readonly PaymentState[];
  to: PaymentState;
  /** Methods for which staff may do this by hand; all when undefined. */
  methods?: readonly PaymentMethod[];
  failure?: string;
}

/** Gives a payment a new state by staff; throws when its present state or its method does not allow that. */
export async function movePayment(tx: EntityManager, { id, from, to, methods, failure }: StaffMove) {
  const payment = await hold(tx, await getPayment(tx, id));
  if (!from.includes(payment.state)) {
    const expected = from.map((state) => `'${state}'`).join(" or ");
    throw new ConflictError(
      `Payment '${id}' is '${payment.state}'; only one that is ${expected} becomes '${to}' this way`,
    );
  }
  if (methods && !methods.includes(payment.method)) {
    throw new ConflictError(
      `A payment by '${payment.method}' becomes '${to}' when its provider says so, and not by hand`,
    );
  }
  await move(tx, payment, to, failure ?? null);
}

/** What the card provider reports about a payment. */
export interface PaymentEvent {
  /** The same in each repetition of the event. */
  id: string;
  reference: string;
  state: "authorized" | "paid" | "failed";
  amountRub: number;
  failure: string | null;
}

/**
 * Applies an event of a provider, once: `repeated` when it came before, `ignored` when the payment is past that state,
 * because events may overtake each other. Throws when there is no such payment (yet) or its amount differs.
 */
export async function receivePaymentEvent(
  tx: EntityManager,
  { provider, event }: { provider: string; event: PaymentEvent },
): Promise<{ outcome: "done" | "repeated" | "ignored"; payment: Payment | null }> {
  const isNew = await receivedEvents.record(tx, { source: `payments:${provider}`, eventId: event.id });
  if (!isNew) return { outcome: "repeated", payment: null };
  const found = await payments.findByReference(tx, provider, event.reference);
  if (!found) throw new NotFoundError("Payment not found");
  const payment = await hold(tx, found);
  if (event.amountRub !== payment.amountRub) {
    throw new ConflictError(
      `'${event.amountRub}' roubles are not the '${payment.amountRub}' of payment '${payment.id}'`,
    );
  }
  if (!next[payment.state].includes(event.state)) return { outcome: "ignored", payment };
  await move(tx, payment, event.state, event.failure);
  return { outcome: "done", payment };
}

/** The payment, read after its order is locked; every change of a payment's state locks it. */
async function hold(tx: EntityManager, { id, orderId }: Payment) {
  await orders.lock(tx, orderId);
  return getPayment(tx, id);
}

async function move(tx: EntityManager, payment: Payment, to: PaymentState, failure: string | null) {
  if (to === "paid") await settlePaid(tx, payment);
  if (to === "refunded") await settleRefunded(tx, payment);
  await payments.move(tx, payment.id, to, failure);
  if (to === "paid") await recordPaid(tx, payment);
}

async function settlePaid(tx: EntityManager, payment: Payment) {
  const delivery = await deliveryOf(tx, payment.orderId);
  if (delivery) await settleDelivered(tx, delivery, payment, "paid");
}

async function settleRefunded(tx: EntityManager, payment: Payment) {
  const { id: paymentId, orderId, method, amountRub: delta } = payment;
  const delivery = await deliveryOf(tx, orderId);
  if (method !== "BALANCE") return delivery ? settleDelivered(tx, delivery, payment, "refunded") : undefined;
  if (delivery) {
    throw new ConflictError(
      `The goods of order '${orderId}' have left; take them back with a WAYBILL_RETURN, which raises the balance`,
    );
  }
  const userId = (await orders.findById(tx, orderId))?.userId;
  if (!userId) throw new Error(`Order '${orderId}' was paid from a balance and has no user`);
  await changeBalance(tx, { userId, currency: "RUB", delta, reason: "ORDER_REFUND", paymentId });
}
