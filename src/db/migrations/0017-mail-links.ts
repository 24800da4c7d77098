import type { MigrationInterface, QueryRunner } from "typeorm";

/** Removes the links that verify an address from mails that are sent, and from send keys. */
export class MailLinks1765238400017 implements MigrationInterface {
  async up(runner: QueryRunner) {
    await runner.query(`
      UPDATE mails SET send_key = 'verify-email:' || encode(sha256(convert_to(send_key, 'UTF8')), 'hex'),
        parameters = CASE WHEN sent_at IS NULL THEN parameters ELSE parameters - 'url' END
      WHERE kind = 'verify-email';
      CREATE INDEX mails_with_link ON mails (created_at) WHERE parameters ? 'url';
    `);
  }

  async down(runner: QueryRunner) {
    await runner.query("DROP INDEX mails_with_link");
  }
}
