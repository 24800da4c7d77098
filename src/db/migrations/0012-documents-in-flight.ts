import type { MigrationInterface, QueryRunner } from "typeorm";

export class DocumentsInFlight1764806400012 implements MigrationInterface {
  async up(runner: QueryRunner) {
    await runner.query(`
      -- To count the documents that are being made for a user, who may have ordered thousands.
      CREATE INDEX documents_in_flight ON documents (requested_by) WHERE ready_at IS NULL;
    `);
  }

  async down(runner: QueryRunner) {
    await runner.query("DROP INDEX documents_in_flight");
  }
}
