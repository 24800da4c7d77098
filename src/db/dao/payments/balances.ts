import type { EntityManager } from "typeorm";
import { BalanceEntry, type BalanceReason, type Currency } from "../../entities/payments/balance-entry.ts";

/** One change of one balance, and its reason. */
export interface BalanceChange {
  userId: string;
  currency: Currency;
  /** Whole units; negative reduces the balance. */
  delta: number;
  reason: BalanceReason;
  waybillId?: string | null | undefined;
  paymentId?: string | null | undefined;
  refundId?: string | null | undefined;
}

/** A row of the history without the people on it. */
export type NewBalanceEntry = Omit<BalanceEntry, "waybill">;

const columns: Record<Currency, string> = {
  RUB: "balance_rub",
  USD: "balance_usd",
  EUR: "balance_eur",
  TRY: "balance_try",
};

/**
 * The UPDATE waits for a lock on the row and then reads it again, so before and after are consistent. The time is read
 * after that, and is not that of the transaction: the history has to show changes in the order in which they were made.
 */
const changeSql = (column: string) => `
  WITH changed AS (
    UPDATE users SET ${column} = ${column} + $2::bigint WHERE id = $1 RETURNING ${column} AS balance
  ), timed AS (
    SELECT balance, clock_timestamp() AS at FROM changed
  )
  INSERT INTO user_balance_history (user_id, delta, balance_before, balance_after, currency, reason, waybill_id,
                                    payment_id, refund_id, created_at, updated_at)
  SELECT $1, $2, balance - $2, balance, $3, $4, $5, $6, $7, at, at FROM timed
  RETURNING id, balance_after AS "balanceAfter", created_at AS "createdAt"`;

/** Changes of balances as rows. */
export const balances = {
  /** Changes one balance together with its history, in one statement; null when there is no such user. */
  async change(tx: EntityManager, change: BalanceChange): Promise<NewBalanceEntry | null> {
    const { userId, currency, delta, reason, waybillId = null, paymentId = null, refundId = null } = change;
    const values = [userId, delta, currency, reason, waybillId, paymentId, refundId];
    const [row]: { id: string; balanceAfter: string; createdAt: Date }[] = await tx.query(
      changeSql(columns[currency]),
      values,
    );
    if (!row) return null;
    const { id, createdAt } = row;
    const balanceAfter = Number(row.balanceAfter);
    return {
      id,
      userId,
      waybillId,
      paymentId,
      refundId,
      delta,
      balanceBefore: balanceAfter - delta,
      balanceAfter,
      currency,
      reason,
      createdAt,
      updatedAt: createdAt,
    };
  },

  /** One page of a user's changes, newest first, with their waybills and people; two statements. */
  history: (tx: EntityManager, userId: string, page: { limit: number; offset: number }) =>
    tx
      .createQueryBuilder(BalanceEntry, "entry")
      .leftJoinAndSelect("entry.waybill", "waybill")
      .leftJoinAndSelect("waybill.author", "author")
      .leftJoinAndSelect("waybill.customer", "customer")
      .where("entry.user_id = :userId", { userId })
      .orderBy("entry.created_at", "DESC")
      .addOrderBy("entry.id", "DESC")
      .limit(page.limit)
      .offset(page.offset)
      .getManyAndCount(),
};
