import type { EntityManager, SelectQueryBuilder } from "typeorm";
import {
  cancelledError,
  claimHolds,
  claimKey,
  columnsOf,
  type FailureCost,
  fenced,
  type HeldClaim,
} from "../../../engine/worker.ts";
import { sendMail } from "../../../jobs/send-mail.ts";
import { Mail, type MailState, mailStates } from "../../entities/mail/mail.ts";
import type { MailSuppression } from "../../entities/mail/mail-suppression.ts";

export type NewMail = Pick<Mail, "id" | "sendKey" | "kind" | "recipient" | "language" | "parameters" | "jobId"> &
  Partial<Pick<Mail, "resendOf" | "resendReason" | "state" | "serverAnswer">>;

/** The answer of a mail server: the code of its reply, if there was one, and the text. */
export interface MailReply {
  code: number | null;
  text: string | null;
}

/** A mail, and the other data that decide whether it goes out now. */
export interface MailToSend extends Omit<Mail, "job"> {
  /** How long ago the last SMTP transaction began, by the clock of Postgres. */
  sendingAgeMs: number | null;
  /** The reason on the suppression list for its recipient. */
  suppressedFor: MailSuppression["reason"] | null;
  suppressionDetail: string | null;
  /** Its newsletter is paused. */
  isPaused: boolean;
}

const columns = `mails.id, send_key AS "sendKey", mails.kind, recipient, language, parameters, mails.state,
  job_id AS "jobId", mails.epoch, tries, sending_at AS "sendingAt", slot_at AS "slotAt", message_id AS "messageId",
  smtp_code AS "smtpCode", server_answer AS "serverAnswer", sent_at AS "sentAt", resend_of AS "resendOf",
  resend_reason AS "resendReason", mails.created_at AS "createdAt"`;

/** A mail that is about to go out under this claim on its job. */
export interface MailBegin {
  id: string;
  messageId: string;
  claim: HeldClaim;
}

/** A mail that went out under this claim on its job. */
export interface MailEnd {
  id: string;
  reply: MailReply;
  claim: HeldClaim;
}

/** The Message-ID and the claim's epoch to send it under; undefined when it must not be sent any more. */
export type MailBegun = { messageId: string; epoch: number } | undefined;

const newColumns = `(id, send_key, kind, recipient, language, parameters, job_id, resend_of, resend_reason, state,
  server_answer)`;

/** The state of a mail for people: its own state, combined with the end of its job. */
export const shownMailStates = [...mailStates, "cancelled"] as const;
export type ShownMailState = (typeof shownMailStates)[number];
export type ShownMail = Mail & { shownState: ShownMailState };

export interface MailFilter {
  recipient?: string | undefined;
  state?: ShownMailState | undefined;
  kind?: string | undefined;
}

/** No worker returns to a mail whose job is over. */
const shownState = `CASE
  WHEN mail.state IN ('queued', 'retry') AND job.state = 'cancelled' THEN 'cancelled'
  WHEN mail.state IN ('queued', 'retry') AND job.state = 'failed' THEN 'failed'
  WHEN mail.state = 'sending' AND job.finished_at IS NOT NULL THEN 'unknown'
  ELSE mail.state END`;

/** States of rows that may be shown as the given one. */
const statesShownAs = (state: ShownMailState): MailState[] => {
  if (state === "cancelled") return ["queued", "retry"];
  if (state === "failed") return ["failed", "queued", "retry"];
  return state === "unknown" ? ["unknown", "sending"] : [state];
};

const shown = (tx: EntityManager) =>
  tx.createQueryBuilder(Mail, "mail").leftJoin("mail.job", "job").addSelect(shownState, "shown_state");

async function readShown(query: SelectQueryBuilder<Mail>): Promise<ShownMail[]> {
  const { entities, raw } = await query.getRawAndEntities<{ shown_state: ShownMailState }>();
  return entities.map((mail, index) => Object.assign(mail, { shownState: raw[index]?.shown_state ?? mail.state }));
}

/** Requested mails; their text is made when they are sent. */
export const mails = {
  findById: (tx: EntityManager, id: string) => tx.findOneBy(Mail, { id }),

  findByJob: (tx: EntityManager, jobId: string) => tx.findOneBy(Mail, { jobId }),

  async findShown(tx: EntityManager, id: string): Promise<ShownMail | undefined> {
    const [mail] = await readShown(shown(tx).where("mail.id = :id", { id }));
    return mail;
  },

  /** One page, newest first, and the total. */
  async list(tx: EntityManager, { recipient, state, kind }: MailFilter, page: { limit: number; offset: number }) {
    const query = shown(tx);
    if (recipient !== undefined) query.andWhere("lower(mail.recipient) = lower(:recipient)", { recipient });
    if (kind !== undefined) query.andWhere("mail.kind = :kind", { kind });
    if (state !== undefined) {
      query.andWhere(`mail.state = ANY(:states) AND ${shownState} = :state`, { states: statesShownAs(state), state });
    }
    const total = await query.getCount();
    query.orderBy("mail.createdAt", "DESC").addOrderBy("mail.id", "DESC").limit(page.limit).offset(page.offset);
    return [await readShown(query), total] as const;
  },

  /** Resets an unsuccessful mail, so that its job sends it as if for the first time. */
  async reopen(tx: EntityManager, id: string, resendReason: string) {
    await tx.update(Mail, { id }, { state: "retry", tries: 0, resendReason });
  },

  /** Each of these, in their order; null for one that was deleted. */
  async findToSend(
    tx: EntityManager,
    asked: readonly { mailId: string; newsletterId?: string | undefined }[],
  ): Promise<(MailToSend | null)[]> {
    const rows: MailToSend[] = await tx.query(
      `SELECT ${columns}, extract(epoch FROM now() - sending_at)::float8 * 1000 AS "sendingAgeMs",
         suppression.reason AS "suppressedFor", suppression.detail AS "suppressionDetail",
         pause.group_key IS NOT NULL AS "isPaused"
       FROM unnest($1::uuid[], $2::text[]) AS asked (id, newsletter)
       JOIN mails ON mails.id = asked.id
       LEFT JOIN mail_suppressions suppression ON suppression.address = lower(mails.recipient)
       LEFT JOIN job_group_pause pause ON pause.queue = $3 AND pause.group_key = asked.newsletter`,
      [asked.map(({ mailId }) => mailId), asked.map(({ newsletterId }) => newsletterId ?? null), sendMail.queue],
    );
    const byId = new Map(rows.map((row) => [row.id, row]));
    return asked.map(({ mailId }) => byId.get(mailId) ?? null);
  },

  /** For those that exist already: whether they were suppressed before they had a job. */
  async areHeldBack(tx: EntityManager, ids: readonly string[]): Promise<Map<string, boolean>> {
    const rows: { id: string; isHeldBack: boolean }[] = await tx.query(
      `SELECT id, state = 'suppressed' AND job_id IS NULL AS "isHeldBack" FROM mails WHERE id = ANY($1::uuid[])`,
      [ids],
    );
    return new Map(rows.map(({ id, isHeldBack }) => [id, isHeldBack]));
  },

  /** Inserts those whose send key is new. */
  async insertNew(tx: EntityManager, rows: readonly NewMail[]) {
    await tx.query(
      `INSERT INTO mails ${newColumns}
       SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::jsonb[], $7::uuid[],
                            $8::uuid[], $9::text[], $10::text[], $11::text[])
       ON CONFLICT DO NOTHING`,
      [
        rows.map(({ id }) => id),
        rows.map(({ sendKey }) => sendKey),
        rows.map(({ kind }) => kind),
        rows.map(({ recipient }) => recipient),
        rows.map(({ language }) => language),
        rows.map(({ parameters }) => JSON.stringify(parameters)),
        rows.map(({ jobId }) => jobId),
        rows.map(({ resendOf }) => resendOf ?? null),
        rows.map(({ resendReason }) => resendReason ?? null),
        rows.map(({ state }) => state ?? "queued"),
        rows.map(({ serverAnswer }) => serverAnswer ?? null),
      ],
    );
  },

  /** Schedules a mail this many milliseconds from now. */
  async setSlot(tx: EntityManager, id: string, waitMs: number) {
    await tx.query("UPDATE mails SET slot_at = now() + $2 * interval '1 millisecond' WHERE id = $1", [id, waitMs]);
  },

  /**
   * Records in one statement, before the first byte of each, that mails go out now under these claims. Answers are in
   * their order: a `FencedError` or a `CancelledError` where the claim does not hold.
   */
  async markSending(tx: EntityManager, begins: readonly MailBegin[]): Promise<(MailBegun | Error)[]> {
    const rows: { id: string; epoch: number; isCancelled: boolean; messageId: string | null }[] = await tx.query(
      `WITH held AS (
         SELECT job.id, job.epoch, cancellation IS NOT NULL AS is_cancelled, held.mail, held.message_id
         FROM unnest($1::uuid[], $2::int[], $3::text[], $4::uuid[], $5::text[])
           AS held (id, epoch, claimed_by, mail, message_id)
         JOIN job ON ${claimHolds}
         ORDER BY job.id FOR UPDATE OF job
       ), begun AS (
         UPDATE mails SET state = 'sending', sending_at = now(), tries = tries + 1, epoch = held.epoch,
           message_id = coalesce(mails.message_id, held.message_id)
         FROM held
         WHERE mails.id = held.mail AND NOT held.is_cancelled AND mails.state IN ('queued', 'retry', 'failed', 'sending')
         RETURNING mails.id, mails.message_id
       )
       SELECT held.id, held.epoch, held.is_cancelled AS "isCancelled", begun.message_id AS "messageId"
       FROM held LEFT JOIN begun ON begun.id = held.mail`,
      [
        ...columnsOf(begins.map(({ claim }) => claim)),
        begins.map(({ id }) => id),
        begins.map(({ messageId }) => messageId),
      ],
    );
    const held = new Map(rows.map((row) => [claimKey(row), row]));
    return begins.map(({ claim }) => {
      const row = held.get(claimKey(claim));
      if (!row) return fenced(claim.id);
      if (row.isCancelled) return cancelledError(claim.id);
      return row.messageId === null ? undefined : { messageId: row.messageId, epoch: row.epoch };
    });
  },

  /** Deletes links that verify an address and are older than this, up to a maximum; returns how many. */
  async forgetLinks(tx: EntityManager, days: number, limit: number): Promise<number> {
    const [, forgotten]: [unknown, number] = await tx.query(
      `UPDATE mails SET parameters = parameters - 'url' WHERE id IN (
         SELECT id FROM mails WHERE parameters ? 'url' AND created_at < now() - $2::int * interval '1 day' LIMIT $1)`,
      [limit, days],
    );
    return forgotten;
  },

  /**
   * Records in one statement that the server has these mails, whichever worker holds their jobs by now, and ends the
   * jobs of those claims that still hold; returns for each, in their order, whether its claim did. Harmless to repeat.
   */
  async markSent(tx: EntityManager, ends: readonly MailEnd[]): Promise<boolean[]> {
    const [rows]: [Pick<HeldClaim, "id" | "epoch">[], number] = await tx.query(
      `WITH held AS (
         SELECT * FROM unnest($1::uuid[], $2::int[], $3::text[], $4::uuid[], $5::smallint[], $6::text[])
           AS held (id, epoch, claimed_by, mail, code, answer)
       ), sent AS (
         UPDATE mails SET state = 'sent', smtp_code = held.code, server_answer = held.answer,
           sent_at = coalesce(sent_at, now()), parameters = parameters - 'url'
         FROM held WHERE mails.id = held.mail
       )
       UPDATE job SET state = 'succeeded', finished_at = now(), lease_until = NULL,
         result = jsonb_build_object('code', held.code)
       FROM held WHERE ${claimHolds}
       RETURNING job.id, job.epoch`,
      [
        ...columnsOf(ends.map(({ claim }) => claim)),
        ends.map(({ id }) => id),
        ends.map(({ reply }) => reply.code),
        ends.map(({ reply }) => reply.text),
      ],
    );
    const ended = new Set(rows.map(claimKey));
    return ends.map(({ claim }) => ended.has(claimKey(claim)));
  },

  /**
   * Records that the server does not have it: it is retried, unless that costs all attempts of its job or the last one.
   * What costs none is no try. Does nothing when another claim has begun to send it.
   */
  async markNotSent(
    tx: EntityManager,
    { id, epoch }: { id: string; epoch: number },
    { code, text }: MailReply,
    cost: FailureCost,
  ) {
    await tx.query(
      `UPDATE mails SET smtp_code = $3, server_answer = $4, tries = tries - ($5 = 'none')::int,
         state = CASE
           WHEN $5 = 'all' OR $5 = 'one' AND job.failures + 1 >= job.max_failures THEN 'failed' ELSE 'retry' END
       FROM job WHERE job.id = mails.job_id AND mails.id = $1 AND mails.epoch = $2 AND mails.state = 'sending'`,
      [id, epoch, code, text, cost],
    );
  },

  /** Records its end without being sent, or that the end is unknown. */
  async markEnded(
    tx: EntityManager,
    id: string,
    state: Extract<MailState, "failed" | "unknown" | "suppressed">,
    { code, text }: MailReply,
  ) {
    await tx.query("UPDATE mails SET state = $2, smtp_code = $3, server_answer = $4 WHERE id = $1", [
      id,
      state,
      code,
      text,
    ]);
  },
};
