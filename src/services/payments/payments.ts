import type { EntityManager } from "typeorm";
import { users } from "../../db/dao/accounts/users.ts";
import { orders } from "../../db/dao/orders/orders.ts";
import type { OrderBooks } from "../../db/dao/payments/order-books.ts";
import { payments } from "../../db/dao/payments/payments.ts";
import type { Payment, PaymentMethod } from "../../db/entities/payments/payment.ts";
import { ConflictError, NotFoundError } from "../../errors.ts";
import { recordEvent } from "../webhooks/events.ts";
import { dueRub, getOrderBooks, heldRub, settleOrder, unpaidRub } from "./order-balance.ts";

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

/** The open sum of an order, without what is promised; may change unless the caller has locked the order. */
export async function openRub(tx: EntityManager, orderId: string): Promise<number> {
  return openOf(await getOrderBooks(tx, orderId));
}

/** The sum that no payment covers or promises; below 0 when more is paid than is owed. */
export const openOf = (books: OrderBooks) => unpaidRub(books) - books.promisedRub;

/**
 * Inserts a payment of an order; one from the customer's balance is paid at once. Throws when the order is unknown, or
 * canceled and nothing of it is owed, when the amount exceeds the open sum, and when the balance is too low.
 */
export async function createPayment(tx: EntityManager, request: NewPayment) {
  const { orderId, method } = request;
  const order = await orders.lock(tx, orderId);
  if (!order) throw new NotFoundError("Order not found");
  const books = await getOrderBooks(tx, orderId);
  if (order.status === "CANCELED" && dueRub(books) === 0)
    throw new ConflictError(`Order '${orderId}' is canceled; nothing is to be paid for it`);
  const amountRub = checkAmount(request, books);
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

  await lockPayer(tx, orderId, books, amountRub);
  await payments.insert(tx, { ...row, state: "paid" });
  await recordPaid(tx, { id, orderId });
}

/**
 * Books a payment that has just become paid and records the events of it and of an order that is now fully paid; call
 * it while the order is locked.
 */
export async function recordPaid(tx: EntityManager, { id, orderId }: { id: string; orderId: string }): Promise<void> {
  await settleOrder(tx, orderId, { reason: "ORDER_PAYMENT", paymentId: id });
  await recordEvent(tx, "payment.paid", { id, order_id: orderId });
  const books = await getOrderBooks(tx, orderId);
  if (dueRub(books) === 0 && books.status !== "CANCELED") await recordEvent(tx, "order.paid", { id: orderId });
}

/** A payment by id. */
export async function getPayment(tx: EntityManager, id: string): Promise<Payment> {
  return (await payments.findById(tx, id)) ?? Promise.reject(new NotFoundError("Payment not found"));
}

function checkAmount({ orderId, amountRub }: NewPayment, books: OrderBooks) {
  const open = openOf(books);
  const { promisedRub } = books;
  const promised =
    promisedRub > 0
      ? `; '${promisedRub}' are promised by payments that are pending or authorized: wait for them, or have staff fail them`
      : "";
  if (open <= 0) throw new ConflictError(`Nothing is left to be paid for order '${orderId}'${promised}`);
  const amount = amountRub ?? open;
  if (amount > open) {
    throw new ConflictError(
      `'${amount}' roubles are more than the '${open}' that are left to be paid for order '${orderId}'${promised}`,
    );
  }
  if (amount > maxRub) {
    throw new ConflictError(`'${amount}' roubles are too much for one payment; name an amount_rub up to ${maxRub}`);
  }
  return amount;
}

/** Locks the account that pays, before anything refers to it. */
async function lockPayer(tx: EntityManager, orderId: string, books: OrderBooks, amountRub: number) {
  const { userId, deliveredRub, chargedRub } = books;
  if (userId === null) {
    throw new ConflictError(
      `Order '${orderId}' belongs to no account, so there is no balance to pay from; choose another method`,
    );
  }
  const takenRub = heldRub({ ...books, fromBalanceRub: books.fromBalanceRub + amountRub }) - heldRub(books);
  if (deliveredRub > chargedRub) {
    throw new ConflictError(
      `Staff has booked the goods of order '${orderId}' for itself, so nothing is paid for them from a balance; choose another method`,
    );
  }
  if (takenRub === 0) {
    throw new ConflictError(
      `The goods of order '${orderId}' have left, and the balance has been charged for them already`,
    );
  }
  const balance = (await users.lock(tx, userId))?.balanceRub ?? 0;
  if (balance >= takenRub) return;
  throw new ConflictError(`The balance of '${balance}' roubles is less than the '${takenRub}' to be paid`);
}
