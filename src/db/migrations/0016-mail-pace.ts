import type { MigrationInterface, QueryRunner } from "typeorm";

/** Groups of jobs that are paused, of one newsletter for example, and how fast mails go out. */
export class MailPace1765152000016 implements MigrationInterface {
  async up(runner: QueryRunner) {
    await runner.query(`
      -- Their jobs wait in the outbox.
      CREATE TABLE job_group_pause (
        queue text NOT NULL,
        group_key text NOT NULL,
        paused_by uuid CONSTRAINT job_group_pause_paused_by_fkey REFERENCES users ON DELETE SET NULL,
        paused_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (queue, group_key)
      );
      CREATE INDEX job_group_pause_paused_by ON job_group_pause (paused_by);

      -- When the next mail may go to a domain, and how many there were on a day of the shop.
      CREATE TABLE mail_pace (domain text PRIMARY KEY, next_at timestamptz NOT NULL);
      CREATE TABLE mail_days (day date PRIMARY KEY, mails integer NOT NULL);
      ALTER TABLE mails ADD COLUMN slot_at timestamptz;
    `);
  }

  async down(runner: QueryRunner) {
    await runner.query(`
      ALTER TABLE mails DROP COLUMN slot_at;
      DROP TABLE mail_days, mail_pace, job_group_pause;
    `);
  }
}
