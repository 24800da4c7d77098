import type { JobName } from "../../jobs/index.ts";
import type { Processor } from "../context.ts";
import { deliverWebhookProcessor } from "./deliver-webhook.ts";
import { processImageProcessor } from "./process-image.ts";
import { renderDocumentProcessor } from "./render-document.ts";
import { replayJobsProcessor } from "./replay-jobs.ts";
import { sendMailProcessor } from "./send-mail.ts";

/** One processor for each job; a missing or mistyped one does not compile. */
export const processors: { [N in JobName]: Processor<N> } = {
  "deliver-webhook": deliverWebhookProcessor,
  "process-image": processImageProcessor,
  "render-document": renderDocumentProcessor,
  "replay-jobs": replayJobsProcessor,
  "send-mail": sendMailProcessor,
};
