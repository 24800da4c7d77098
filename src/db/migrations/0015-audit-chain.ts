import type { MigrationInterface, QueryRunner } from "typeorm";

export class AuditChain1765065600015 implements MigrationInterface {
  async up(runner: QueryRunner) {
    await runner.query(`
      -- Board actions are links of a chain: each one's hash covers the one before, so an edited or
      -- removed row breaks it. Other rows have no number.
      ALTER TABLE audit_log
        ADD COLUMN chain_no bigint UNIQUE,
        ADD COLUMN chain_hash bytea,
        ADD CONSTRAINT audit_log_chain CHECK ((chain_no IS NULL) = (chain_hash IS NULL));

      CREATE FUNCTION audit_link(entry audit_log, before bytea) RETURNS bytea LANGUAGE sql STABLE AS $$
        SELECT sha256(before || convert_to(jsonb_build_array(
          entry.chain_no, entry.id, entry.user_id, entry.method, entry.endpoint, entry.payload, entry.status,
          entry.request_id, extract(epoch FROM entry.created_at))::text, 'UTF8'))
      $$;
    `);
  }

  async down(runner: QueryRunner) {
    await runner.query(`
      DROP FUNCTION audit_link(audit_log, bytea);
      ALTER TABLE audit_log DROP COLUMN chain_no, DROP COLUMN chain_hash;
    `);
  }
}
