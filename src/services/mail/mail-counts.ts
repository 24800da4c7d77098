import type { EntityManager } from "typeorm";
import { mailCounts } from "../../db/dao/mail/mail-counts.ts";
import { mails } from "../../db/dao/mail/mails.ts";
import { businessDay } from "../business-day.ts";
import { mailboxOf } from "./mailbox.ts";

/**
 * Acts that send a mail to an unverified address, or one more to an address that has it. Each is counted by itself, so
 * that a flood of one kind stops no mail of another kind.
 */
export const mailActs = {
  "guest-order": "about orders of guests and of customers whose address is not verified",
  "customer-order": "about orders of customers who have another address",
  registration: "that welcome a new user",
  verification: "with a link that verifies an address",
  "price-list": "with a price list that a program requested",
  resend: "that staff sent again",
  "staff-notice": "about new orders",
} as const;
export type MailAct = keyof typeof mailActs;

export interface CountedMail {
  id: string;
  act: MailAct;
  recipient: string;
  /** Maximum of such mails to this mailbox in the span; 0: no limit. */
  maxMails: number;
  /** The span of one count; default: the present day of the shop. */
  span?: string;
}

/**
 * Counts mails by their mailbox, over all processes, and returns the ids of those above the limit, to be suppressed. A
 * mail that exists already is not counted again, and stays as it is. Other transactions that count mails to these
 * mailboxes wait until this one ends, so that the count is exact.
 */
export async function countMails(tx: EntityManager, wanted: readonly CountedMail[]): Promise<Set<string>> {
  const limited = wanted.filter(({ maxMails }) => maxMails > 0).map(withKey);
  if (limited.length === 0) return new Set();
  const keys = new Map(limited.map(({ key }) => [textOf(key), key]));
  const held = await mailCounts.lock(tx, [...keys.values()]);
  const counts = new Map(held.map((count) => [textOf(count), count]));
  // Only now: a transaction that inserted one of them before has committed.
  const known = await mails.areHeldBack(
    tx,
    limited.map(({ id }) => id),
  );
  for (const { id, key, maxMails } of limited) {
    const count = counts.get(textOf(key));
    if (!count || known.has(id)) continue;
    count.mails += 1;
    known.set(id, count.mails > maxMails);
  }
  await mailCounts.write(tx, [...counts.values()]);
  return new Set([...known].flatMap(([id, isHeldBack]) => (isHeldBack ? [id] : [])));
}

function withKey(mail: CountedMail) {
  const { act, recipient, span = businessDay(new Date()) } = mail;
  return { ...mail, key: { span, act, mailbox: mailboxOf(recipient) } };
}

const textOf = ({ span, act, mailbox }: { span: string; act: string; mailbox: string }) => `${span} ${act} ${mailbox}`;

/** Why a mail is suppressed, for staff. */
export const whyHeldBack = (act: MailAct, maxMails: number) =>
  `Held back: ${maxMails} mails ${mailActs[act]} have gone to this mailbox today, which is the limit ` +
  "(MAIL_UNPROVED_PER_DAY). Send it by hand if it is wanted";
