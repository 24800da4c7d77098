import type { PayloadOf } from "../engine/index.ts";
import { checkCardPayments } from "./check-card-payments.ts";
import { collectGarbage } from "./collect-garbage.ts";
import { deliverWebhook } from "./deliver-webhook.ts";
import { digestLowStock } from "./digest-low-stock.ts";
import { erasePerson } from "./erase-person.ts";
import { processImage } from "./process-image.ts";
import { pruneLedger } from "./prune-ledger.ts";
import { publishFeed } from "./publish-feed.ts";
import { publishPriceList } from "./publish-price-list.ts";
import { remakeImage } from "./remake-image.ts";
import { renderDocument } from "./render-document.ts";
import { replayJobs } from "./replay-jobs.ts";
import { reprocessImages } from "./reprocess-images.ts";
import { sendMail } from "./send-mail.ts";
import { sendNewsletter } from "./send-newsletter.ts";
import { settlePayment } from "./settle-payment.ts";

/** All jobs. After a line here `workers/processors/index.ts` does not compile until it has the processor. */
export const jobs = {
  [deliverWebhook.name]: deliverWebhook,
  [checkCardPayments.name]: checkCardPayments,
  [collectGarbage.name]: collectGarbage,
  [digestLowStock.name]: digestLowStock,
  [erasePerson.name]: erasePerson,
  [processImage.name]: processImage,
  [pruneLedger.name]: pruneLedger,
  [publishFeed.name]: publishFeed,
  [publishPriceList.name]: publishPriceList,
  [remakeImage.name]: remakeImage,
  [renderDocument.name]: renderDocument,
  [replayJobs.name]: replayJobs,
  [reprocessImages.name]: reprocessImages,
  [sendMail.name]: sendMail,
  [sendNewsletter.name]: sendNewsletter,
  [settlePayment.name]: settlePayment,
} as const;

export type JobName = keyof typeof jobs;
export type JobPayload<N extends JobName> = PayloadOf<(typeof jobs)[N]>;

export function isJobName(name: string): name is JobName {
  return Object.hasOwn(jobs, name);
}
