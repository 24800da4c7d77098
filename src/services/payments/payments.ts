import type { EntityManager } from "typeorm";
import { users } from "../../db/dao/accounts/users.ts";
import { orderOffers } from "../../db/dao/orders/order-offers.ts";
import { orders } from "../../db/dao/orders/orders.ts";
import { payments } from "../../db/dao/payments/payments.ts";
import type { Order } from "../../db/entities/orders/order.ts";
import type { Payment, PaymentMethod } from "../../db/entities/payments/payment.ts";
import { ConflictError, NotFoundError } from "../../errors.ts";
import { recordEvent } from "../webhooks/events.ts";
import { changeBalance } from "./balances.ts";
import { deliveryOf } from "./order-balance.ts";

/** Maximum of the column of an amount, and more than any customer pays at once. */
export const maxRub = 1_000_000_000;

export interface NewPayment {
  id: string;
  orderId: string;
  method: PaymentMethod;
  /** Undefined: the whole open sum of the order. */
  amountRub: number | undefined;
  createdBy: string;
  /** Where the customer pays; for cards only. */
  checkout: { provider: string; reference: string; checkoutUrl: string } | undefined;
}

/** The sum paid for an order, whole roubles: the commit of its waybill charges that much less. Changes nothing. */
export function coveredRub(tx: EntityManager, orderId: string): Promise<number> {
  return payments.paidRub(tx, orderId);
}

/** The open sum of an order, without pending payments; may change unless the caller has locked the order. */
export async function openRub(tx: EntityManager, orderId: string): Promise<number> {
  return (await orderOffers.totalRub(tx, orderId)) - (await payments.activeRub(tx, orderId));
}

/**
 * Inserts a payment of an order; one from the customer's balance is paid at once (see `deliveryOf` for the balance).
 * Throws when the order is unknown or canceled, when the amount exceeds the open sum, and when the balance is too low.
 */
export async function createPayment(tx: EntityManager, request: NewPayment) {
  const { orderId, method } = request;
  const order = await orders.lock(tx, orderId);
  if (!order) throw new NotFoundError("Order not found");
  if (order.status === "CANCELED")
    throw new ConflictError(`Order '${orderId}' is canceled; nothing is to be paid for it`);
  const amountRub = checkAmount(request, await openRub(tx, orderId));
  const { id, checkout, createdBy } = request;
  if (method === "CARD" && !checkout) {
    throw new ConflictError(`Other payments of order '${orderId}' were changed at the same moment; try again`);
  }
  const row = {
    ...{ id, orderId, method, amountRub, createdBy, state: "pending" as const },
    provider: checkout?.provider ?? null,
    providerReference: checkout?.reference ?? null,
    checkoutUrl: checkout?.checkoutUrl ?? null,
  };
  if (method !== "BALANCE") return payments.insert(tx, row);

  const userId = await lockPayer(tx, order, amountRub);
  await payments.insert(tx, { ...row, state: "paid" });
  await changeBalance(tx, { userId, currency: "RUB", delta: -amountRub, reason: "ORDER_PAYMENT", paymentId: id });
  await recordPaid(tx, { id, orderId });
}

/** Records the events of a paid payment and of a fully paid order; call it while the order is locked. */
export async function recordPaid(tx: EntityManager, { id, orderId }: Pick<Payment, "id" | "orderId">): Promise<void> {
  await recordEvent(tx, "payment.paid", { id, order_id: orderId });
  const total = await orderOffers.totalRub(tx, orderId);
  if ((await coveredRub(tx, orderId)) >= total) await recordEvent(tx, "order.paid", { id: orderId });
}

/** A payment by id. */
export async function getPayment(tx: EntityManager, id: string): Promise<Payment> {
  return (await payments.findById(tx, id)) ?? Promise.reject(new NotFoundError("Payment not found"));
}

function checkAmount({ orderId, amountRub }: NewPayment, open: number) {
  if (open <= 0) throw new ConflictError(`Nothing is left to be paid for order '${orderId}'`);
  const amount = amountRub ?? open;
  if (amount > open) {
    throw new ConflictError(
      `'${amount}' roubles are more than the '${open}' that are left to be paid for order '${orderId}'`,
    );
  }
  if (amount > maxRub) {
    throw new ConflictError(`'${amount}' roubles are too much for one payment; name an amount_rub up to ${maxRub}`);
  }
  return amount;
}

/** Locks the account that pays, before anything refers to it. */
async function lockPayer(tx: EntityManager, { id, userId }: Order, amountRub: number) {
  if (userId === null) {
    throw new ConflictError(
      `Order '${id}' belongs to no account, so there is no balance to pay from; choose another method`,
    );
  }
  if (await deliveryOf(tx, id)) {
    throw new ConflictError(`The goods of order '${id}' have left, and the balance has been charged for them already`);
  }
  const balance = (await users.lock(tx, userId))?.balanceRub ?? 0;
  if (balance >= amountRub) return userId;
  throw new ConflictError(`The balance of '${balance}' roubles is less than the '${amountRub}' to be paid`);
}
