import type { MigrationInterface, QueryRunner } from "typeorm";
import { idInEndpoint } from "../dao/audit/timeline.ts";

/** What staff did to one entity is found by the first id in the URL of the request. */
export class Timeline1764633600010 implements MigrationInterface {
  async up(runner: QueryRunner) {
    await runner.query(`CREATE INDEX audit_log_entity ON audit_log ((${idInEndpoint}), created_at DESC)`);
  }

  async down(runner: QueryRunner) {
    await runner.query("DROP INDEX audit_log_entity");
  }
}
