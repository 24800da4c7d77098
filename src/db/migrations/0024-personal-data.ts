import type { MigrationInterface, QueryRunner } from "typeorm";

/**
 * What the erasure of a person needs: a chain of audited rows that stays provable when rows lose their content or the
 * oldest are deleted, send keys without addresses, erased accounts, and a record of erasures.
 */
export class PersonalData1765843200024 implements MigrationInterface {
  async up(runner: QueryRunner) {
    await runner.query(`
      -- Part of a link's hash, and deleted with the content: without it the content cannot be guessed and tried.
      ALTER TABLE audit_log ADD COLUMN chain_salt bytea;
      CREATE OR REPLACE FUNCTION audit_link(entry audit_log, before bytea) RETURNS bytea LANGUAGE sql STABLE AS $$
        SELECT sha256(before || convert_to(jsonb_build_array(
          entry.chain_no, entry.id, entry.user_id, entry.method, entry.endpoint, entry.payload, entry.status,
          entry.request_id, extract(epoch FROM entry.created_at))::text, 'UTF8') || coalesce(entry.chain_salt, ''))
      $$;
      -- The last link that was removed for its age; the chain goes on from here.
      CREATE TABLE audit_anchor (
        is_only_one boolean PRIMARY KEY DEFAULT true CHECK (is_only_one),
        chain_no bigint NOT NULL,
        chain_hash bytea NOT NULL,
        moved_at timestamptz NOT NULL DEFAULT now()
      );

      -- The version before still writes the address: the row keeps its hash.
      CREATE FUNCTION hash_send_key() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        NEW.send_key = encode(sha256(convert_to(NEW.send_key, 'UTF8')), 'hex');
        RETURN NEW;
      END $$;
      CREATE TRIGGER mails_send_key BEFORE INSERT ON mails FOR EACH ROW WHEN (NEW.send_key LIKE '%@%')
        EXECUTE FUNCTION hash_send_key();
      UPDATE mails SET send_key = encode(sha256(convert_to(send_key, 'UTF8')), 'hex') WHERE send_key LIKE '%@%';
      ALTER TABLE mails ADD CONSTRAINT mails_send_key_names_nobody CHECK (send_key NOT LIKE '%@%');

      ALTER TABLE users ADD COLUMN erased_at timestamptz;

      CREATE TABLE erasures (
        id uuid PRIMARY KEY,
        -- Null: of a guest.
        user_id uuid CONSTRAINT erasures_user_id_fkey REFERENCES users,
        -- In lower case; forgotten when all is done.
        address text CHECK (address = lower(address)),
        -- Has no personal data, and stays.
        reason text NOT NULL,
        endpoint text NOT NULL,
        requested_by uuid NOT NULL CONSTRAINT erasures_requested_by_fkey REFERENCES users,
        job_id uuid CONSTRAINT erasures_job_id_fkey REFERENCES job ON DELETE SET NULL,
        -- When the person's own rows were erased: newer rows are another person's.
        begun_at timestamptz,
        counts jsonb NOT NULL DEFAULT '{}',
        created_at timestamptz NOT NULL DEFAULT now(),
        finished_at timestamptz,
        CHECK (finished_at IS NULL OR address IS NULL)
      );
      CREATE INDEX erasures_user_id ON erasures (user_id);
      CREATE INDEX erasures_requested_by ON erasures (requested_by);
      CREATE INDEX erasures_job_id ON erasures (job_id);
      CREATE UNIQUE INDEX erasures_under_way ON erasures (coalesce(user_id::text, address)) WHERE finished_at IS NULL;

      -- What leads to the person while an erasure runs: ids of their things, addresses, phone numbers.
      CREATE TABLE erasure_marks (
        erasure_id uuid NOT NULL CONSTRAINT erasure_marks_erasure_id_fkey REFERENCES erasures ON DELETE CASCADE,
        kind text NOT NULL CHECK (kind IN ('id', 'address', 'phone')),
        value text NOT NULL,
        PRIMARY KEY (erasure_id, kind, value)
      );

      -- What is left of JSON when it must not say anything of a person: its shape, numbers, ids, times and states.
      CREATE FUNCTION without_person(value jsonb) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
      BEGIN
        RETURN CASE jsonb_typeof(value)
          WHEN 'object' THEN (
            SELECT coalesce(jsonb_object_agg(
              CASE WHEN key ~ '^[A-Za-z_]{1,40}$' THEN key ELSE 'erased' END,
              CASE WHEN key IN ('status', 'previous_status', 'state', 'outcome', 'role', 'customer_type', 'currency',
                  'shipping_method', 'method', 'waybill_type', 'kind', 'format', 'name')
                AND each.value #>> '{}' ~ '^([A-Z_]{2,30}|[a-z]{4,20}(-[a-z]{2,20})?|[A-Za-z]{1,30}Error)$'
                AND (key <> 'name' OR each.value #>> '{}' LIKE '%Error')
              THEN each.value ELSE without_person(each.value) END), '{}')
            FROM jsonb_each(value) AS each)
          WHEN 'array' THEN (
            SELECT coalesce(jsonb_agg(without_person(item) ORDER BY place), '[]')
            FROM jsonb_array_elements(value) WITH ORDINALITY AS items (item, place))
          WHEN 'number' THEN CASE WHEN abs(value::numeric) < 1000000000 THEN value ELSE '0' END
          WHEN 'string' THEN CASE
            WHEN value #>> '{}' ~* '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'
              OR value #>> '{}' ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:.]+(Z|[+-][0-9:]+)?)?$' THEN value
            ELSE '"erased"' END
          ELSE value END;
      END $$;
    `);
  }

  async down(runner: QueryRunner) {
    await runner.query(`
      DROP FUNCTION without_person(jsonb);
      DROP TABLE erasure_marks, erasures;
      ALTER TABLE users DROP COLUMN erased_at;
      ALTER TABLE mails DROP CONSTRAINT mails_send_key_names_nobody;
      DROP TRIGGER mails_send_key ON mails;
      DROP FUNCTION hash_send_key;
      DROP TABLE audit_anchor;
      CREATE OR REPLACE FUNCTION audit_link(entry audit_log, before bytea) RETURNS bytea LANGUAGE sql STABLE AS $$
        SELECT sha256(before || convert_to(jsonb_build_array(
          entry.chain_no, entry.id, entry.user_id, entry.method, entry.endpoint, entry.payload, entry.status,
          entry.request_id, extract(epoch FROM entry.created_at))::text, 'UTF8'))
      $$;
      ALTER TABLE audit_log DROP COLUMN chain_salt;
    `);
  }
}
