import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Mail } from "../../db/entities/mail.ts";
import { businessDay } from "../../services/business-day.ts";
import { contentTypes, namesOf, publicKeyOf, publicPriceList } from "../../services/document-kinds.ts";
import { ensurePriceList } from "../../services/documents.ts";
import { mailKindOf } from "../../services/mail-kinds.ts";
import { PermanentError } from "../classify-error.ts";
import type { JobRun, WorkerContext } from "../context.ts";
import { renderContent } from "../documents/render.ts";
import { spool } from "../documents/spool.ts";
import { collectLetter, ofWaybill, type Places } from "./collect.ts";
import { compose, type MailContent } from "./compose.ts";

type Run = JobRun<"send-mail">;

const listPatienceMs = 30_000;
const pollMs = 250;

/** A mail from the data of now; waits for what it links to. */
export async function renderMail(job: Run, { db, mailer, store }: WorkerContext, mail: Mail): Promise<MailContent> {
  const { links } = mailer;
  const places: Places = {
    async priceList() {
      const day = businessDay(new Date());
      await awaitPriceList(job, day);
      return { day, listUrl: store.publicUrl(String(publicKeyOf(publicPriceList(day)))) };
    },
    documentUrl(id) {
      if (links) return links.documentUrl(id);
      throw new PermanentError("Without MAIL_LINK_SECRET and PUBLIC_URL no mail can link to a document");
    },
  };
  const letter = await collectLetter(db.manager, mail, places);
  const isBulk = mailKindOf(mail.kind)?.isBulk;
  const content = compose(letter, {
    language: mail.language,
    origins: [store.publicUrl(""), ...(links ? [links.documentUrl("")] : [])],
    unsubscribe: isBulk ? { url: links?.unsubscribeUrl(mail.id), address: mailer.from.address } : undefined,
  });
  return mail.kind === "waybill-committed" ? { ...content, attachments: [await waybillFile(job, db, mail)] } : content;
}

async function waybillFile(job: Run, db: WorkerContext["db"], { parameters }: Mail) {
  const { waybillId: id } = ofWaybill.parse(parameters);
  const kind = { kind: "waybill", format: "pdf", parameters: { id } } as const;
  const content = await spool(await renderContent(db.manager, kind), job.signal, ({ path }) => readFile(path));
  return { filename: namesOf(kind).ascii, content, contentType: contentTypes.pdf };
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
