import type { MigrationInterface, QueryRunner } from "typeorm";

/** Ledger and outbox. Databases from before the engine had migrations of its own have them already: `Init` made them. */
export class Ledger1763856000000 implements MigrationInterface {
  async up(runner: QueryRunner) {
    const [{ exists }] = await runner.query("SELECT to_regclass('job') IS NOT NULL AS exists");
    if (exists) return;
    await runner.query(`
      CREATE TABLE job (
        id uuid PRIMARY KEY,
        queue text NOT NULL,
        kind text NOT NULL,
        payload jsonb NOT NULL,
        payload_v smallint NOT NULL,
        dedupe_key text,
        entity_type text,
        entity_id text,
        state text NOT NULL DEFAULT 'open'
          CHECK (state IN ('open', 'running', 'succeeded', 'failed', 'unknown', 'cancelled')),
        gen integer NOT NULL DEFAULT 1,
        epoch integer NOT NULL DEFAULT 0,
        failures integer NOT NULL DEFAULT 0,
        max_failures integer NOT NULL,
        crashes integer NOT NULL DEFAULT 0,
        max_crashes integer NOT NULL DEFAULT 12,
        priority smallint NOT NULL,
        run_at timestamptz NOT NULL DEFAULT now(),
        dispatched_at timestamptz,
        lease_until timestamptz,
        claimed_by text,
        last_error jsonb,
        result jsonb,
        actor_id uuid,
        trace_id text,
        created_at timestamptz NOT NULL DEFAULT now(),
        started_at timestamptz,
        finished_at timestamptz
      ) WITH (fillfactor = 80);
      CREATE UNIQUE INDEX job_dedupe ON job (dedupe_key) WHERE dedupe_key IS NOT NULL;
      CREATE INDEX job_unfinished ON job (dispatched_at) WHERE finished_at IS NULL;
      CREATE INDEX job_entity ON job (entity_type, entity_id, created_at DESC);

      -- A row is here as long as its job is not known to be in Redis; the relay deletes it.
      CREATE TABLE job_outbox (
        job_id uuid PRIMARY KEY REFERENCES job ON DELETE CASCADE,
        queue text NOT NULL,
        kind text NOT NULL,
        gen integer NOT NULL,
        priority smallint NOT NULL,
        max_failures integer NOT NULL,
        run_at timestamptz NOT NULL
      ) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 1000);
      CREATE INDEX job_outbox_due ON job_outbox (priority, run_at);
    `);
  }

  async down(runner: QueryRunner) {
    await runner.query("DROP TABLE job_outbox, job");
  }
}
