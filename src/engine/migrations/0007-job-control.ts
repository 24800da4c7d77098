import type { MigrationInterface, QueryRunner } from "typeorm";

/**
 * What people control jobs with: cancellation, attempts, progress, children, groups, schedules, pauses.
 * No index names a column that changes while a job lives, but for its end, so that claims and heartbeats stay
 * heap-only updates. `job.dispatched_at` is not written any more and goes in a later release.
 */
export class JobControl1764374400007 implements MigrationInterface {
  async up(runner: QueryRunner) {
    await runner.query(`
      ALTER TABLE job DROP CONSTRAINT job_state_check;
      ALTER TABLE job
        ADD CONSTRAINT job_state_check
          CHECK (state IN ('open', 'running', 'waiting', 'succeeded', 'failed', 'unknown', 'cancelled')),
        ADD COLUMN group_key text,
        ADD COLUMN parent_id uuid REFERENCES job ON DELETE CASCADE,
        ADD COLUMN claimed_at timestamptz,
        ADD COLUMN attempts jsonb NOT NULL DEFAULT '[]',
        ADD COLUMN progress jsonb,
        ADD COLUMN cancellation jsonb,
        ADD COLUMN error_key text,
        ADD COLUMN ended_badly boolean GENERATED ALWAYS AS (state IN ('failed', 'unknown', 'cancelled')) STORED;

      DROP INDEX job_unfinished;
      CREATE INDEX job_unfinished ON job (id) WHERE finished_at IS NULL;
      CREATE INDEX job_kind ON job (kind, id DESC);
      CREATE INDEX job_ended_badly ON job (kind, id DESC) WHERE ended_badly;
      CREATE INDEX job_children ON job (parent_id, id) WHERE parent_id IS NOT NULL;
      CREATE INDEX job_unfinished_children ON job (parent_id) WHERE parent_id IS NOT NULL AND finished_at IS NULL;
      CREATE INDEX job_actor ON job (actor_id, id DESC) WHERE actor_id IS NOT NULL;

      ALTER TABLE job_outbox ADD COLUMN group_key text;
      DROP INDEX job_outbox_due;
      CREATE INDEX job_outbox_due ON job_outbox (priority, run_at) WHERE group_key IS NULL;
      CREATE INDEX job_outbox_groups ON job_outbox (queue, group_key, priority, run_at) WHERE group_key IS NOT NULL;

      -- Which jobs of a group are in Redis or at work; the relay enters them, and strikes them off when they are over.
      CREATE TABLE job_in_flight (
        job_id uuid PRIMARY KEY REFERENCES job ON DELETE CASCADE,
        gen integer NOT NULL,
        queue text NOT NULL,
        group_key text NOT NULL
      ) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 1000);

      CREATE TABLE queue_pause (
        queue text PRIMARY KEY,
        paused_by uuid,
        reason text NOT NULL,
        paused_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE INDEX queue_pause_paused_by ON queue_pause (paused_by);

      CREATE TABLE job_schedule (
        name text PRIMARY KEY,
        slot timestamptz NOT NULL,
        job_id uuid REFERENCES job ON DELETE SET NULL,
        succeeded_slot timestamptz,
        created_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE INDEX job_schedule_job_id ON job_schedule (job_id);
    `);
  }

  async down(runner: QueryRunner) {
    await runner.query(`
      DROP TABLE job_schedule, queue_pause, job_in_flight;
      DROP INDEX job_outbox_groups, job_outbox_due, job_actor, job_unfinished_children, job_children, job_ended_badly,
        job_kind, job_unfinished;
      ALTER TABLE job_outbox DROP COLUMN group_key;
      CREATE INDEX job_outbox_due ON job_outbox (priority, run_at);
      CREATE INDEX job_unfinished ON job (dispatched_at) WHERE finished_at IS NULL;
      ALTER TABLE job DROP COLUMN ended_badly, DROP COLUMN error_key, DROP COLUMN cancellation, DROP COLUMN progress,
        DROP COLUMN attempts, DROP COLUMN claimed_at, DROP COLUMN parent_id, DROP COLUMN group_key;
      UPDATE job SET state = 'open' WHERE state = 'waiting';
      ALTER TABLE job DROP CONSTRAINT job_state_check;
      ALTER TABLE job ADD CONSTRAINT job_state_check
        CHECK (state IN ('open', 'running', 'succeeded', 'failed', 'unknown', 'cancelled'));
    `);
  }
}
