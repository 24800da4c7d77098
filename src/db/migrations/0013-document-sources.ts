import type { MigrationInterface, QueryRunner } from "typeorm";

export class DocumentSources1764892800013 implements MigrationInterface {
  async up(runner: QueryRunner) {
    await runner.query(`
      -- Null: made before there was one, or its file is gone.
      ALTER TABLE documents ADD COLUMN source_hash text;
      CREATE INDEX documents_source_hash ON documents (source_hash) WHERE source_hash IS NOT NULL;
      DROP INDEX documents_unfinished;
    `);
  }

  async down(runner: QueryRunner) {
    await runner.query(`
      CREATE INDEX documents_unfinished ON documents (kind, format) WHERE ready_at IS NULL;
      DROP INDEX documents_source_hash;
      ALTER TABLE documents DROP COLUMN source_hash;
    `);
  }
}
