import type { EntityManager } from "typeorm";
import { mailPace } from "../../db/dao/mail/mail-pace.ts";
import { mails } from "../../db/dao/mail/mails.ts";
import type { Mail } from "../../db/entities/mail/mail.ts";
import { mailKindOf } from "../../jobs/mail-kinds.ts";
import { businessDay, businessTime } from "../business-day.ts";
import type { MailPace } from "./mail-rules.ts";

/** A shorter wait counts as none; a query to Postgres takes as long. */
const negligibleMs = 50;
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

export type PlannedMail = Pick<Mail, "id" | "kind" | "recipient" | "slotAt">;

/**
 * Reserves a slot for a mail, once, and returns in how many milliseconds it is: 0 means now. Belongs in a transaction
 * that commits, or the slot is not reserved.
 */
export async function planMail(tx: EntityManager, mail: PlannedMail, pace: MailPace, now: Date): Promise<number> {
  if (!mailKindOf(mail.kind)?.isBulk) {
    if (!mail.slotAt) await enter(tx, mail, pace, { now, maxMails: any });
    return 0;
  }
  const quietMs = quietForMs(pace.quietHours, now);
  if (quietMs > 0) return quietMs;
  if (mail.slotAt) return Math.max(0, mail.slotAt.getTime() - now.getTime());
  const waitMs = await enter(tx, mail, pace, { now, maxMails: pace.dailyCap || any });
  if (waitMs === undefined) return untilMidnightMs(now);
  return waitMs > negligibleMs ? waitMs : 0;
}

/** Maximum of the column of a day's mails. */
const any = 2 ** 31 - 1;

/** Reserves a mail's slot in its day and its domain; returns the wait until then, or undefined when the day is full. */
async function enter(
  tx: EntityManager,
  { id, recipient }: PlannedMail,
  { domainRates }: MailPace,
  { now, maxMails }: { now: Date; maxMails: number },
): Promise<number | undefined> {
  if (!(await mailPace.count(tx, businessDay(now), maxMails))) return undefined;
  const domain = recipient.slice(recipient.lastIndexOf("@") + 1).toLowerCase();
  const rate = domainRates.get(domain) ?? domainRates.get("*");
  const waitMs = rate ? await mailPace.takeTurn(tx, domain, rate) : 0;
  await mails.setSlot(tx, id, waitMs);
  return waitMs;
}

/** True when any limit is set. */
export const isPaced = ({ domainRates, quietHours, dailyCap }: MailPace) =>
  domainRates.size > 0 || quietHours !== undefined || dailyCap > 0;

/** Time until the quiet hours end. */
export function quietForMs(hours: MailPace["quietHours"], now: Date): number {
  if (!hours) return 0;
  const [from, until] = hours;
  const sinceMidnight = sinceMidnightMs(now);
  const sinceBegin = (sinceMidnight - from * hourMs + dayMs) % dayMs;
  const length = ((until - from) * hourMs + dayMs) % dayMs;
  return sinceBegin < length ? length - sinceBegin : 0;
}

/** Time until the shop's day ends. */
export const untilMidnightMs = (now: Date) => dayMs - sinceMidnightMs(now);

function sinceMidnightMs(now: Date): number {
  const [hours = 0, minutes = 0, seconds = 0] = businessTime(now).slice(11, 19).split(":").map(Number);
  return hours * hourMs + minutes * 60_000 + seconds * 1_000 + now.getMilliseconds();
}
