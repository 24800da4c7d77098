import { setTimeout as sleep } from "node:timers/promises";
import type { Mail } from "../../db/entities/mail/mail.ts";
import { PermanentError } from "../../engine/worker.ts";
import { mailKindOf } from "../../jobs/mail-kinds.ts";
import { businessDay } from "../../services/business-day.ts";
import { ensurePriceList } from "../../services/documents/documents.ts";
import { contentTypes } from "../../services/documents/kinds/define-kind.ts";
import { namesOf, publicKeyOf, publicPriceList, sourceOf } from "../../services/documents/kinds/index.ts";
import type { JobRun, WorkerContext } from "../context.ts";
import { renderContent } from "../documents/render.ts";
import { compose, type MailContent } from "./compose.ts";
import { loadTemplateData, ofWaybill, type Sources } from "./load-template-data.ts";

type Run = JobRun<"send-mail">;

const listPatienceMs = 30_000;
const pollMs = 250;

type RenderedMail = Pick<Mail, "id" | "kind" | "language" | "parameters">;

/** A mail from the present data; waits for the document that it links to. */
export async function renderMail(
  job: Run,
  { db, mailer, mailRules: { orderPage }, mailStatements, shop, store }: WorkerContext,
  mail: RenderedMail,
): Promise<MailContent> {
  const { links } = mailer;
  const sources: Sources = {
    async priceList() {
      const day = businessDay(new Date());
      await awaitPriceList(job, { mailStatements, shop }, day);
      return { day, listUrl: store.publicUrl(String(publicKeyOf(publicPriceList(day)))) };
    },
    documentUrl(id) {
      if (links) return links.documentUrl(id);
      throw new PermanentError("Without MAIL_LINK_SECRET and PUBLIC_URL no mail can link to a document");
    },
    orderUrl: (id) => orderPage?.replace("{id}", id),
    user: mailStatements.user,
  };
  const letter = await loadTemplateData(db.manager, mail, sources);
  const isBulk = mailKindOf(mail.kind)?.isBulk;
  const content = compose(letter, {
    language: mail.language,
    origins: [store.publicUrl(""), ...(links ? [links.documentUrl("")] : []), ...(orderPage ? [orderPage] : [])],
    unsubscribe: isBulk ? { url: links?.unsubscribeUrl(mail.id), address: mailer.from.address } : undefined,
  });
  return mail.kind === "waybill-committed"
    ? { ...content, attachments: [await waybillFile(job, { db, shop }, mail)] }
    : content;
}

async function waybillFile(
  { signal }: Run,
  { db, shop }: Pick<WorkerContext, "db" | "shop">,
  { parameters }: RenderedMail,
) {
  const { waybillId: id } = ofWaybill.parse(parameters);
  const kind = { kind: "waybill", format: "pdf", parameters: { id } } as const;
  const source = await sourceOf(db.manager, kind, shop);
  const chunks: Uint8Array[] = [];
  for await (const chunk of renderContent(await source.content(), kind.format, () => undefined)) {
    signal.throwIfAborted();
    chunks.push(chunk);
  }
  const content = Buffer.concat(chunks);
  return { filename: namesOf(kind).ascii, content, contentType: contentTypes.pdf };
}

/** The link has to work when the mail arrives. */
async function awaitPriceList(
  job: Run,
  { mailStatements, shop }: Pick<WorkerContext, "mailStatements" | "shop">,
  day: string,
) {
  if (await mailStatements.hasPriceList(day)) return;
  await job.commit((tx) => ensurePriceList(tx, day, shop));
  for (const end = Date.now() + listPatienceMs; Date.now() < end; ) {
    if (await mailStatements.hasPriceList(day)) return;
    await sleep(pollMs, undefined, { signal: job.signal });
  }
  throw new Error(`The price list of ${day} is not made yet`);
}
