import type { EntityManager } from "typeorm";

/** The rate of mails, by the clock of Postgres and over all processes together. */
export const mailPace = {
  /** Counts a mail of a day; returns false, and does not count it, when the day has `maxMails` of them. */
  async count(tx: EntityManager, day: string, maxMails: number): Promise<boolean> {
    const rows = await tx.query(
      `INSERT INTO mail_days AS known (day, mails) VALUES ($1, 1)
       ON CONFLICT (day) DO UPDATE SET mails = known.mails + 1 WHERE known.mails < $2 RETURNING day`,
      [day, maxMails],
    );
    return rows.length > 0;
  },

  /** Reserves the next slot of a domain with a limit per minute, and returns the milliseconds until then. */
  async takeTurn(tx: EntityManager, domain: string, perMinute: number): Promise<number> {
    const [row]: { waitMs: number }[] = await tx.query(
      `INSERT INTO mail_pace AS known (domain, next_at) VALUES ($1, now() + $2 * interval '1 millisecond')
       ON CONFLICT (domain) DO UPDATE
         SET next_at = greatest(known.next_at, now()) + $2 * interval '1 millisecond'
       RETURNING extract(epoch FROM next_at - now())::float8 * 1000 - $2 AS "waitMs"`,
      [domain, 60_000 / perMinute],
    );
    return Math.max(0, Math.ceil(row?.waitMs ?? 0));
  },
};
