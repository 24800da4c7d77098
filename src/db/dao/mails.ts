import type { EntityManager, SelectQueryBuilder } from "typeorm";
import { Mail, type MailState, mailStates } from "../entities/mail.ts";

export type NewMail = Pick<Mail, "id" | "sendKey" | "kind" | "recipient" | "language" | "parameters" | "jobId"> &
  Partial<Pick<Mail, "resendOf" | "resendReason">>;

/** What a mail server answered: the code of its reply, if it was one, and the words. */
export interface MailReply {
  code: number | null;
  text: string | null;
}

/** How long ago the last dialogue began, by the clock of Postgres. */
export type MailWithAge = Mail & { sendingAgeMs: number | null };

const newColumns = `(id, send_key, kind, recipient, language, parameters, job_id, resend_of, resend_reason)`;

/** What a mail is to people: its own state, and what the end of its job says about it. */
export const shownMailStates = [...mailStates, "cancelled"] as const;
export type ShownMailState = (typeof shownMailStates)[number];
export type ShownMail = Mail & { shownState: ShownMailState };

export interface MailFilter {
  recipient?: string | undefined;
  state?: ShownMailState | undefined;
  kind?: string | undefined;
}

/** Nobody comes back to a mail whose job is over. */
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

/** Mails that were asked for; their text is made when they are sent. */
export const mails = {
  findById: (tx: EntityManager, id: string) => tx.findOneBy(Mail, { id }),

  findByJob: (tx: EntityManager, jobId: string) => tx.findOneBy(Mail, { jobId }),

  async findShown(tx: EntityManager, id: string): Promise<ShownMail | undefined> {
    const [mail] = await readShown(shown(tx).where("mail.id = :id", { id }));
    return mail;
  },

  /** One page, newest first, and how many there are in all. */
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

  /** Has a mail that ended badly sent again by its job, as if it had not been tried. */
  async reopen(tx: EntityManager, id: string, resendReason: string) {
    await tx.update(Mail, { id }, { state: "retry", tries: 0, resendReason });
  },

  async findWithAge(tx: EntityManager, id: string): Promise<MailWithAge | null> {
    const { entities, raw } = await tx
      .createQueryBuilder(Mail, "mail")
      .addSelect("extract(epoch FROM now() - mail.sending_at) * 1000", "age")
      .where({ id })
      .getRawAndEntities<{ age: string | null }>();
    const [mail] = entities;
    if (!mail) return null;
    const age = raw[0]?.age ?? null;
    return Object.assign(mail, { sendingAgeMs: age === null ? null : Number(age) });
  },

  /** Enters those whose send key is new. */
  async insertNew(tx: EntityManager, rows: readonly NewMail[]) {
    await tx.query(
      `INSERT INTO mails ${newColumns}
       SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::jsonb[], $7::uuid[],
                            $8::uuid[], $9::text[])
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
      ],
    );
  },

  /** Plans a mail for so many milliseconds from now. */
  async setSlot(tx: EntityManager, id: string, waitMs: number) {
    await tx.query("UPDATE mails SET slot_at = now() + $2 * interval '1 millisecond' WHERE id = $1", [id, waitMs]);
  },

  /**
   * Notes, before the first byte, that a mail goes out now in the name of its job's present claim, which the caller
   * holds; returns the Message-ID to use and that claim's epoch, or undefined when it must not go out.
   */
  async markSending(
    tx: EntityManager,
    id: string,
    { jobId, messageId }: { jobId: string; messageId: string },
  ): Promise<{ messageId: string; epoch: number } | undefined> {
    const [rows]: [{ messageId: string; epoch: number }[], number] = await tx.query(
      `UPDATE mails SET state = 'sending', sending_at = now(), tries = tries + 1, epoch = job.epoch,
         message_id = coalesce(message_id, $3)
       FROM job WHERE job.id = $2 AND mails.id = $1 AND mails.state IN ('queued', 'retry', 'failed', 'sending')
       RETURNING message_id AS "messageId", mails.epoch`,
      [id, jobId, messageId],
    );
    return rows[0];
  },

  /** Notes that the server has it. Harmless to repeat, and true whoever holds the job by now. */
  async markSent(tx: EntityManager, id: string, { code, text }: MailReply) {
    await tx.query(
      `UPDATE mails SET state = 'sent', smtp_code = $2, server_answer = $3, sent_at = coalesce(sent_at, now())
       WHERE id = $1`,
      [id, code, text],
    );
  },

  /**
   * Notes that the server has not got it: it will be tried again, unless that was for good or its job has no attempt
   * left. Says nothing when another claim has begun to send it since.
   */
  async markNotSent(
    tx: EntityManager,
    { id, epoch }: { id: string; epoch: number },
    { code, text }: MailReply,
    isForGood: boolean,
  ) {
    await tx.query(
      `UPDATE mails SET smtp_code = $3, server_answer = $4,
         state = CASE WHEN $5 OR job.failures + 1 >= job.max_failures THEN 'failed' ELSE 'retry' END
       FROM job WHERE job.id = mails.job_id AND mails.id = $1 AND mails.epoch = $2 AND mails.state = 'sending'`,
      [id, epoch, code, text, isForGood],
    );
  },

  /** Notes how it ended without being sent, or that nobody knows. */
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
