/**
 * What becomes of a mail when nobody can say whether it was sent: `ask` leaves it to a person, so it arrives at most
 * once; `resend` sends it again under the same Message-ID, so it arrives at least once.
 */
export type DoubtPolicy = "ask" | "resend";

export interface MailKind {
  inDoubt: DoubtPolicy;
  /** Sent to many who once wanted it: people can unsubscribe from it with one click. */
  isBulk: boolean;
}

/** Every kind of mail there is. Twice a link to a login harms nobody; twice an order or an advertisement does. */
export const mailKinds = {
  welcome: { inDoubt: "resend", isBulk: false },
  "verify-email": { inDoubt: "resend", isBulk: false },
  "order-received": { inDoubt: "ask", isBulk: false },
  "order-received-staff": { inDoubt: "resend", isBulk: false },
  "orders-received-staff": { inDoubt: "resend", isBulk: false },
  "order-status": { inDoubt: "ask", isBulk: false },
  "waybill-committed": { inDoubt: "ask", isBulk: false },
  "price-list": { inDoubt: "ask", isBulk: true },
  "payment-received": { inDoubt: "ask", isBulk: false },
  "low-stock": { inDoubt: "resend", isBulk: false },
  "document-ready": { inDoubt: "resend", isBulk: false },
} as const satisfies Record<string, MailKind>;

export type MailKindName = keyof typeof mailKinds;

export const mailKindNames = Object.keys(mailKinds) as MailKindName[];

export function mailKindOf(name: string): MailKind | undefined {
  return Object.hasOwn(mailKinds, name) ? mailKinds[name as MailKindName] : undefined;
}
