import type { MigrationInterface, QueryRunner } from "typeorm";

/** Counts of mails by kind of act and mailbox, and a mark for orders of guests. */
export class MailCounts1765584000021 implements MigrationInterface {
  async up(runner: QueryRunner) {
    await runner.query(`
      CREATE TABLE mail_counts (
        -- A day of the shop, or the beginning of a shorter span.
        span text NOT NULL,
        act text NOT NULL,
        -- Hash of the mailbox, because the row outlives what is kept of a person.
        mailbox text NOT NULL,
        mails integer NOT NULL DEFAULT 0 CHECK (mails >= 0),
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (span, act, mailbox)
      );
      CREATE INDEX mail_counts_oldest ON mail_counts (created_at);
      -- The version before counts no mail, so its orders need not say it.
      ALTER TABLE orders ADD COLUMN by_guest boolean NOT NULL DEFAULT false;
    `);
  }

  async down(runner: QueryRunner) {
    await runner.query("ALTER TABLE orders DROP COLUMN by_guest; DROP TABLE mail_counts;");
  }
}
