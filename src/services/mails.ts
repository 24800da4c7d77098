import { createHash } from "node:crypto";
import type { EntityManager } from "typeorm";
import { v5 as uuidv5, v7 as uuidv7 } from "uuid";
import { jobRows } from "../db/dao/jobs.ts";
import { mails } from "../db/dao/mails.ts";
import type { Language } from "../db/entities/user.ts";
import { enqueueAll, type PromiseOptions } from "../db/outbox.ts";
import { BadRequestError, ConflictError, NotFoundError } from "../errors.ts";
import { sendMail } from "../jobs/send-mail.ts";
import { reopen } from "./job-control.ts";
import { demand, type Steerer, strictest } from "./job-rights.ts";
import type { MailKindName } from "./mail-kinds.ts";
import { shopUrl } from "./shop-url.ts";

/** Of our send keys (a random UUID): the same key is the same mail, for ever. */
const sendKeys = "0b3f5c0e-9f2d-4f0c-8a55-6f5f3f8f1c9a";

export interface MailWish {
  /** What it is the one mail about, to its one recipient: `<event>:<id of what it is about>`. */
  event: string;
  kind: MailKindName;
  recipient: string;
  language?: Language;
  parameters?: Record<string, unknown>;
  /** The newsletter that it is a part of. */
  newsletterId?: string;
  resendOf?: string;
  resendReason?: string;
}

/**
 * Promises mails and returns the ids of their jobs, in order. A mail of the same event to the same recipient is promised
 * once, however often this is asked.
 */
export async function requestMails(tx: EntityManager, wishes: readonly MailWish[], options: PromiseOptions = {}) {
  const keyed = wishes.map(withKey);
  const payloads = keyed.map(({ id, newsletterId }) => ({ mailId: id, ...(newsletterId && { newsletterId }) }));
  const jobIds = await enqueueAll(tx, sendMail, payloads, options);
  await mails.insertNew(
    tx,
    keyed.map((row, index) => ({ ...row, jobId: jobIds[index] ?? null })),
  );
  return jobIds;
}

function withKey({ event, language = "ru", parameters = {}, ...wish }: MailWish) {
  const key = `${event}:${wish.recipient.toLowerCase()}`;
  return { ...wish, id: uuidv5(key, sendKeys), sendKey: sha256(key), language, parameters };
}

/** What became of a wish to send a mail again. */
export interface Resent {
  mailId: string;
  jobId: string;
}

/**
 * Sends a mail again because somebody wants it: one that ended badly under its own Message-ID, one that was sent or held
 * back as a new mail. Throws `ConflictError` while it is on its way, `NotFoundError`, `ForbiddenError` to those who may
 * not, and `ReasonNeededError`.
 */
export async function resendMail(tx: EntityManager, id: string, steerer: Steerer): Promise<Resent> {
  const mail = await mails.findShown(tx, id);
  if (!mail) throw new NotFoundError(`Mail with id ${id} not found.`);
  const lines = mail.jobId ? await jobRows.lines(tx, [mail.jobId], steerer.id) : [];
  demand("resend", strictest("resend", [{ kind: sendMail.name, isOwn: false }, ...lines]), steerer);
  const reason = String(steerer.reason);
  if (mail.kind === "verify-email" && !("url" in mail.parameters))
    throw new ConflictError(`The link in mail '${id}' is not kept; have the identity provider make a new one`);
  if (mail.jobId && ["failed", "unknown", "cancelled"].includes(mail.shownState)) {
    await mails.reopen(tx, id, reason);
    await reopen(tx, mail.jobId);
    return { mailId: id, jobId: mail.jobId };
  }
  if (mail.shownState !== "sent" && mail.shownState !== "suppressed")
    throw new ConflictError(`Mail '${id}' is on its way (${mail.shownState}); there is nothing to send again`);
  const { kind, recipient, language, parameters } = mail;
  const wish = { kind: kind as MailKindName, recipient, language, parameters, resendOf: id, resendReason: reason };
  const [jobId = ""] = await requestMails(tx, [{ ...wish, event: `resend:${uuidv7()}` }]);
  const row = await mails.findByJob(tx, jobId);
  return { mailId: String(row?.id), jobId };
}

export interface Verification extends Required<Pick<MailWish, "recipient" | "language">> {
  firstName: string;
  /** Throws `BadRequestError` unless it leads to the shop. */
  url: string;
}

/** Promises the mail with the link that proves an address; returns the id of its job. */
export async function requestVerificationMail(
  tx: EntityManager,
  { recipient, language, firstName, url }: Verification,
): Promise<string> {
  if (new URL(url).origin !== shopUrl) throw new BadRequestError(`'${url}' does not lead to ${shopUrl}`);
  const wish = { kind: "verify-email", recipient, language, parameters: { firstName, url } } as const;
  const [jobId] = await requestMails(tx, [{ ...wish, event: `verify-email:${sha256(url)}` }]);
  return String(jobId);
}

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

/** Promises the mail with the link to the day's price list; returns the id of its job. */
export async function requestPriceListMail(tx: EntityManager, { recipient }: { recipient: string }) {
  const [jobId] = await requestMails(tx, [{ event: `price-list:${uuidv7()}`, kind: "price-list", recipient }]);
  return String(jobId);
}
