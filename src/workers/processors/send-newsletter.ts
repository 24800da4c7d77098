import { users } from "../../db/dao/accounts/users.ts";
import { requestNewsletterPage } from "../../services/mail/newsletters.ts";
import type { Processor } from "../context.ts";

/** Mails of one transaction: little memory, and the job can be cancelled in between. */
const pageSize = 500;

/**
 * Enqueues a newsletter page by page. Safe to repeat, also from the middle: no recipient gets a second mail.
 */
export const sendNewsletterProcessor: Processor<"send-newsletter"> = {
  async run(job, { db }) {
    const { newsletterId, customerTypes } = job.payload;
    const total = await users.countMailing(db.manager, customerTypes);
    let done = 0;
    for (let after: string | null = null; ; ) {
      const page = await users.mailingPage(db.manager, { customerTypes, after, limit: pageSize });
      if (page.length > 0) {
        await job.commit((tx) => requestNewsletterPage(tx, { newsletterId, parentId: job.id }, page));
        done += page.length;
        job.progress(done, total);
      }
      if (page.length < pageSize) break;
      after = page.at(-1)?.id ?? null;
    }
    await job.complete(async () => ({ recipients: done }));
  },
};
