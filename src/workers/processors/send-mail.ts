import { setTimeout as sleep } from "node:timers/promises";
import { mails } from "../../db/dao/mails.ts";
import { isPostgresUnavailable } from "../../db/postgres-errors.ts";
import { businessDay } from "../../services/business-day.ts";
import type { Shop } from "../../services/document-kinds/define-kind.ts";
import { publicKeyOf, publicPriceList } from "../../services/document-kinds/index.ts";
import { ensurePriceList } from "../../services/documents.ts";
import type { JobRun, Processor, WorkerContext } from "../context.ts";
import { priceListMail } from "../mail/price-list-mail.ts";

type Run = JobRun<"send-mail">;

const listPatienceMs = 30_000;
const pollMs = 250;

/**
 * Sends one mail. Repeated only while it surely was not sent; that the server may have it without our knowing ends the
 * job (`UncertainMailError`).
 */
export const sendMailProcessor: Processor<"send-mail"> = {
  async run(job, context) {
    const mail = await mails.findById(context.db.manager, job.payload.mailId);
    if (!mail || mail.sentAt) return job.complete(async () => ({ skipped: "it was sent before, or deleted" }));
    const { mailer, store, shop } = context;
    const day = businessDay(new Date());
    await awaitPriceList(job, shop, day);
    const listUrl = store.publicUrl(String(publicKeyOf(publicPriceList(day))));
    const content = priceListMail({ day, listUrl, sender: mailer.from.address });
    const answer = await mailer.send({ id: mail.id, to: mail.recipient, ...content }, job.signal);
    await untilWritten(job, context, () =>
      job.complete(async (tx) => {
        await mails.markSent(tx, mail.id, answer);
        return { answer };
      }),
    );
  },
};

/** The link has to work when the mail arrives. */
async function awaitPriceList(job: Run, shop: Shop, day: string) {
  for (const end = Date.now() + listPatienceMs; Date.now() < end; ) {
    let isThere = false;
    await job.commit(async (tx) => {
      isThere = await ensurePriceList(tx, day, shop);
    });
    if (isThere) return;
    await sleep(pollMs, undefined, { signal: job.signal });
  }
  throw new Error(`The price list of ${day} is not there yet`);
}

/** The mail is out: without the row that says so it would go out again. */
async function untilWritten({ signal }: Run, { log }: WorkerContext, write: () => Promise<void>) {
  for (;;) {
    try {
      return await write();
    } catch (error) {
      if (!isPostgresUnavailable(error) || signal.aborted) throw error;
      log.warn({ err: error }, "a mail is sent, but that cannot be written down yet");
      await sleep(pollMs, undefined, { signal });
    }
  }
}
