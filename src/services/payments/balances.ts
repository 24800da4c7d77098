import type { EntityManager } from "typeorm";
import { type BalanceChange, balances, type NewBalanceEntry } from "../../db/dao/payments/balances.ts";
import { ConflictError, NotFoundError } from "../../errors.ts";
import { violatedUnique } from "../../platform/postgres/errors.ts";

/**
 * Changes one balance of a user and records it in the history; locks the user's row until the transaction ends, so lock
 * everything else before. Throws when there is no such user, when the change of this waybill (or of this payment for
 * this reason) is recorded already, and when the balance would become too large to count exactly.
 */
export async function changeBalance(tx: EntityManager, change: BalanceChange): Promise<NewBalanceEntry> {
  const entry = await balances.change(tx, change).catch((error: unknown) => {
    if (violatedUnique(error) === undefined) throw error;
    throw new ConflictError(`${sourceOf(change)} has changed the balance of user '${change.userId}' already`);
  });
  if (!entry) throw new NotFoundError(`User ${change.userId} not found`);
  if (!Number.isSafeInteger(entry.balanceAfter)) {
    const { userId, currency, delta } = change;
    throw new ConflictError(`A change by '${delta}' makes the ${currency} balance of user '${userId}' too large`);
  }
  return entry;
}

function sourceOf({ waybillId, paymentId, reason }: BalanceChange) {
  return paymentId ? `Payment '${paymentId}' (${reason})` : `Waybill '${waybillId}'`;
}
