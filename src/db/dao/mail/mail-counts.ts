import type { EntityManager } from "typeorm";

/** The key of a count of mails: a span of time, a kind of act and the hash of a mailbox. */
export interface MailCountKey {
  span: string;
  act: string;
  mailbox: string;
}

export interface MailCount extends MailCountKey {
  mails: number;
}

/** The same order everywhere, or two transactions would deadlock. */
const order = "ORDER BY span, act, mailbox";

/** Counts of mails by mailbox, over all processes. */
export const mailCounts = {
  /** Locks these counts until the transaction ends, and returns them; each key may occur once. */
  lock: (tx: EntityManager, keys: readonly MailCountKey[]): Promise<MailCount[]> =>
    tx.query(
      `INSERT INTO mail_counts AS known (span, act, mailbox)
       SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) AS wanted (span, act, mailbox) ${order}
       ON CONFLICT (span, act, mailbox) DO UPDATE SET mails = known.mails
       RETURNING span, act, mailbox, mails`,
      [keys.map(({ span }) => span), keys.map(({ act }) => act), keys.map(({ mailbox }) => mailbox)],
    ),

  /** Writes counts that the caller has locked. */
  async write(tx: EntityManager, counts: readonly MailCount[]) {
    await tx.query(
      `UPDATE mail_counts known SET mails = counted.mails
       FROM unnest($1::text[], $2::text[], $3::text[], $4::int[]) AS counted (span, act, mailbox, mails)
       WHERE known.span = counted.span AND known.act = counted.act AND known.mailbox = counted.mailbox`,
      [
        counts.map(({ span }) => span),
        counts.map(({ act }) => act),
        counts.map(({ mailbox }) => mailbox),
        counts.map(({ mails }) => mails),
      ],
    );
  },
};
