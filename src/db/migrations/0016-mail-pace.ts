import type { MigrationInterface, QueryRunner } from "typeorm";

/** The rate of mails. */
export class MailPace1765152000016 implements MigrationInterface {
  async up(runner: QueryRunner) {
    await runner.query(`
      -- When the next mail may go to a domain, and how many there were on a day of the shop.
      CREATE TABLE mail_pace (domain text PRIMARY KEY, next_at timestamptz NOT NULL);
      CREATE TABLE mail_days (day date PRIMARY KEY, mails integer NOT NULL);
      ALTER TABLE mails ADD COLUMN slot_at timestamptz;
    `);
  }

  async down(runner: QueryRunner) {
    await runner.query(`
      ALTER TABLE mails DROP COLUMN slot_at;
      DROP TABLE mail_days, mail_pace;
    `);
  }
}
