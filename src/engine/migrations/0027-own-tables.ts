import type { MigrationInterface, QueryRunner } from "typeorm";

/** The engine knows no users of an application: it stores the ids of those who pause, without a foreign key. */
export class OwnTables1766102400027 implements MigrationInterface {
  async up(runner: QueryRunner) {
    await runner.query(`
      ALTER TABLE queue_pause DROP CONSTRAINT IF EXISTS queue_pause_paused_by_fkey;
      ALTER TABLE job_group_pause DROP CONSTRAINT IF EXISTS job_group_pause_paused_by_fkey;
      DROP INDEX queue_pause_paused_by, job_group_pause_paused_by;
    `);
  }

  async down(runner: QueryRunner) {
    await runner.query(`
      CREATE INDEX queue_pause_paused_by ON queue_pause (paused_by);
      CREATE INDEX job_group_pause_paused_by ON job_group_pause (paused_by);
    `);
  }
}
