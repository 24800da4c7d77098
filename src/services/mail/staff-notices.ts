import type { EntityManager } from "typeorm";
import { mailRecipients } from "../../db/dao/mail/mail-recipients.ts";
import { countMails } from "./mail-counts.ts";
import { type MailRequest, mailIdOf, requestMails } from "./mails.ts";

/** In each span of ten minutes this many orders get a mail of their own; a busy day of the shop has no more. */
export const singleNotices = 5;
export const noticeSpanMs = 600_000;
/** By then all orders of a span are committed: requests end sooner. */
const settledMs = 5_000;

/** An order that staff gets a mail about. */
export interface NewOrder {
  id: string;
  createdAt: Date;
}

/**
 * Enqueues a mail to staff about each of these orders. Of more than five in the same ten minutes the others share one
 * mail, which goes out when the ten minutes are over and gives their number. May be repeated.
 */
export async function requestStaffNotices(
  tx: EntityManager,
  { staff, orders, now = new Date() }: { staff: readonly string[]; orders: readonly NewOrder[]; now?: Date },
): Promise<void> {
  const about = orders.map(({ id: orderId, createdAt }) => ({
    ...{ event: `order-received-staff:${orderId}`, kind: "order-received-staff" as const, parameters: { orderId } },
    begin: Math.floor(createdAt.getTime() / noticeSpanMs) * noticeSpanMs,
  }));
  const requests = await toStaff(tx, staff, about);
  const counted = requests.map(({ begin, ...request }) => ({
    ...{ id: mailIdOf(request), act: "staff-notice" as const, recipient: request.recipient },
    ...{ maxMails: singleNotices, span: new Date(begin).toISOString() },
  }));
  const folded = await countMails(tx, counted);
  const isFolded = (request: MailRequest) => folded.has(mailIdOf(request));
  const single = requests.filter((request) => !isFolded(request)).map(({ begin: _begin, ...request }) => request);
  if (single.length > 0) await requestMails(tx, single);
  await requestDigests(tx, requests.filter(isFolded), now);
}

/** One mail for each span and member of staff, once its span is over. */
async function requestDigests(tx: EntityManager, folded: readonly (MailRequest & { begin: number })[], now: Date) {
  for (const begin of new Set(folded.map((request) => request.begin))) {
    const [since, until] = [new Date(begin), new Date(begin + noticeSpanMs)];
    const parameters = { since: since.toISOString(), until: until.toISOString() };
    const event = `orders-received-staff:${parameters.since}`;
    const to = new Map(
      folded.filter((request) => request.begin === begin).map((request) => [request.recipient, request]),
    );
    const digests = [...to.values()].map(({ recipient, language = "ru" }) => ({
      ...{ event, kind: "orders-received-staff" as const, recipient, language, parameters },
    }));
    await requestMails(tx, digests, { delayMs: Math.max(0, until.getTime() + settledMs - now.getTime()) });
  }
}

/** The same mails to each address of the staff, in the language of its user. */
export async function toStaff<Content extends Pick<MailRequest, "event" | "kind" | "parameters">>(
  tx: EntityManager,
  staff: readonly string[],
  contents: readonly Content[],
): Promise<(Content & Required<Pick<MailRequest, "recipient" | "language">>)[]> {
  if (staff.length === 0 || contents.length === 0) return [];
  const languageOf = await mailRecipients.languages(tx, staff);
  return contents.flatMap((content) =>
    staff.map((recipient) => ({ ...content, recipient, language: languageOf(recipient) })),
  );
}
