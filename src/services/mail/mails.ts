import { createHash } from "node:crypto";
import type { EntityManager } from "typeorm";
import { v5 as uuidv5, v7 as uuidv7 } from "uuid";
import { mailRecipients } from "../../db/dao/mail/mail-recipients.ts";
import { mails } from "../../db/dao/mail/mails.ts";
import type { Language } from "../../db/entities/accounts/user.ts";
import { type EnqueueOptions, enqueueAll, jobQueries } from "../../engine/index.ts";
import { BadRequestError, ConflictError, NotFoundError, TooManyRequestsError } from "../../errors.ts";
import type { MailKindName } from "../../jobs/mail-kinds.ts";
import { sendMail } from "../../jobs/send-mail.ts";
import { reopen } from "../operations/job-control.ts";
import { demand, type Operator, strictest } from "../operations/job-rights.ts";
import { shopUrl } from "../shop-url.ts";
import { type CountedMail, countMails, type MailAct, mailActs, whyHeldBack } from "./mail-counts.ts";
import { untilMidnightMs } from "./mail-pace.ts";
import { isErased } from "./mail-suppressions.ts";

/** Namespace of send keys (a random UUID): the same key is always the same mail. */
const sendKeys = "0b3f5c0e-9f2d-4f0c-8a55-6f5f3f8f1c9a";

export interface MailRequest {
  /** The event that it is the one mail about, to its one recipient: `<event>:<id of the entity>`. */
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
 * Enqueues mails and returns the ids of their jobs, in order. A mail of the same event to the same recipient is
 * enqueued once, however often this is called.
 */
export async function requestMails(tx: EntityManager, requests: readonly MailRequest[], options: EnqueueOptions = {}) {
  if (requests.length === 0) return [];
  const keyed = requests.map(withKey);
  const payloads = keyed.map(({ id, newsletterId }) => ({ mailId: id, ...(newsletterId && { newsletterId }) }));
  const jobIds = await enqueueAll(tx, sendMail, payloads, options);
  await mails.insertNew(
    tx,
    keyed.map((row, index) => ({ ...row, jobId: jobIds[index] ?? null })),
  );
  return jobIds;
}

/** A mail that a caller without rights causes to an unverified address; see `countMails`. */
export interface CountedMailRequest extends MailRequest, Pick<CountedMail, "act" | "maxMails"> {}

/**
 * As `requestMails`, for mails that are counted by their mailbox. A mail above the limit is stored as suppressed, with
 * the reason; its job is null.
 */
export async function requestCountedMails(tx: EntityManager, requests: readonly CountedMailRequest[]) {
  const ids = requests.map(mailIdOf);
  const heldBack = await countMails(
    tx,
    requests.map(({ act, recipient, maxMails }, index) => ({ id: String(ids[index]), act, recipient, maxMails })),
  );
  const isOut = (_request: unknown, index: number) => !heldBack.has(String(ids[index]));
  const kept = requests.filter((request, index) => !isOut(request, index));
  if (kept.length > 0) await mails.insertNew(tx, kept.map(heldBackRow));
  const jobIds = await requestMails(tx, requests.filter(isOut));
  return requests.map((request, index) => (isOut(request, index) ? (jobIds.shift() ?? null) : null));
}

function heldBackRow({ act, maxMails, ...request }: CountedMailRequest) {
  return { ...withKey(request), jobId: null, state: "suppressed" as const, serverAnswer: whyHeldBack(act, maxMails) };
}

/** The id of a mail, derived from its event and recipient. */
export function mailIdOf({ event, recipient }: Pick<MailRequest, "event" | "recipient">): string {
  return uuidv5(keyOf(event, recipient), sendKeys);
}

const keyOf = (event: string, recipient: string) => `${event}:${recipient.toLowerCase()}`;

function withKey({ event, language = "ru", parameters = {}, ...request }: MailRequest) {
  const key = keyOf(event, request.recipient);
  return { ...request, id: uuidv5(key, sendKeys), sendKey: sha256(key), language, parameters };
}

/** The result of a request to send a mail again. */
export interface Resent {
  mailId: string;
  jobId: string;
}

/**
 * Sends a mail again at a person's request: an unsuccessful one under its own Message-ID, a sent or suppressed one as a
 * new mail. Throws `ConflictError` while it is in flight, `NotFoundError`, `ForbiddenError` without the right,
 * `ReasonNeededError`, and `TooManyRequestsError` when `maxMails` mails were sent again to this mailbox today.
 */
export async function resendMail(
  tx: EntityManager,
  { id, operator, maxMails }: { id: string; operator: Operator; maxMails: number },
): Promise<Resent> {
  const mail = await mails.findShown(tx, id);
  if (!mail) throw new NotFoundError(`Mail with id ${id} not found.`);
  const lines = mail.jobId ? await jobQueries.lines(tx, [mail.jobId], operator.id) : [];
  demand("resend", strictest("resend", [{ kind: sendMail.name, isOwn: false }, ...lines]), operator);
  const reason = String(operator.reason);
  if (isErased(mail.recipient)) throw new ConflictError(`The recipient of mail '${id}' is erased`);
  if (mail.kind === "verify-email" && !("url" in mail.parameters))
    throw new ConflictError(`The link in mail '${id}' is not kept; have the identity provider make a new one`);
  const again = async () => {
    const counted = { id: uuidv7(), act: "resend", recipient: mail.recipient, maxMails } as const;
    if ((await countMails(tx, [counted])).size > 0) throw tooManyMails("resend", maxMails);
  };
  if (mail.jobId && ["failed", "unknown", "cancelled"].includes(mail.shownState)) {
    await again();
    await mails.reopen(tx, id, reason);
    await reopen(tx, mail.jobId);
    return { mailId: id, jobId: mail.jobId };
  }
  if (mail.shownState !== "sent" && mail.shownState !== "suppressed")
    throw new ConflictError(`Mail '${id}' is on its way (${mail.shownState}); there is nothing to send again`);
  await again();
  const { kind, recipient, language, parameters } = mail;
  const request = { kind: kind as MailKindName, recipient, language, parameters, resendOf: id, resendReason: reason };
  const [jobId = ""] = await requestMails(tx, [{ ...request, event: `resend:${uuidv7()}` }]);
  const row = await mails.findByJob(tx, jobId);
  return { mailId: String(row?.id), jobId };
}

/** The error for one more mail to a mailbox than its daily limit. */
export function tooManyMails(act: MailAct, maxMails: number) {
  const seconds = Math.ceil(untilMidnightMs(new Date()) / 1_000);
  const what = `${maxMails} mails ${mailActs[act]} have gone to this mailbox today, which is the limit`;
  return new TooManyRequestsError(`${what}; try again tomorrow, in ${seconds} s`, seconds);
}

export interface Verification extends Required<Pick<MailRequest, "recipient" | "language">> {
  /** Throws `BadRequestError` unless it leads to the shop. */
  url: string;
  /** Maximum per day to one mailbox; 0: no limit. */
  maxMails: number;
}

/** Enqueues the mail with the link that verifies an address; returns the id of its job, null when it is suppressed. */
export async function requestVerificationMail(
  tx: EntityManager,
  { recipient, language, url, maxMails }: Verification,
): Promise<string | null> {
  if (new URL(url).origin !== shopUrl) throw new BadRequestError(`'${url}' does not lead to ${shopUrl}`);
  const request = { kind: "verify-email", recipient, language, parameters: { url } } as const;
  const counted = { ...request, event: `verify-email:${sha256(url)}`, act: "verification", maxMails } as const;
  const [jobId = null] = await requestCountedMails(tx, [counted]);
  return jobId;
}

/** A send key is stored without end, so it does not contain its source. */
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

/**
 * Enqueues the mail with the link to the day's price list, in the language of the account with this address; returns
 * the id of its job, null when it is suppressed. Each call is one more mail.
 */
export async function requestPriceListMail(
  tx: EntityManager,
  { recipient, maxMails }: { recipient: string; maxMails: number },
): Promise<string | null> {
  const languageOf = await mailRecipients.languages(tx, [recipient]);
  const request = {
    event: `price-list:${uuidv7()}`,
    kind: "price-list",
    recipient,
    language: languageOf(recipient),
  } as const;
  const [jobId = null] = await requestCountedMails(tx, [{ ...request, act: "price-list", maxMails }]);
  return jobId;
}
