import type { MigrationInterface, QueryRunner } from "typeorm";

/** Objects of the bucket that the last pass found without a reference; the next one may remove them. */
export class StrayObjects1764547200009 implements MigrationInterface {
  async up(runner: QueryRunner) {
    await runner.query(`
      CREATE TABLE stray_object (
        key text PRIMARY KEY,
        -- The job of the pass; no foreign key, because it only has to differ from that of the next one.
        found_by uuid NOT NULL,
        found_at timestamptz NOT NULL DEFAULT now()
      );
    `);
  }

  async down(runner: QueryRunner) {
    await runner.query("DROP TABLE stray_object");
  }
}
