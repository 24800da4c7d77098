import type { MigrationInterface, QueryRunner } from "typeorm";
import { createUuidV7 } from "./uuid-v7.ts";

/** Schemas of before used a function that only Postgres 18 has, so their dumps went into no older server. */
export class UuidV71767657600045 implements MigrationInterface {
  async up(runner: QueryRunner) {
    await runner.query(`
      ${createUuidV7}
      ALTER TABLE events ALTER COLUMN id SET DEFAULT uuid_v7();
      ALTER TABLE webhook_endpoints ALTER COLUMN id SET DEFAULT uuid_v7();
    `);
  }

  /** The tables keep the function. */
  async down() {}
}
