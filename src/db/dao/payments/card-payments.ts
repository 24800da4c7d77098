import type { EntityManager } from "typeorm";
import type { Payment } from "../../entities/payments/payment.ts";

/** Providers that charge cards: what is decided here, a job does there. Of all others, payments are only recorded. */
export const chargingProviders: readonly string[] = ["yookassa"];

/** True for a payment at a provider that charges cards. */
export const isCharged = ({ method, provider }: Pick<Payment, "method" | "provider">) =>
  method === "CARD" && provider !== null && chargingProviders.includes(provider);

/** A payment as its provider knows it. */
export interface CardPaymentRow {
  id: string;
  provider: string;
  reference: string;
}

/**
 * Also payments that staff has given up: the customer may have paid meanwhile. Older than a month, none can be paid any
 * more.
 */
const unfinishedSql = `
  SELECT id, provider, provider_reference AS reference
  FROM payments
  WHERE method = 'CARD' AND provider = ANY($1) AND provider_reference IS NOT NULL
    AND created_at BETWEEN now() - interval '30 days' AND now() - interval '5 minutes'
    AND (state IN ('pending', 'authorized') OR (state = 'failed' AND updated_at > now() - interval '2 days'))
  ORDER BY created_at, id`;

/** Payments at a card provider. */
export const cardPayments = {
  /** True when a provider that charges has ever had a payment. */
  async isUsed(tx: EntityManager): Promise<boolean> {
    const rows: unknown[] = await tx.query("SELECT 1 FROM payments WHERE provider = ANY($1) LIMIT 1", [
      chargingProviders,
    ]);
    return rows.length > 0;
  },

  /** Payments of more than 5 minutes ago that the provider may know more about, the oldest first. */
  unfinished: (tx: EntityManager): Promise<CardPaymentRow[]> => tx.query(unfinishedSql, [chargingProviders]),
};
