import type { EntityManager } from "typeorm";
import { users } from "../../db/dao/accounts/users.ts";
import { mailSuppressions, type NewSuppression } from "../../db/dao/mail/mail-suppressions.ts";
import { type MailToSend, mails } from "../../db/dao/mail/mails.ts";
import type { MailSuppression } from "../../db/entities/mail/mail-suppression.ts";
import { erasedDomain } from "../../db/personal-data.ts";
import { NotFoundError } from "../../errors.ts";
import { mailKindOf } from "../../jobs/mail-kinds.ts";

/**
 * True when a mail must not be sent now. Who has unsubscribed still gets what is about an order; who is erased has no
 * address any more.
 */
export function isHeldBack({
  kind,
  recipient,
  suppressedFor,
}: Pick<MailToSend, "kind" | "recipient" | "suppressedFor">): boolean {
  if (isErased(recipient)) return true;
  if (suppressedFor === "unsubscribed") return mailKindOf(kind)?.isBulk ?? false;
  return suppressedFor !== null;
}

/** True for what stands in the place of an address that was erased. */
export const isErased = (address: string) => address.toLowerCase().endsWith(`@${erasedDomain}`);

/** Sends an address no mail from now on, and returns what is on the list for it. May be repeated. */
export async function suppressAddress(tx: EntityManager, suppression: NewSuppression): Promise<MailSuppression> {
  await mailSuppressions.add(tx, suppression);
  const row = await mailSuppressions.find(tx, suppression.address);
  return row ?? Promise.reject(new Error(`'${suppression.address}' was taken off the list meanwhile`));
}

/** Sends an address mail again; throws `NotFoundError` when it was not on the list. */
export async function unsuppressAddress(tx: EntityManager, address: string): Promise<void> {
  if (!(await mailSuppressions.remove(tx, address))) throw new NotFoundError(`'${address}' is not on the list`);
}

/** No bulk mail any more for whoever got this mail. May be repeated; throws `NotFoundError` when there is no such mail. */
export async function unsubscribe(tx: EntityManager, mailId: string): Promise<string> {
  const mail = await mails.findById(tx, mailId);
  if (!mail) throw new NotFoundError("There is no such mail any more");
  const detail = `by the link in the mail of ${mail.createdAt.toISOString()}`;
  await mailSuppressions.add(tx, { address: mail.recipient, reason: "unsubscribed", detail, createdBy: null });
  await users.endMailing(tx, mail.recipient);
  return mail.recipient;
}
