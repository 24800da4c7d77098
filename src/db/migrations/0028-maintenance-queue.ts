import type { MigrationInterface, QueryRunner } from "typeorm";

/** Renames the queue `upkeep` to `maintenance`; finished jobs keep the name under which they ran. */
export class MaintenanceQueue1766188800028 implements MigrationInterface {
  async up(runner: QueryRunner) {
    await rename(runner, "upkeep", "maintenance");
  }

  async down(runner: QueryRunner) {
    await rename(runner, "maintenance", "upkeep");
  }
}

async function rename(runner: QueryRunner, from: string, to: string) {
  await runner.query(`
    UPDATE job SET queue = '${to}' WHERE queue = '${from}' AND finished_at IS NULL;
    UPDATE job_outbox SET queue = '${to}' WHERE queue = '${from}';
    UPDATE job_in_flight SET queue = '${to}' WHERE queue = '${from}';
    UPDATE queue_pause SET queue = '${to}' WHERE queue = '${from}';
    UPDATE job_group_pause SET queue = '${to}' WHERE queue = '${from}';
    UPDATE job_group_weight SET queue = '${to}' WHERE queue = '${from}';
  `);
}
