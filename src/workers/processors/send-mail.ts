import type { EntityManager } from "typeorm";
import { type MailReply, type MailToSend, mails } from "../../db/dao/mail/mails.ts";
import { CancelledError, costOf, FencedError, PermanentError, sharedWrites } from "../../engine/worker.ts";
import { UnavailableError } from "../../errors.ts";
import { type MailKindName, mailKindOf } from "../../jobs/mail-kinds.ts";
import { sendMail } from "../../jobs/send-mail.ts";
import {
  DeferredMailError,
  MailServerError,
  RefusedMailError,
  type SmtpReply,
  UncertainMailError,
} from "../../platform/mailer.ts";
import { isPaced, planMail } from "../../services/mail/mail-pace.ts";
import { isErased, isHeldBack } from "../../services/mail/mail-suppressions.ts";
import type { JobRun, Processor, WorkerContext } from "../context.ts";
import type { MailContent } from "../mail/compose.ts";
import { renderMail } from "../mail/render-mail.ts";
import { untilWritten } from "../until-written.ts";

type Run = JobRun<"send-mail">;

/** The mails of a resumed newsletter do not wait for the rest of this time. */
const pausedMs = 3_600_000;

/** The mail may be in flight: too early to look for it. */
export class MailInDoubtError extends UnavailableError {}

/**
 * Sends one mail, once: the row says `sending` before the first byte, and a worker that finds it so does not send it
 * again before its outcome is settled (`settle`).
 */
export const sendMailProcessor: Processor<"send-mail"> = {
  async run(job, context) {
    const mail = await context.mailStatements.find(job.payload);
    if (!mail || mail.sentAt || mail.state === "suppressed")
      return job.complete(async () => ({ skipped: "it was sent before, must not be sent, or was deleted" }));
    if (mail.state === "unknown") throw new UncertainMailError(asks(mail));
    if (mail.state === "sending" && (await settle(job, context, mail))) {
      const found = { code: null, text: "It had arrived: it was found by its Message-ID" };
      return recordSent(job, context, mail.id, found);
    }
    if (context.mailRules.off.has(mail.kind as MailKindName)) return holdBack(job, mail, switchedOff);
    const waitMs = await waitOf(job, context, mail);
    if (waitMs > 0) return job.snooze(waitMs);
    if (isHeldBack(mail)) return suppress(job, mail);
    const heldMs = context.mailer.waitMs(messageIdOf(context, mail));
    if (heldMs > 0) return job.snooze(heldMs);
    await deliver(job, context, mail, await renderMail(job, context, mail));
  },
};

const messageIdOf = ({ mailer }: WorkerContext, { id, messageId }: MailToSend) => messageId ?? mailer.messageIdOf(id);

/** How long a mail has to wait for its slot. */
async function waitOf(job: Run, { mailRules: { pace } }: WorkerContext, mail: MailToSend): Promise<number> {
  if (mail.isPaused) return pausedMs;
  if (!isPaced(pace)) return 0;
  return (await committed(job, (tx) => planMail(tx, mail, pace, new Date()))) ?? 0;
}

const switchedOff = "Mails of this kind are disabled (MAIL_OFF)";

async function suppress(job: Run, mail: MailToSend) {
  const text = isErased(mail.recipient)
    ? "What was stored about its recipient is erased"
    : `Its recipient is on the suppression list: ${mail.suppressedFor}`;
  // The reason on the suppression list belongs to the mail only, not to the ledger.
  await holdBack(job, mail, text, mail.suppressionDetail ? `${text}, ${mail.suppressionDetail}` : text);
}

async function holdBack(job: Run, { id }: MailToSend, skipped: string, text = skipped) {
  await job.complete(async (tx) => {
    await mails.markEnded(tx, id, "suppressed", { code: null, text });
    return { skipped };
  });
}

/**
 * Finds out whether a mail arrived whose connection broke; false when it may be sent again. Throws `MailInDoubtError`
 * when it is too early to tell, and `UncertainMailError` when only a person can decide.
 */
async function settle(job: Run, context: WorkerContext, mail: MailToSend): Promise<boolean> {
  const { mailer } = context;
  const waitMs = mailer.graceMs - (mail.sendingAgeMs ?? 0);
  if (waitMs > 0)
    throw new MailInDoubtError(`Whether it arrived can be found out in ${Math.ceil(waitMs / 1_000)} s at the earliest`);
  if (mailer.probe) {
    if (await mailer.probe.has(messageIdOf(context, mail), job.signal)) return true;
  } else if (mailKindOf(mail.kind)?.inDoubt !== "resend") {
    await job.commit((tx) => mails.markEnded(tx, mail.id, "unknown", nothingSaid));
    throw new UncertainMailError(asks(mail));
  }
  if (mail.tries < sendMail.retry.attempts) return false;
  const text = `The connection broke at each of the ${mail.tries} attempts`;
  await job.commit((tx) => mails.markEnded(tx, mail.id, "failed", { code: null, text }));
  throw new PermanentError(text);
}

const nothingSaid: MailReply = { code: null, text: null };

const asks = ({ id, messageId }: MailToSend) =>
  `It is unknown whether it was sent. Look for the Message-ID '${messageId}' at the mail server, and if it is not there, ` +
  `have mail ${id} resent`;

async function deliver(job: Run, context: WorkerContext, mail: MailToSend, content: MailContent) {
  const { mailer, mailStatements } = context;
  // Measured from before the row is updated, however long this process is frozen in between.
  const sendDeadline = performance.now() + mailer.graceMs / 2;
  const wanted = { id: mail.id, messageId: mailer.messageIdOf(mail.id) };
  const sending = await sharedWrites(job).commit((claim) => mailStatements.begin({ ...wanted, claim }));
  if (!sending) return job.complete(async () => ({ skipped: "it must not be sent any more" }));
  const { messageId, epoch } = sending;
  const headers = { ...content.headers, ...(job.request && { "X-Request-Id": job.request }) };
  const outgoing = { messageId, to: mail.recipient, ...content, headers };
  const answer = await mailer.send(outgoing, { signal: job.signal, sendDeadline }).catch(async (error: unknown) => {
    throw await recordNotSent(job, context, { id: mail.id, epoch }, error);
  });
  await recordSent(job, context, mail.id, { code: Number(answer.slice(0, 3)) || null, text: answer });
}

async function committed<T>(job: Run, effect: (tx: EntityManager) => Promise<T>): Promise<T | undefined> {
  let result: T | undefined;
  await job.commit(async (tx) => {
    result = await effect(tx);
  });
  return result;
}

async function recordSent(job: Run, context: WorkerContext, id: string, reply: MailReply) {
  const write = () => sharedWrites(job).complete((claim) => context.mailStatements.end({ id, reply, claim }));
  // The mail is sent, however this run ends; it is recorded as sent even if the claim is lost.
  await untilWritten(job, context, write).catch((error: unknown) => {
    if (error instanceof FencedError) throw error;
    return write();
  });
}

/** Records a mail that was not sent, or not certainly; returns how its run ends. */
async function recordNotSent(job: Run, context: WorkerContext, sending: { id: string; epoch: number }, error: unknown) {
  const tx = context.db.manager;
  if (error instanceof UncertainMailError) {
    if (!(job.signal.reason instanceof CancelledError)) return new MailInDoubtError(error.message, { cause: error });
    // No worker returns to a cancelled job.
    await mails.markEnded(tx, sending.id, "unknown", nothingSaid);
    return error;
  }
  const said = replyOf(error);
  const reply = said ? { code: said.code, text: said.reply } : { code: null, text: String(error) };
  await untilWritten(job, context, () => mails.markNotSent(tx, sending, reply, costOf(error)));
  return error;
}

function replyOf(error: unknown): SmtpReply | undefined {
  if (error instanceof RefusedMailError || error instanceof DeferredMailError) return error;
  return error instanceof MailServerError ? error.reply : undefined;
}
