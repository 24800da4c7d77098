import type { PaymentEvent } from "../../../services/payments/payment-states.ts";
import type { WebhookHeaders } from "../../http/webhook-signature.ts";

/** What is to be paid, as a provider of card payments has to know it. */
export interface CardPayment {
  id: string;
  orderId: string;
  amountRub: number;
}

/** Whoever takes cards for us: the customer pays on the provider's page, and no card number comes here. */
export interface PaymentProvider {
  /** Part of the address of its webhooks. */
  name: string;
  /** Prepares a payment and says where the customer pays. One that is never paid costs nothing, so it may be repeated. */
  start(payment: CardPayment): Promise<{ reference: string; checkoutUrl: string }>;
  /**
   * What a webhook says; undefined when it is of no interest. Throws `UnauthorizedError` unless its signature is right
   * and at most 5 minutes old.
   */
  verify(bytes: Buffer, headers: WebhookHeaders): PaymentEvent | undefined;
}
