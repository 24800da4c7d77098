import type { EntityManager } from "typeorm";
import { balances, type NewBalanceEntry } from "../db/dao/balances.ts";
import { users } from "../db/dao/users.ts";
import type { BalanceReason, Currency } from "../db/entities/balance-entry.ts";
import { NotFoundError } from "../errors.ts";

export interface BalanceChange {
  userId: string;
  currency: Currency;
  /** Whole units; negative takes away. */
  delta: number;
  reason: BalanceReason;
  waybillId?: string | undefined;
  paymentId?: string | undefined;
}

/**
 * Changes one balance of a user together with its history, and holds the user until the transaction ends; there is no
 * limit to an overdraft. Throws when there is no such user. Each call is one more change.
 */
export async function changeBalance(tx: EntityManager, change: BalanceChange): Promise<NewBalanceEntry> {
  const { userId, currency, delta, reason, waybillId = null, paymentId = null } = change;
  const user = await users.lock(tx, userId);
  if (!user) throw new NotFoundError(`User ${userId} not found`);
  const balanceBefore = balances.of(user, currency);
  const balanceAfter = balanceBefore + delta;
  await balances.write(tx, userId, currency, balanceAfter);
  const entry = { userId, waybillId, paymentId, delta, balanceBefore, balanceAfter, currency, reason };
  await balances.insert(tx, entry);
  return entry;
}
