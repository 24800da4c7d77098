import type { EntityManager } from "typeorm";
import { orders } from "../../db/dao/orders/orders.ts";
import type { Payment } from "../../db/entities/payments/payment.ts";
import type { Waybill } from "../../db/entities/stock/waybill.ts";
import { changeBalance } from "./balances.ts";

/**
 * How payments and waybills share the books. Goods go out with the commit of the order's WAYBILL_OUT, and with it the
 * customer's balance goes down by what the goods cost, less what is paid by then (`coveredRub`).
 *
 * - Before that commit CASH, INVOICE and CARD do not touch the balance: paid or refunded, they only change what is
 *   covered. BALANCE takes its amount from the balance at once, and a refund gives it back.
 * - After it the whole price is on the balance. CASH, INVOICE and CARD that become paid raise it, and a refund lowers
 *   it again, also of what was paid before. BALANCE is refused both ways: the commit has taken the money, and goods
 *   that come back with a WAYBILL_RETURN give it back.
 *
 * Whichever comes first, balance = payments taken - goods delivered. Where the commit leaves balances alone, because
 * the goods are booked on its author (guests, staff), payments do so too.
 */
export async function deliveryOf(tx: EntityManager, orderId: string): Promise<Waybill | null> {
  const waybill = await orders.lockWaybill(tx, orderId);
  return waybill && !waybill.isPending && waybill.waybillType === "WAYBILL_OUT" ? waybill : null;
}

/** After a delivery has charged the balance, raises it by a payment, or lowers it by a refund. */
export async function settleDelivered(tx: EntityManager, delivery: Waybill, payment: Payment, to: "paid" | "refunded") {
  if (delivery.customerId === delivery.authorId) return;
  await changeBalance(tx, {
    userId: delivery.customerId,
    currency: "RUB",
    delta: to === "paid" ? payment.amountRub : -payment.amountRub,
    reason: to === "paid" ? "ORDER_PAYMENT" : "ORDER_REFUND",
    paymentId: payment.id,
  });
}
