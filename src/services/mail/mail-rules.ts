import type { MailKindName } from "../../jobs/mail-kinds.ts";

/** Limits of the rate of mails. Only bulk mail waits; other mail counts, and goes at once. */
export interface MailPace {
  /**
   * Mails per minute, by domain of the recipients; `*` is for each of the others. A domain without one has no limit.
   */
  domainRates: ReadonlyMap<string, number>;
  /** Hours of the shop's day in which no bulk mail goes out: from the first one until the second one begins. */
  quietHours: readonly [from: number, until: number] | undefined;
  /** Maximum number of mails on a day of the shop; 0: no limit. */
  dailyCap: number;
}

/** The mail settings of an installation. */
export interface MailRules {
  /** Addresses of staff that get mails about orders and stock. */
  staff: readonly string[];
  /** Mails to one mailbox per day of the shop that callers without rights may cause, by kind of act; 0: no limit. */
  unprovedPerDay: number;
  /** Kinds of mail that are not sent. */
  off: ReadonlySet<MailKindName>;
  pace: MailPace;
  /** The storefront's page of an order, with `{id}` in place of its id; undefined: mails link to none. */
  orderPage?: string | undefined;
}

/** No mail waits or is suppressed, and staff gets none. */
export const noMailRules: MailRules = {
  staff: [],
  unprovedPerDay: 0,
  off: new Set(),
  pace: { domainRates: new Map(), quietHours: undefined, dailyCap: 0 },
};
