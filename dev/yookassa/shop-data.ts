/** An amount as the protocol writes it: `{"value": "1000.00", "currency": "RUB"}`. */
export interface Amount {
  value: string;
  currency: string;
}

/** A payment as the emulator keeps and shows it. */
export interface EmulatedPayment {
  id: string;
  status: "pending" | "waiting_for_capture" | "succeeded" | "canceled";
  paid: boolean;
  amount: Amount;
  description?: string;
  recipient: { account_id: string; gateway_id: string };
  created_at: string;
  captured_at?: string;
  confirmation?: { type: "redirect"; return_url: string; confirmation_url: string };
  cancellation_details?: { party: string; reason: string };
  refunded_amount?: Amount;
  refundable: boolean;
  test: true;
  metadata: Record<string, string>;
}

/** A refund as the emulator keeps and shows it. */
export interface EmulatedRefund {
  id: string;
  payment_id: string;
  status: "pending" | "succeeded" | "canceled";
  amount: Amount;
  description?: string;
  created_at: string;
  metadata?: Record<string, string>;
  cancellation_details?: { party: string; reason: string };
}

/** What is kept of a payment besides what is shown. */
export interface PaymentRecord {
  payment: EmulatedPayment;
  /** True: paid money is taken at once. */
  capture: boolean;
  /** Money that the customer's bank has moved, in kopecks: each charge counts. */
  chargedKopecks: number;
}

/** Answers by shop and idempotence key. */
export interface KeptAnswer {
  request: string;
  answer: unknown;
}

export interface ShopData {
  payments: PaymentRecord[];
  refunds: EmulatedRefund[];
  answers: Record<string, KeptAnswer>;
}

/** Kopecks of an amount; undefined when it is not written as the protocol asks. */
export function kopecksOf(amount: unknown): number | undefined {
  const { value, currency } = (amount ?? {}) as Record<string, unknown>;
  if (currency !== "RUB" || typeof value !== "string" || !/^\d{1,10}\.\d{2}$/.test(value)) return undefined;
  return Number(value.replace(".", ""));
}

/** Kopecks as the protocol writes them. */
export function amountOf(kopecks: number): Amount {
  return { value: (kopecks / 100).toFixed(2), currency: "RUB" };
}
