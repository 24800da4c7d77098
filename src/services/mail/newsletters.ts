import type { EntityManager } from "typeorm";
import { v7 as uuidv7 } from "uuid";
import type { Reader } from "../../db/dao/accounts/users.ts";
import type { CustomerType } from "../../db/entities/accounts/user.ts";
import { enqueue, findJob, groupPauses, priorities } from "../../engine/index.ts";
import { ConflictError, NotFoundError } from "../../errors.ts";
import { sendMail } from "../../jobs/send-mail.ts";
import { sendNewsletter } from "../../jobs/send-newsletter.ts";
import { requestMails } from "./mails.ts";

/** Enqueues a newsletter to all subscribed customers of these types; returns the id of its job. */
export function requestNewsletter(tx: EntityManager, customerTypes: CustomerType[]): Promise<string> {
  return enqueue(tx, sendNewsletter, { newsletterId: uuidv7(), customerTypes });
}

/** Enqueues one newsletter to these readers, as children of its job; once for each address, however often called. */
export async function requestNewsletterPage(
  tx: EntityManager,
  { newsletterId, parentId }: { newsletterId: string; parentId: string },
  readers: readonly Reader[],
): Promise<void> {
  const event = `newsletter:${newsletterId}`;
  const requests = readers.map(
    ({ email, language }) => ({ event, newsletterId, kind: "price-list", recipient: email, language }) as const,
  );
  await requestMails(tx, requests, { parentId, priority: priorities.bulk });
}

/**
 * Pauses a newsletter until it is resumed; a few mails in flight still go out. May be repeated; throws `ConflictError`
 * when it is over, and `NotFoundError`.
 */
export async function pauseNewsletter(tx: EntityManager, jobId: string, by: string): Promise<void> {
  const { newsletterId: groupKey } = await unfinishedNewsletter(tx, jobId);
  await groupPauses.add(tx, { queue: sendMail.queue, groupKey, pausedBy: by });
}

/** Resumes a newsletter. May be repeated; throws as `pauseNewsletter` does. */
export async function resumeNewsletter(tx: EntityManager, jobId: string): Promise<void> {
  const { newsletterId } = await unfinishedNewsletter(tx, jobId);
  await groupPauses.remove(tx, sendMail.queue, newsletterId);
}

async function unfinishedNewsletter(tx: EntityManager, jobId: string) {
  const job = await findJob(tx, jobId);
  if (job?.kind !== sendNewsletter.name) throw new NotFoundError(`Newsletter with job ${jobId} not found.`);
  if (job.finishedAt) throw new ConflictError(`Newsletter '${jobId}' has ${job.state} already`);
  return sendNewsletter.payload.parse(job.payload);
}
