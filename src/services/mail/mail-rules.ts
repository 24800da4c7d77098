import type { MailKindName } from "../../jobs/mail-kinds.ts";

/** How fast mails may go out. Only bulk mail waits; other mail counts, and goes at once. */
export interface MailPace {
  /** Mails a minute, by the domain of their recipients; `*` is for each of the others. Without one there is no limit. */
  domainRates: ReadonlyMap<string, number>;
  /** Hours of the shop's day in which no bulk mail goes out: from the first one until the second one begins. */
  quietHours: readonly [from: number, until: number] | undefined;
  /** So many mails on a day of the shop; 0: no limit. */
  dailyCap: number;
}

/** What an installation wants of its mails. */
export interface MailRules {
  /** Addresses that are told of orders and stock. */
  staff: readonly string[];
  /** Mails that strangers may have sent to one mailbox on a day of the shop, by kind of act; 0: no limit. */
  unprovedPerDay: number;
  /** Kinds of mail that are not sent. */
  off: ReadonlySet<MailKindName>;
  pace: MailPace;
}

/** Nothing waits or is held back, and staff is not told. */
export const noMailRules: MailRules = {
  staff: [],
  unprovedPerDay: 0,
  off: new Set(),
  pace: { domainRates: new Map(), quietHours: undefined, dailyCap: 0 },
};
