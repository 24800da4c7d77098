import { setTimeout as sleep } from "node:timers/promises";
import type { Mail } from "../../db/entities/mail.ts";
import { businessDay } from "../../services/business-day.ts";
import { publicKeyOf, publicPriceList } from "../../services/document-kinds.ts";
import { ensurePriceList } from "../../services/documents.ts";
import type { JobRun, WorkerContext } from "../context.ts";
import { priceListMail } from "./price-list-mail.ts";

type Run = JobRun<"send-mail">;

export interface MailContent {
  subject: string;
  text: string;
  html: string;
  headers?: Record<string, string>;
}

const listPatienceMs = 30_000;
const pollMs = 250;

/** What a mail says, of the data of now; waits for what it links to. */
export async function renderMail(job: Run, { mailer, store }: WorkerContext, mail: Mail): Promise<MailContent> {
  const day = businessDay(new Date());
  await awaitPriceList(job, day);
  const listUrl = store.publicUrl(String(publicKeyOf(publicPriceList(day))));
  const unsubscribeUrl = mailer.links?.unsubscribeUrl(mail.id);
  return priceListMail({ day, listUrl, sender: mailer.from.address, unsubscribeUrl });
}

/** The link has to work when the mail arrives. */
async function awaitPriceList(job: Run, day: string) {
  for (const end = Date.now() + listPatienceMs; Date.now() < end; ) {
    let isThere = false;
    await job.commit(async (tx) => {
      isThere = await ensurePriceList(tx, day);
    });
    if (isThere) return;
    await sleep(pollMs, undefined, { signal: job.signal });
  }
  throw new Error(`The price list of ${day} is not there yet`);
}
