import type { MigrationInterface, QueryRunner } from "typeorm";

/** The index by which an erasure and an export find a guest's orders: each asks several times while it holds locks. */
export class OrdersByEmail1767225600041 implements MigrationInterface {
  async up(runner: QueryRunner) {
    await runner.query("CREATE INDEX orders_email ON orders (lower(email))");
  }

  async down(runner: QueryRunner) {
    await runner.query("DROP INDEX orders_email");
  }
}
