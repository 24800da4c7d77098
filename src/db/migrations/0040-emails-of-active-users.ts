import type { MigrationInterface, QueryRunner } from "typeorm";

/** An e-mail is unique among active users: a person whose account was deleted may sign up again. */
export class EmailsOfActiveUsers1767225600040 implements MigrationInterface {
  async up(runner: QueryRunner) {
    await runner.query(`
      DROP INDEX users_email_key;
      CREATE UNIQUE INDEX users_email_key ON users (lower(email)) WHERE is_active AND email_verified IS NOT FALSE;
    `);
  }

  /** Fails while two users have the same e-mail. */
  async down(runner: QueryRunner) {
    await runner.query(`
      DROP INDEX users_email_key;
      CREATE UNIQUE INDEX users_email_key ON users (lower(email)) WHERE email_verified IS NOT FALSE;
    `);
  }
}
