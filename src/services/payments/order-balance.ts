import type { EntityManager } from "typeorm";
import type { BalanceChange } from "../../db/dao/payments/balances.ts";
import { type OrderBooks, readOrderBooks } from "../../db/dao/payments/order-books.ts";
import { NotFoundError } from "../../errors.ts";
import { changeBalance } from "./balances.ts";

/** The sum that the customer has paid for an order, from outside or from the balance, less refunds. */
export const paidRub = ({ takenRub, fromBalanceRub }: OrderBooks) => takenRub + fromBalanceRub;

/** The sum that is paid for goods which have not left yet; it stays with the order. */
export const heldRub = (books: OrderBooks) => Math.max(0, paidRub(books) - books.chargedRub);

/** The sum that is still to be paid, whatever is promised; nothing is to be paid for goods that came back. */
export const dueRub = (books: OrderBooks) =>
  books.status === "CANCELED" ? 0 : Math.max(0, books.totalRub - books.returnedRub - paidRub(books));

/** Goods that came back and that no balance got: of a guest, and what staff had booked for itself. */
export const uncreditedRub = ({ returnedRub, creditedRub }: OrderBooks) => returnedRub - creditedRub;

/**
 * The sum that is due back to the customer: paid for what a canceled order never delivered, and for goods that came back
 * and that no balance got. `GET /payments?due_back=true` lists by the same rule.
 */
export function dueBackRub(books: OrderBooks): number {
  const { status, totalRub, deliveredRub, refundingRub } = books;
  const owedRub = (status === "CANCELED" ? deliveredRub : totalRub) - uncreditedRub(books);
  return Math.max(0, paidRub(books) - refundingRub - Math.max(0, owedRub));
}

/**
 * What an order has to change in its customer's balance: money from outside, less the goods that have left, less what
 * is held for goods that have not. So a payment before the delivery leaves the balance alone, one from the balance
 * takes it at once, and after the delivery each payment raises it and each refund lowers it.
 */
export const balanceOf = (books: OrderBooks) => books.takenRub - books.chargedRub - heldRub(books);

/** The sums of an order; throws when there is none. They change unless the caller has locked the order. */
export async function getOrderBooks(tx: EntityManager, orderId: string): Promise<OrderBooks> {
  return (await readOrderBooks(tx, orderId)) ?? Promise.reject(new NotFoundError("Order not found"));
}

/**
 * Brings the balance of an order's customer to what the order's rows say now, and records the difference with what has
 * caused it. Call it after each change of payments, refunds and committed waybills, while the order is locked. An order
 * of a guest has no balance.
 */
export async function settleOrder(
  tx: EntityManager,
  orderId: string,
  cause: Pick<BalanceChange, "reason" | "waybillId" | "paymentId" | "refundId">,
): Promise<void> {
  const books = await getOrderBooks(tx, orderId);
  const delta = balanceOf(books) - books.bookedRub;
  if (books.userId === null || delta === 0) return;
  await changeBalance(tx, { ...cause, userId: books.userId, currency: "RUB", delta });
}
