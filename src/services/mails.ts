import type { EntityManager } from "typeorm";
import { v5 as uuidv5, v7 as uuidv7 } from "uuid";
import { mails, type NewMail } from "../db/dao/mails.ts";
import type { Language } from "../db/entities/user.ts";
import { enqueueAll, type PromiseOptions } from "../db/outbox.ts";
import { sendMail } from "../jobs/send-mail.ts";
import type { MailKindName } from "./mail-kinds.ts";

/** Of our send keys (a random UUID): the same key is the same mail, for ever. */
const sendKeys = "0b3f5c0e-9f2d-4f0c-8a55-6f5f3f8f1c9a";

export interface MailWish {
  /** What it is the one mail about, to its one recipient: `<event>:<id of what it is about>`. */
  event: string;
  kind: MailKindName;
  recipient: string;
  language?: Language;
  parameters?: Record<string, unknown>;
  resendOf?: string;
  resendReason?: string;
}

/**
 * Promises mails and returns the ids of their jobs, in order. A mail of the same event to the same recipient is promised
 * once, however often this is asked.
 */
export async function requestMails(tx: EntityManager, wishes: readonly MailWish[], options: PromiseOptions = {}) {
  const keyed = wishes.map(withKey);
  const payloads = keyed.map(({ id }) => ({ mailId: id }));
  const jobIds = await enqueueAll(tx, sendMail, payloads, options);
  await mails.insertNew(
    tx,
    keyed.map((row, index) => ({ ...row, jobId: jobIds[index] ?? null })),
  );
  return jobIds;
}

function withKey({ event, language = "ru", parameters = {}, ...wish }: MailWish): Omit<NewMail, "jobId"> {
  const sendKey = `${event}:${wish.recipient.toLowerCase()}`;
  return { ...wish, id: uuidv5(sendKey, sendKeys), sendKey, language, parameters };
}

/** Promises the mail with the link to the day's price list; returns the id of its job. */
export async function requestPriceListMail(tx: EntityManager, { recipient }: { recipient: string }) {
  const [jobId] = await requestMails(tx, [{ event: `price-list:${uuidv7()}`, kind: "price-list", recipient }]);
  return String(jobId);
}
