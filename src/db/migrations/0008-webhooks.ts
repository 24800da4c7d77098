import type { MigrationInterface, QueryRunner } from "typeorm";
import { createUuidV7 } from "./uuid-v7.ts";

/**
 * Events of the business and of jobs, and the endpoints that receive them. Without a subscriber the end of a job costs
 * one lookup in `webhook_endpoints`, which has few rows; deliveries themselves are jobs that make no event, or each
 * would make the next.
 */
export class Webhooks1764460800008 implements MigrationInterface {
  async up(runner: QueryRunner) {
    await runner.query(`
      ${createUuidV7}
      CREATE TABLE webhook_endpoints (
        id uuid PRIMARY KEY DEFAULT uuid_v7(),
        url text NOT NULL CHECK (char_length(url) <= 2000),
        description text,
        event_types text[] NOT NULL CHECK (cardinality(event_types) > 0),
        is_active boolean NOT NULL DEFAULT true,
        secret text NOT NULL,
        previous_secret text,
        previous_secret_until timestamptz,
        consecutive_failures integer NOT NULL DEFAULT 0 CHECK (consecutive_failures >= 0),
        failing_since timestamptz,
        disabled_at timestamptz,
        disabled_reason text,
        created_by uuid REFERENCES users ON DELETE SET NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        CHECK ((previous_secret IS NULL) = (previous_secret_until IS NULL)),
        CHECK ((consecutive_failures = 0) = (failing_since IS NULL)),
        CHECK ((disabled_at IS NULL) = (disabled_reason IS NULL)),
        CHECK (disabled_at IS NULL OR NOT is_active)
      );
      CREATE INDEX webhook_endpoints_created_by ON webhook_endpoints (created_by);
      CREATE TRIGGER webhook_endpoints_updated_at BEFORE UPDATE ON webhook_endpoints
        FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION set_updated_at();

      CREATE TABLE events (
        id uuid PRIMARY KEY DEFAULT uuid_v7(),
        type text NOT NULL,
        entity_type text NOT NULL,
        entity_id text NOT NULL,
        data jsonb NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        fanned_out_at timestamptz
      ) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 1000);
      CREATE INDEX events_not_fanned_out ON events (id) WHERE fanned_out_at IS NULL;
      CREATE INDEX events_entity ON events (entity_type, entity_id, id DESC);

      CREATE FUNCTION record_job_end() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF EXISTS (SELECT FROM webhook_endpoints WHERE is_active AND 'job.' || NEW.state = ANY (event_types)) THEN
          INSERT INTO events (type, entity_type, entity_id, data) VALUES ('job.' || NEW.state, 'job', NEW.id,
            jsonb_build_object('id', NEW.id, 'kind', NEW.kind, 'queue', NEW.queue, 'status', NEW.state,
              'entity', CASE WHEN NEW.entity_type IS NOT NULL
                THEN jsonb_build_object('type', NEW.entity_type, 'id', NEW.entity_id) END,
              'failures', NEW.failures,
              'created_at', to_char(NEW.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
              'finished_at', to_char(NEW.finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')));
        END IF;
        RETURN NULL;
      END $$;
      CREATE TRIGGER job_ended AFTER UPDATE ON job FOR EACH ROW
        WHEN (OLD.finished_at IS NULL AND NEW.finished_at IS NOT NULL AND NEW.kind <> 'deliver-webhook')
        EXECUTE FUNCTION record_job_end();
    `);
  }

  async down(runner: QueryRunner) {
    await runner.query(`
      DROP TRIGGER job_ended ON job;
      DROP FUNCTION record_job_end;
      DROP TABLE events, webhook_endpoints;
      DROP FUNCTION uuid_v7;
    `);
  }
}
