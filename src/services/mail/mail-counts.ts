import type { EntityManager } from "typeorm";
import { mailCounts } from "../../db/dao/mail/mail-counts.ts";
import { mails } from "../../db/dao/mail/mails.ts";
import { businessDay } from "../business-day.ts";
import { mailboxOf } from "./mailbox.ts";

/**
 * Acts that send a mail to an unproved address, or once more to one that has it. Each is counted by itself, so that a
 * flood of one kind keeps no mail of another kind from its recipient.
 */
export const mailActs = {
  "guest-order": "about orders of guests and of customers whose address is not proved",
  "customer-order": "about orders of customers who have another address",
  registration: "that welcome who has registered",
  verification: "with a link that proves an address",
  "price-list": "with a price list that a program asked for",
  resend: "that staff sent again",
  "staff-notice": "about new orders",
} as const;
export type MailAct = keyof typeof mailActs;

export interface CountedMail {
  id: string;
  act: MailAct;
  recipient: string;
  /** So many mails of such acts to this mailbox in the span; 0: no limit. */
  most: number;
  /** What is counted together; default: the present day of the shop. */
  span?: string;
}

/**
 * Counts mails by the mailbox that they go to, over all processes, and returns the ids of those that are to be held back.
 * A mail that is entered already is not counted again, and stays as it is. Other transactions that count mails to these
 * mailboxes wait until this one ends, so that the count is exact.
 */
export async function countMails(tx: EntityManager, wanted: readonly CountedMail[]): Promise<Set<string>> {
  const limited = wanted.filter(({ most }) => most > 0).map(withKey);
  if (limited.length === 0) return new Set();
  const keys = new Map(limited.map(({ key }) => [textOf(key), key]));
  const held = await mailCounts.lock(tx, [...keys.values()]);
  const counts = new Map(held.map((count) => [textOf(count), count]));
  // Only now: a transaction that entered one of them before has committed.
  const known = await mails.areHeldBack(
    tx,
    limited.map(({ id }) => id),
  );
  for (const { id, key, most } of limited) {
    const count = counts.get(textOf(key));
    if (!count || known.has(id)) continue;
    count.mails += 1;
    known.set(id, count.mails > most);
  }
  await mailCounts.write(tx, [...counts.values()]);
  return new Set([...known].flatMap(([id, isHeldBack]) => (isHeldBack ? [id] : [])));
}

function withKey(mail: CountedMail) {
  const { act, recipient, span = businessDay(new Date()) } = mail;
  return { ...mail, key: { span, act, mailbox: mailboxOf(recipient) } };
}

const textOf = ({ span, act, mailbox }: { span: string; act: string; mailbox: string }) => `${span} ${act} ${mailbox}`;

/** Why a mail is held back, for staff. */
export const whyHeldBack = (act: MailAct, most: number) =>
  `Held back: ${most} mails ${mailActs[act]} have gone to this mailbox today, and that is all that may ` +
  "(MAIL_UNPROVED_PER_DAY). Send it by hand if it is wanted";
