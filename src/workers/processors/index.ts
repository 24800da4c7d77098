import type { JobName } from "../../jobs/index.ts";
import type { Processor } from "../context.ts";
import { checkCardPaymentsProcessor } from "./check-card-payments.ts";
import { collectGarbageProcessor } from "./collect-garbage.ts";
import { deliverWebhookProcessor } from "./deliver-webhook.ts";
import { digestLowStockProcessor } from "./digest-low-stock.ts";
import { erasePersonProcessor } from "./erase-person.ts";
import { processImageProcessor } from "./process-image.ts";
import { pruneLedgerProcessor } from "./prune-ledger.ts";
import { publishFeedProcessor } from "./publish-feed.ts";
import { publishPriceListProcessor } from "./publish-price-list.ts";
import { remakeImageProcessor } from "./remake-image.ts";
import { renderDocumentProcessor } from "./render-document.ts";
import { replayJobsProcessor } from "./replay-jobs.ts";
import { reprocessImagesProcessor } from "./reprocess-images.ts";
import { sendMailProcessor } from "./send-mail.ts";
import { sendNewsletterProcessor } from "./send-newsletter.ts";
import { settlePaymentProcessor } from "./settle-payment.ts";

/** One processor for each job; a missing or mistyped one does not compile. */
export const processors: { [N in JobName]: Processor<N> } = {
  "deliver-webhook": deliverWebhookProcessor,
  "check-card-payments": checkCardPaymentsProcessor,
  "collect-garbage": collectGarbageProcessor,
  "digest-low-stock": digestLowStockProcessor,
  "erase-person": erasePersonProcessor,
  "process-image": processImageProcessor,
  "prune-ledger": pruneLedgerProcessor,
  "publish-feed": publishFeedProcessor,
  "publish-price-list": publishPriceListProcessor,
  "remake-image": remakeImageProcessor,
  "render-document": renderDocumentProcessor,
  "replay-jobs": replayJobsProcessor,
  "reprocess-images": reprocessImagesProcessor,
  "send-mail": sendMailProcessor,
  "send-newsletter": sendNewsletterProcessor,
  "settle-payment": settlePaymentProcessor,
};
