import type { AnyJob, PayloadOf } from "./define-job.ts";
import { deliverWebhook } from "./deliver-webhook.ts";
import { processImage } from "./process-image.ts";
import { renderDocument } from "./render-document.ts";
import { replayJobs } from "./replay-jobs.ts";
import { sendMail } from "./send-mail.ts";

/** Every job there is. After a line here `workers/processors/index.ts` does not compile until it has the processor. */
export const jobs = {
  [deliverWebhook.name]: deliverWebhook,
  [processImage.name]: processImage,
  [renderDocument.name]: renderDocument,
  [replayJobs.name]: replayJobs,
  [sendMail.name]: sendMail,
} as const;

/** Definitions by name: ours, or those of a test. */
export type JobKinds = Readonly<Record<string, AnyJob>>;

export type JobName = keyof typeof jobs;
export type JobPayload<N extends JobName> = PayloadOf<(typeof jobs)[N]>;

export function isJobName(name: string): name is JobName {
  return Object.hasOwn(jobs, name);
}
