import type { EntityManager } from "typeorm";
import { users } from "../../db/dao/accounts/users.ts";
import { mailSuppressions, type NewSuppression } from "../../db/dao/mail/mail-suppressions.ts";
import { type MailToSend, mails } from "../../db/dao/mail/mails.ts";
import type { MailSuppression } from "../../db/entities/mail/mail-suppression.ts";
import { erasedDomain } from "../../db/personal-data.ts";
import { NotFoundError } from "../../errors.ts";
import { mailKindOf } from "../../jobs/mail-kinds.ts";

/**
 * True when a mail must not be sent now. A recipient who has unsubscribed still gets mails about orders; an erased
 * person has no address any more.
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

/** True for the replacement of an erased address. */
export const isErased = (address: string) => address.toLowerCase().endsWith(`@${erasedDomain}`);

/** Suppresses mail to an address from now on, and returns its row of the list. May be repeated. */
export async function suppressAddress(tx: EntityManager, suppression: NewSuppression): Promise<MailSuppression> {
  await mailSuppressions.add(tx, suppression);
  const row = await mailSuppressions.find(tx, suppression.address);
  return row ?? Promise.reject(new Error(`'${suppression.address}' was removed from the list meanwhile`));
}

/** Allows mail to an address again; throws `NotFoundError` when it was not on the list. */
export async function unsuppressAddress(tx: EntityManager, address: string): Promise<void> {
  if (!(await mailSuppressions.remove(tx, address))) throw new NotFoundError(`'${address}' is not on the list`);
}

/**
 * Unsubscribes the recipient of this mail from bulk mail. May be repeated; throws `NotFoundError` without such a mail.
 */
export async function unsubscribe(tx: EntityManager, mailId: string): Promise<string> {
  const mail = await mails.findById(tx, mailId);
  if (!mail) throw new NotFoundError("There is no such mail any more");
  const detail = `by the link in the mail of ${mail.createdAt.toISOString()}`;
  await mailSuppressions.add(tx, { address: mail.recipient, reason: "unsubscribed", detail, createdBy: null });
  await users.endMailing(tx, mail.recipient);
  return mail.recipient;
}
