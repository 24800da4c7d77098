import type { EntityManager } from "typeorm";
import { v7 as uuidv7 } from "uuid";
import type { Reader } from "../db/dao/users.ts";
import type { CustomerType } from "../db/entities/user.ts";
import { enqueue } from "../db/outbox.ts";
import { priorities } from "../jobs/define-job.ts";
import { sendNewsletter } from "../jobs/send-newsletter.ts";
import { requestMails } from "./mails.ts";

/** Promises a newsletter to all customers of these types who want it; returns the id of its job. */
export function requestNewsletter(tx: EntityManager, customerTypes: CustomerType[]): Promise<string> {
  return enqueue(tx, sendNewsletter, { newsletterId: uuidv7(), customerTypes });
}

/** Promises one newsletter to these readers, as children of its job; once to each address, however often this is asked. */
export async function requestNewsletterPage(
  tx: EntityManager,
  { newsletterId, parentId }: { newsletterId: string; parentId: string },
  readers: readonly Reader[],
): Promise<void> {
  const event = `newsletter:${newsletterId}`;
  const wishes = readers.map(
    ({ email, language }) => ({ event, kind: "price-list", recipient: email, language }) as const,
  );
  await requestMails(tx, wishes, { parentId, priority: priorities.bulk });
}
