import type { EntityManager } from "typeorm";
import type { QueryDeepPartialEntity } from "typeorm/query-builder/QueryPartialEntity.js";
import { BalanceEntry, type Currency } from "../entities/balance-entry.ts";
import { User } from "../entities/user.ts";

const columns = { RUB: "balanceRub", USD: "balanceUsd", EUR: "balanceEur", TRY: "balanceTry" } as const;

export type NewBalanceEntry = Pick<
  BalanceEntry,
  "userId" | "waybillId" | "paymentId" | "delta" | "balanceBefore" | "balanceAfter" | "currency" | "reason"
>;

export const balances = {
  /** Writes a balance of a user whose row the caller holds. */
  async write(tx: EntityManager, userId: string, currency: Currency, balance: number) {
    await tx.update(User, { id: userId }, { [columns[currency]]: balance });
  },

  of: (user: User, currency: Currency) => user[columns[currency]],

  async insert(tx: EntityManager, entry: NewBalanceEntry) {
    await tx.insert(BalanceEntry, tx.create(BalanceEntry, entry) as QueryDeepPartialEntity<BalanceEntry>);
  },
};
