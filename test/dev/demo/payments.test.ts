import { describe, expect, it } from "vitest";
import { paymentMethods, paymentStates } from "../../../src/db/entities/payments/payment.ts";
import { groups } from "../../support/groups.ts";
import { byId, find, shops, sumOf } from "./shops.ts";

describe.each(shops)("the payments of the %s shop", (_size, _catalogue, business) => {
  const { orders, orderOffers, payments } = business;

  it("has payments of every method and state that it makes sense to have", () => {
    expect(new Set(payments.map(({ method }) => method))).toEqual(new Set(paymentMethods));
    // Staff has yet to assign the money that matched nothing.
    const wanted = paymentStates.filter((state) => state !== "credited");
    expect(new Set(payments.map(({ state }) => state))).toEqual(new Set(wanted));
    for (const payment of payments) {
      const { method, state, provider, providerReference, checkoutUrl, paidAt, refundedAt, failure } = payment;
      const isCard = method === "CARD";
      expect([provider, providerReference, checkoutUrl].map((value) => value !== null)).toEqual([
        isCard,
        isCard,
        isCard,
      ]);
      expect(paidAt !== null).toBe(["paid", "refunded", "unmatched"].includes(state));
      expect(refundedAt !== null).toBe(state === "refunded");
      expect(failure !== null).toBe(state === "failed");
    }
    const references = payments.flatMap(({ providerReference }) => providerReference ?? []);
    expect(new Set(references).size).toBe(references.length);
  });

  it("has payments that fit their orders", () => {
    for (const { orderId, createdAt, method, createdBy, state } of payments) {
      const order = find(byId(orders), orderId ?? "");
      expect(createdAt > order.createdAt).toBe(true);
      if (method === "BALANCE") expect(createdBy).toBe(order.userId);
      expect(["refunded", "failed", "unmatched"].includes(state) || order.status !== "CANCELED").toBe(true);
      expect(state !== "refunded" || order.status === "CANCELED").toBe(true);
    }
  });

  it("has no customer pay more than an order costs", () => {
    for (const own of groups(payments, ({ orderId }) => orderId ?? "")) {
      const lines = orderOffers.filter(({ orderId }) => orderId === own[0]?.orderId);
      const sum = own
        .filter(({ state }) => state !== "failed" && state !== "unmatched")
        .reduce((all, { amountRub }) => all + amountRub, 0);
      expect(sum).toBeLessThanOrEqual(sumOf(lines));
    }
  });

  it("has paid for what guests were sent", () => {
    const paid = new Set(payments.filter(({ state }) => state === "paid").map(({ orderId }) => orderId));
    const sent = orders.filter(({ userId, status }) => !userId && ["SHIPPING", "COMPLETED"].includes(status));
    expect(sent.length).toBeGreaterThan(3);
    for (const { id } of sent) expect(paid.has(id)).toBe(true);
  });
});
