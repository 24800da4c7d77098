import { z } from "zod";
import { type ShownMail, shownMailStates } from "../../db/dao/mail/mails.ts";
import { languages } from "../../db/entities/accounts/user.ts";
import { timestamp } from "../http/fields.ts";

export const MailView = z
  .object({
    id: z.uuid(),
    kind: z.string(),
    recipient: z.string(),
    language: z.enum(languages),
    state: z.enum(shownMailStates).meta({
      description:
        "queued, retry: waits; sending: in transfer, or the result is not known yet; sent: the server has accepted it; " +
        "failed, cancelled: will not be sent; unknown: it may have arrived, a person must check; suppressed: held back, `server_answer` says why",
    }),
    tries: z.int().meta({ description: "Attempts to send it" }),
    message_id: z.string().nullable(),
    smtp_code: z.int().nullable(),
    server_answer: z.string().nullable().meta({ description: "What the server said last, or why nothing was sent" }),
    sent_at: timestamp.nullable(),
    resend_of: z.uuid().nullable(),
    resend_reason: z.string().nullable(),
    job_id: z.uuid().nullable(),
    created_at: timestamp,
  })
  .meta({ id: "Mail", description: "One message to one recipient; its text is not kept" });

export function mailView(mail: ShownMail): z.output<typeof MailView> {
  return {
    id: mail.id,
    kind: mail.kind,
    recipient: mail.recipient,
    language: mail.language,
    state: mail.shownState,
    tries: mail.tries,
    message_id: mail.messageId,
    smtp_code: mail.smtpCode,
    server_answer: mail.serverAnswer,
    sent_at: mail.sentAt?.toISOString() ?? null,
    resend_of: mail.resendOf,
    resend_reason: mail.resendReason,
    job_id: mail.jobId,
    created_at: mail.createdAt.toISOString(),
  };
}
