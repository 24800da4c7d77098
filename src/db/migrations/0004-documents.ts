import type { MigrationInterface, QueryRunner } from "typeorm";

export class Documents1764115200004 implements MigrationInterface {
  async up(runner: QueryRunner) {
    await runner.query(`
      -- For the questions whether a document is being made already, and whether there is one of today.
      CREATE INDEX documents_unfinished ON documents (kind, format) WHERE ready_at IS NULL;
      CREATE INDEX documents_ready ON documents (kind, format, ready_at DESC) WHERE ready_at IS NOT NULL;
    `);
  }

  async down(runner: QueryRunner) {
    await runner.query("DROP INDEX documents_ready, documents_unfinished");
  }
}
