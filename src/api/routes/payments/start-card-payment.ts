import type { EntityManager } from "typeorm";
import { ConflictError } from "../../../errors.ts";
import type { CardPayment } from "../../../platform/payments/card-provider.ts";
import { cardReceipt } from "../../../services/payments/card-receipt.ts";
import { maxRub, openRub } from "../../../services/payments/payments.ts";
import type { ApiContext } from "../../http/types.ts";

/** A payment that the provider has prepared, and its amount. */
export interface StartedPayment {
  amountRub: number;
  provider: string;
  reference: string;
  checkoutUrl: string;
}

/**
 * Prepares a payment at the card provider before it is stored, because nothing slow belongs in a transaction; a payment
 * that is never stored is never paid. Undefined when no sum is open, which the transaction has to report: a repeated
 * request gets its first answer there. Throws when there is no provider, when it refuses, and when its answer is unknown.
 */
export async function startCardPayment(
  { cards }: ApiContext,
  reader: EntityManager,
  { id, orderId, amountRub }: Omit<CardPayment, "amountRub"> & { amountRub: number | undefined },
): Promise<StartedPayment | undefined> {
  if (!cards) throw new ConflictError("Payment by 'CARD' is not set up here; choose another method");
  const amount = amountRub ?? (await openRub(reader, orderId));
  if (amount <= 0 || amount > maxRub) return undefined;
  const receipt = cards.makesReceipts ? await cardReceipt(reader, { orderId, amountRub: amount }) : undefined;
  const { reference, checkoutUrl } = await cards.start({ id, orderId, amountRub: amount, receipt });
  return { amountRub: amount, provider: cards.name, reference, checkoutUrl };
}
