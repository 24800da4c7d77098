import type { MigrationInterface, QueryRunner } from "typeorm";
import { idInEndpoint } from "../dao/audit/timeline.ts";

/** What staff did to one thing is found by the first id in the address that it was done at. */
export class Timeline1764633600010 implements MigrationInterface {
  async up(runner: QueryRunner) {
    await runner.query(`CREATE INDEX audit_log_entity ON audit_log ((${idInEndpoint}), created_at DESC)`);
  }

  async down(runner: QueryRunner) {
    await runner.query("DROP INDEX audit_log_entity");
  }
}
