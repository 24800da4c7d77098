import type { BalanceReason, Currency } from "../../../src/db/entities/payments/balance-entry.ts";
import type { Random } from "../random.ts";
import type { Person } from "./people.ts";
import { sumOf } from "./prices.ts";
import type { BalanceEntryRow, PaymentRow, UserRow } from "./rows.ts";
import { committedOf, directions, type WaybillWithLines } from "./waybills.ts";

/** One change of a balance that is still to be entered. */
export interface Change {
  userId: string;
  currency: Currency;
  reason: BalanceReason;
  at: string;
  waybillId?: string;
  paymentId?: string;
  /** By how much, once it is known what is there; nothing when there is no need. */
  delta: (balance: number) => number | undefined;
}

/**
 * What committed waybills change: receipts and returns credit the customer, sales debit what was not paid before.
 * A user who is their own customer has no entries.
 */
export function changesOfWaybills(waybills: readonly WaybillWithLines[], payments: readonly PaymentRow[]): Change[] {
  return committedOf(waybills)
    .filter(({ waybill }) => waybill.customerId !== waybill.authorId)
    .map(({ waybill, lines, committedAt }) => {
      const paid = payments.filter(
        ({ orderId, state, paidAt }) =>
          orderId === waybill.orderId && state === "paid" && paidAt !== null && paidAt < committedAt,
      );
      const due = sumOf(lines) - paid.reduce((sum, { amountRub }) => sum + amountRub, 0);
      return {
        userId: waybill.customerId,
        currency: "RUB",
        reason: "WAYBILL_PAYMENT",
        at: committedAt,
        waybillId: waybill.id,
        delta: () => (due === 0 ? undefined : directions[waybill.waybillType] * due),
      };
    });
}

/** What payments from the balance change: they take, and refunds give back. */
export function changesOfPayments(payments: readonly PaymentRow[]): Change[] {
  return payments.flatMap(({ id, method, amountRub, createdBy, paidAt, refundedAt }): Change[] => {
    if (method !== "BALANCE" || !createdBy || !paidAt) return [];
    const common = { userId: createdBy, currency: "RUB", paymentId: id } as const;
    const taken: Change = { ...common, reason: "ORDER_PAYMENT", at: paidAt, delta: () => -amountRub };
    if (!refundedAt) return [taken];
    return [taken, { ...common, reason: "ORDER_REFUND", at: refundedAt, delta: () => amountRub }];
  });
}

/** Enters changes in the order of their moments, each upon the balance that the one before has left. */
export function enterChanges(random: Random, changes: readonly Change[]): BalanceEntryRow[] {
  const balances = new Map<string, number>();
  return changes
    .toSorted((a, b) => (a.at < b.at ? -1 : 1))
    .flatMap(({ userId, currency, reason, at, waybillId = null, paymentId = null, delta }) => {
      const balance = balances.get(userId + currency) ?? 0;
      const by = delta(balance);
      if (by === undefined) return [];
      balances.set(userId + currency, balance + by);
      return {
        id: random.uuid(),
        userId,
        waybillId,
        paymentId,
        refundId: null,
        delta: by,
        balanceBefore: balance,
        balanceAfter: balance + by,
        currency,
        reason,
        createdAt: at,
        updatedAt: at,
      };
    });
}

/** The rows of users, with what their entries sum up to. */
export function withBalances(people: readonly Person[], entries: readonly BalanceEntryRow[]): UserRow[] {
  return people.map(({ retailUntil, activeUntil, ...person }) => {
    const own = entries.filter(({ userId }) => userId === person.id);
    const balance = (currency: Currency) => own.findLast((entry) => entry.currency === currency)?.balanceAfter ?? 0;
    const changes = [person.createdAt, own.at(-1)?.createdAt ?? "", retailUntil ?? "", activeUntil ?? ""];
    return {
      ...person,
      balanceRub: balance("RUB"),
      balanceUsd: balance("USD"),
      balanceEur: balance("EUR"),
      balanceTry: balance("TRY"),
      updatedAt: changes.sort().at(-1) ?? person.createdAt,
    };
  });
}
