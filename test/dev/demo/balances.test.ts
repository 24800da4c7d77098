import { describe, expect, it } from "vitest";
import { closed } from "../../../dev/demo/business/calendar.ts";
import type { BalanceEntryRow } from "../../../dev/demo/business/rows.ts";
import { groups } from "../../support/groups.ts";
import { shops, sumOf } from "./shops.ts";

describe.each(shops)("the balances of the %s shop", (_size, _catalogue, business) => {
  const { users, waybills, waybillOffers, payments, balanceEntries, auditLog } = business;
  const committed = waybills.filter(({ isPending }) => !isPending);

  function dueFor({ id, orderId, committedAt }: (typeof waybills)[number]) {
    const paid = payments
      .filter((payment) => payment.orderId === orderId && payment.state === "paid")
      .filter(({ paidAt }) => paidAt && committedAt && paidAt < committedAt);
    const total = sumOf(waybillOffers.filter(({ waybillId }) => waybillId === id));
    return total - paid.reduce((sum, { amountRub }) => sum + amountRub, 0);
  }

  it("have one entry for every committed waybill of another user than its author that payments do not cover", () => {
    const entries = balanceEntries.filter(({ waybillId }) => waybillId);
    const others = committed.filter(({ customerId, authorId }) => customerId !== authorId);
    const due = others.filter((waybill) => dueFor(waybill) !== 0);
    expect(others.length).toBeLessThan(committed.length);
    expect(due.length).toBeLessThan(others.length);
    expect(entries.map(({ waybillId }) => waybillId).sort()).toEqual(due.map(({ id }) => id).sort());
    for (const waybill of due) {
      const { id, waybillType, customerId, committedAt } = waybill;
      const sign = waybillType === "WAYBILL_OUT" ? -1 : 1;
      const entry = entries.find(({ waybillId }) => waybillId === id);
      const common = { currency: "RUB", reason: "WAYBILL_PAYMENT", createdAt: committedAt };
      expect(entry).toMatchObject({ userId: customerId, ...common });
      expect(entry?.delta).toBe(sign * dueFor(waybill));
    }
    expect(new Set(entries.map(({ delta }) => Math.sign(delta)))).toEqual(new Set([-1, 1]));
  });

  it("have an entry for every payment from a balance, and one more when it was refunded", () => {
    const fromBalance = payments.filter(({ method, paidAt }) => method === "BALANCE" && paidAt);
    const entries = balanceEntries.filter(({ paymentId }) => paymentId);
    const told = ({ userId, paymentId, delta, reason, createdAt }: BalanceEntryRow) =>
      [userId, paymentId, delta, reason, createdAt].join(" ");
    const wanted = fromBalance.flatMap(({ id, createdBy, amountRub, paidAt, refundedAt }) => [
      [createdBy, id, -amountRub, "ORDER_PAYMENT", paidAt].join(" "),
      ...(refundedAt ? [[createdBy, id, amountRub, "ORDER_REFUND", refundedAt].join(" ")] : []),
    ]);
    expect(entries.map(told).sort()).toEqual(wanted.sort());
    expect(wanted.length).toBeGreaterThan(fromBalance.length);
    for (const { reason, balanceAfter } of entries) {
      if (reason === "ORDER_PAYMENT") expect(balanceAfter).toBeGreaterThanOrEqual(0);
    }
  });

  it("lead from nothing to the balance of every user without a gap", () => {
    const sums = new Map<string, number>();
    for (const own of groups(balanceEntries, ({ userId, currency }) => `${userId} ${currency}`)) {
      let [balance, last] = [0, ""];
      for (const { balanceBefore, balanceAfter, delta, createdAt } of own) {
        expect({ balanceBefore, balanceAfter }).toEqual({ balanceBefore: balance, balanceAfter: balance + delta });
        expect(createdAt > last && createdAt <= closed).toBe(true);
        [balance, last] = [balanceAfter, createdAt];
      }
      sums.set(`${own[0]?.userId} ${own[0]?.currency}`, balance);
    }
    for (const { id, balanceRub, balanceUsd, balanceEur, balanceTry } of users) {
      const wanted = ["RUB", "USD", "EUR", "TRY"].map((currency) => sums.get(`${id} ${currency}`) ?? 0);
      expect([balanceRub, balanceUsd, balanceEur, balanceTry]).toEqual(wanted);
    }
    expect(users.filter(({ balanceUsd }) => balanceUsd !== 0)).toHaveLength(1);
    const signs = new Set(users.map(({ balanceRub }) => Math.sign(balanceRub)));
    expect(signs).toEqual(new Set([0, 1, -1]));
  });

  it("have adjustments for every reason that staff may give, each in the audit log", () => {
    const adjustments = balanceEntries.filter(({ waybillId, paymentId }) => !waybillId && !paymentId);
    const reasons = new Set(adjustments.map(({ reason }) => reason));
    expect(reasons).toEqual(new Set(["ADMIN_ADJUSTMENT", "PROMOTION_CREDIT", "OTHER"]));
    const calls = auditLog.filter(({ endpoint }) => endpoint.includes("/balance/adjust/"));
    expect(calls.map(({ createdAt }) => createdAt)).toEqual(adjustments.map(({ createdAt }) => createdAt));
  });
});
