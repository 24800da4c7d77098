import type { MigrationInterface, QueryRunner } from "typeorm";

/** The index for the sweep of old events; older databases have it from `GroupWeights`. */
export class ReceivedEventsByAge1766016000026 implements MigrationInterface {
  async up(runner: QueryRunner) {
    await runner.query("CREATE INDEX IF NOT EXISTS received_events_created_at ON received_events (created_at)");
  }

  async down(runner: QueryRunner) {
    await runner.query("DROP INDEX received_events_created_at");
  }
}
