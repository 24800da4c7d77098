import type { PaymentEvent } from "./payment-states.ts";

/** What is to be paid, as a provider of card payments has to know it. */
export interface CardPayment {
  id: string;
  orderId: string;
  amountRub: number;
}

/** Whoever takes cards for us: the customer pays on the provider's page, and no card number comes here. */
export interface CardProvider {
  /** Part of the address of its webhooks. */
  name: string;
  /** Prepares a payment and says where the customer pays. One that is never paid costs nothing, so it may be repeated. */
  start(payment: CardPayment): Promise<{ reference: string; checkoutUrl: string }>;
  /**
   * What a webhook says; undefined when it is of no interest. Throws `UnauthorizedError` unless its signature is right
   * and at most 5 minutes old.
   */
  verify(bytes: Buffer, headers: Readonly<Record<string, string | string[] | undefined>>): PaymentEvent | undefined;
}
