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

/** Every kind of mail there is. Twice a link to a list or to a login harms nobody; twice an order does. */
export const mailKinds = {
  "price-list": { inDoubt: "ask", isBulk: true },
} as const satisfies Record<string, MailKind>;

export type MailKindName = keyof typeof mailKinds;

export function mailKindOf(name: string): MailKind | undefined {
  return Object.hasOwn(mailKinds, name) ? mailKinds[name as MailKindName] : undefined;
}
