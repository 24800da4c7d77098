import { ConflictError } from "../../errors.ts";

/** The data of a payment that a card provider needs. */
export interface CardPayment {
  /** The same in each repetition: the provider prepares one payment for one id. */
  id: string;
  orderId: string;
  amountRub: number;
  /** What the receipt says, where the provider makes receipts. */
  receipt?: Receipt | undefined;
}

/** Whom a receipt goes to, and its lines; their sum is the amount of the payment or refund. */
export interface Receipt {
  email: string;
  lines: readonly ReceiptLine[];
}

export interface ReceiptLine {
  name: string;
  quantity: number;
  /** Price of one, whole roubles. */
  priceRub: number;
  /** `part`: money for a part of an order, which says nothing of its goods. */
  kind: "goods" | "part";
}

/** What the provider reports about a payment. */
export interface CardPaymentEvent {
  kind: "payment";
  /** The same in each repetition of the event. */
  id: string;
  /** The provider's id of the payment. */
  reference: string;
  state: "authorized" | "paid" | "failed";
  amountRub: number;
  failure: string | null;
}

/** What the provider reports about a refund, also about one that was made in the provider's own cabinet. */
export interface CardRefundEvent {
  kind: "refund";
  /** The same in each repetition of the event. */
  id: string;
  /** The provider's id of the payment. */
  reference: string;
  /** The provider's id of the refund. */
  refundReference: string;
  /** The key that `refund` was called with; null: the refund was not made by this program. */
  key: string | null;
  amountRub: number;
}

/**
 * An event of a card provider: about a payment or about a refund. Each is applied once, by its `id`; events may overtake
 * each other, and one about a payment that is not known here yet may come again later.
 */
export type CardEvent = CardPaymentEvent | CardRefundEvent;

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** What requests need of a card provider: the customer pays on its page, and no card number comes here. */
export interface CardCheckout {
  /** Part of the address of its notifications. */
  name: string;
  /** True: `start` needs a receipt, and so does a `refund` of a part. */
  makesReceipts: boolean;
  /**
   * Prepares a payment and returns where the customer pays. May be repeated: with the same id it is the same payment,
   * and an unpaid one costs nothing. Answers within 10 s; throws `CardRefusalError` when the provider refuses, and
   * `UnavailableError` when the result is unknown.
   */
  start(payment: CardPayment): Promise<{ reference: string; checkoutUrl: string }>;
  /** Throws `UnauthorizedError` when the headers alone show that the notification is not the provider's. */
  checkHeaders(headers: Headers): void;
  /**
   * The event of a notification; undefined when it has no effect here. Throws `UnauthorizedError` unless the provider
   * said so: by its signature, or when it was asked again. Throws `UnavailableError` when it could not be asked, and
   * `ConflictError` when the amount has kopecks or another currency.
   */
  verify(bytes: Buffer, headers: Headers): Promise<CardEvent | undefined>;
}

/** Of a payment at the provider; `key` is the same in each repetition, and another one for each new request. */
export interface CardRequest {
  reference: string;
  key: string;
  signal: AbortSignal;
}

/** A refund at the provider; one that is `pending` is asked for again with the same key. */
export interface CardRefund {
  refundReference: string;
  state: "succeeded" | "pending";
}

/**
 * What jobs need of a card provider. Each act may be repeated with the same key, also days later, and takes effect once.
 * Throws `CardRefusalError` when the provider refuses for good, `NotFoundError` when it has no such payment, and
 * `UnavailableError` when the result is unknown.
 */
export interface CardSettlement {
  name: string;
  makesReceipts: boolean;
  /** What is known of a payment; undefined while the customer has yet to decide. */
  read(request: Pick<CardRequest, "reference" | "signal">): Promise<CardPaymentEvent | undefined>;
  /** The refunds that were paid out since then, also those of its own cabinet. */
  recentRefunds(request: { since: Date; signal: AbortSignal }): Promise<CardRefundEvent[]>;
  /** Takes the whole amount of an authorized payment; what became of it may also be what others did before. */
  capture(request: CardRequest & { amountRub: number }): Promise<CardPaymentEvent>;
  /** Gives up an authorized payment, so that nothing is taken; the event is `paid` when it was taken before. */
  cancel(request: CardRequest): Promise<CardPaymentEvent>;
  /** Gives back an amount of a paid payment, whole roubles; the key is a UUID. */
  refund(
    request: CardRequest & { amountRub: number; description: string; receipt?: Receipt | undefined },
  ): Promise<CardRefund>;
}

export type CardProvider = CardCheckout & CardSettlement;

/** The provider refused, and would refuse again; `reason` is its own code. */
export class CardRefusalError extends ConflictError {
  readonly reason: string;
  constructor(message: string, reason: string) {
    super(message);
    this.reason = reason;
  }
}
