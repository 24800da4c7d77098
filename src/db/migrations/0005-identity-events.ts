import type { MigrationInterface, QueryRunner } from "typeorm";

export class IdentityEvents1764201600005 implements MigrationInterface {
  async up(runner: QueryRunner) {
    await runner.query(`
      -- When the identity provider last changed what it has told us of the user; an event from before is stale.
      ALTER TABLE users ADD COLUMN identity_updated_at timestamptz;
      CREATE INDEX addresses_newest ON addresses (created_at DESC, id DESC);
    `);
  }

  async down(runner: QueryRunner) {
    await runner.query("DROP INDEX addresses_newest; ALTER TABLE users DROP COLUMN identity_updated_at");
  }
}
