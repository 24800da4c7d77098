import type { PaymentEvent } from "./payment-states.ts";

/** The data of a payment that a card provider needs. */
export interface CardPayment {
  id: string;
  orderId: string;
  amountRub: number;
}

/** The card provider: the customer pays on the provider's page, and no card number comes here. */
export interface CardProvider {
  /** Part of the address of its webhooks. */
  name: string;
  /** Prepares a payment and returns where the customer pays. An unpaid one costs nothing, so it may be repeated. */
  start(payment: CardPayment): Promise<{ reference: string; checkoutUrl: string }>;
  /**
   * The event of a webhook; undefined when it has no effect here. Throws `UnauthorizedError` unless its signature is
   * valid and at most 5 minutes old.
   */
  verify(bytes: Buffer, headers: Readonly<Record<string, string | string[] | undefined>>): PaymentEvent | undefined;
}
