import type { MigrationInterface, QueryRunner } from "typeorm";

/**
 * The outbox without a foreign key: the statement that writes a job writes its row, which is removed before the job can
 * be. The check cost each enqueue a lookup in the ledger, by a plan that connections kept from when the ledger was
 * empty: it read the whole table, 1.5 ms at 20,000 jobs, until the first ANALYZE. A row left over by accident is
 * published once, found to have no job, and removed.
 */
export class FreeOutbox1765497600020 implements MigrationInterface {
  async up(runner: QueryRunner) {
    await runner.query("ALTER TABLE job_outbox DROP CONSTRAINT job_outbox_job_id_fkey");
  }

  async down(runner: QueryRunner) {
    await runner.query(`
      DELETE FROM job_outbox WHERE NOT EXISTS (SELECT 1 FROM job WHERE job.id = job_outbox.job_id);
      ALTER TABLE job_outbox ADD CONSTRAINT job_outbox_job_id_fkey
        FOREIGN KEY (job_id) REFERENCES job ON DELETE CASCADE;
    `);
  }
}
