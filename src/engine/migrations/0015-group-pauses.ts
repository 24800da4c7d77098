import type { MigrationInterface, QueryRunner } from "typeorm";

/** Groups of jobs that are paused; their jobs wait in the outbox. Older databases have the table of `MailPace`. */
export class GroupPauses1765152000015 implements MigrationInterface {
  async up(runner: QueryRunner) {
    await runner.query(`
      CREATE TABLE IF NOT EXISTS job_group_pause (
        queue text NOT NULL,
        group_key text NOT NULL,
        paused_by uuid,
        paused_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (queue, group_key)
      );
      CREATE INDEX IF NOT EXISTS job_group_pause_paused_by ON job_group_pause (paused_by);
    `);
  }

  async down(runner: QueryRunner) {
    await runner.query("DROP TABLE job_group_pause");
  }
}
