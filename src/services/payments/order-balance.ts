import type { EntityManager } from "typeorm";
import type { BalanceChange } from "../../db/dao/payments/balances.ts";
import { type OrderBooks, readOrderBooks } from "../../db/dao/payments/order-books.ts";
import { NotFoundError } from "../../errors.ts";
import { changeBalance } from "./balances.ts";

/** The sum that the customer has paid for an order, from outside or from the balance, less refunds. */
export const paidRub = ({ takenRub, fromBalanceRub }: OrderBooks) => takenRub + fromBalanceRub;

/** The sum that is paid for goods which have not left yet; it stays with the order. */
export const heldRub = (books: OrderBooks) => Math.max(0, paidRub(books) - books.chargedRub);

/** The price of the goods that the customer keeps or waits for; of a canceled order only those that have left. */
const owedRub = ({ status, totalRub, deliveredRub }: OrderBooks) => (status === "CANCELED" ? deliveredRub : totalRub);

/** What is owed and not paid, below 0 when more is paid; nothing is owed for goods that came back. */
export const unpaidRub = (books: OrderBooks) => owedRub(books) - books.returnedRub - paidRub(books);

/** The sum that is still to be paid, whatever is promised. */
export const dueRub = (books: OrderBooks) => Math.max(0, unpaidRub(books));

/** Goods that came back and that no balance got: of a guest, and what staff had booked for itself. */
export const uncreditedRub = ({ returnedRub, creditedRub }: OrderBooks) => returnedRub - creditedRub;

/**
 * The sum that is due back to the customer: paid for what a canceled order never delivered, and for goods that came back
 * and that no balance got. `GET /payments?due_back=true` lists by the same rule.
 */
export function dueBackRub(books: OrderBooks): number {
  const keptRub = Math.max(0, owedRub(books) - uncreditedRub(books));
  return Math.max(0, paidRub(books) - books.refundingRub - keptRub);
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
