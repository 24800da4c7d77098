/**
 * What happens to a mail when it is unknown whether it was sent: `ask` lets a person decide, so it arrives at most
 * once; `resend` sends it again under the same Message-ID, so it arrives at least once.
 */
export type DoubtPolicy = "ask" | "resend";

export interface MailKind {
  inDoubt: DoubtPolicy;
  /** Sent to many subscribers, who can unsubscribe with one click. */
  isBulk: boolean;
}

/** All kinds of mail. A login link that arrives twice does no harm; an order or an advertisement does. */
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
  "payment-unmatched": { inDoubt: "ask", isBulk: false },
  "payment-unmatched-staff": { inDoubt: "resend", isBulk: false },
  "payment-refunded": { inDoubt: "ask", isBulk: false },
  "low-stock": { inDoubt: "resend", isBulk: false },
  "document-ready": { inDoubt: "resend", isBulk: false },
} as const satisfies Record<string, MailKind>;

export type MailKindName = keyof typeof mailKinds;

export const mailKindNames = Object.keys(mailKinds) as MailKindName[];

export function mailKindOf(name: string): MailKind | undefined {
  return Object.hasOwn(mailKinds, name) ? mailKinds[name as MailKindName] : undefined;
}
