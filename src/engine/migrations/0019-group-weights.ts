import type { MigrationInterface, QueryRunner } from "typeorm";

/** Groups of jobs that get a larger share than others; drops an old column. */
export class GroupWeights1765411200019 implements MigrationInterface {
  async up(runner: QueryRunner) {
    await runner.query(`
      CREATE TABLE job_group_weight (
        queue text NOT NULL,
        group_key text NOT NULL,
        weight integer NOT NULL CONSTRAINT job_group_weight_range CHECK (weight BETWEEN 2 AND 100),
        PRIMARY KEY (queue, group_key)
      );
      -- Written by no code since 0007.
      ALTER TABLE job DROP COLUMN dispatched_at;
    `);
  }

  async down(runner: QueryRunner) {
    await runner.query(`
      ALTER TABLE job ADD COLUMN dispatched_at timestamptz;
      DROP TABLE job_group_weight;
    `);
  }
}
