import { randomUUID } from "node:crypto";
import type { DataSource } from "typeorm";
import { Order } from "../../src/db/entities/orders/order.ts";
import { OrderOffer } from "../../src/db/entities/orders/order-offer.ts";
import { Payment } from "../../src/db/entities/payments/payment.ts";
import { Refund } from "../../src/db/entities/payments/refund.ts";

type OrderLine = Pick<OrderOffer, "offerId"> & Partial<Omit<OrderOffer, "order" | "offer">>;
type OrderValues = Partial<Omit<Order, "user" | "storedAddress">> & { lines?: OrderLine[] };

/** An order with its lines in the database, with whatever the test cares about. */
export async function addOrder(db: DataSource, { lines = [], ...values }: OrderValues = {}) {
  const id = values.id ?? randomUUID();
  await db.manager.insert(Order, {
    shippingMethod: "SELF_PICKUP",
    firstName: "Иван",
    lastName: "Петров",
    email: "buyer@test.example",
    phone: "+79780000000",
    ...values,
    id,
  });
  const rows = lines.map((line, position) => ({
    brand: "ACME",
    manufacturerNumber: "AC-100",
    quantity: 1,
    priceRub: 1_000,
    ...line,
    orderId: id,
    position,
  }));
  if (rows.length > 0) await db.manager.insert(OrderOffer, rows);
  return db.manager.findOneByOrFail(Order, { id });
}

/** A payment for an order; in a transaction when its manager is given. */
export async function addPayment(
  { manager }: Pick<DataSource, "manager">,
  values: Pick<Payment, "orderId" | "amountRub"> & Partial<Omit<Payment, "order">>,
) {
  const { state = "paid", amountRub } = values;
  const paidAt = ["paid", "refunded", "unmatched"].includes(state) ? new Date() : null;
  const refundedRub = state === "refunded" ? amountRub : 0;
  const payment = { id: randomUUID(), method: "CASH" as const, state, paidAt, refundedRub, ...values };
  await manager.insert(Payment, payment);
  if (payment.refundedRub === 0) return payment;
  const refund = { id: randomUUID(), paymentId: payment.id, amountRub: payment.refundedRub, finishedAt: new Date() };
  await manager.insert(Refund, { ...refund, state: "succeeded" });
  return payment;
}
