import type { MigrationInterface, QueryRunner } from "typeorm";

const tables = [
  "users",
  "categories",
  "sub_categories",
  "products",
  "offers",
  "addresses",
  "orders",
  "order_offers",
  "waybills",
  "waybill_offers",
  "payments",
  "carts",
  "cart_offers",
];

/** Any statement that changes a row changes its `updated_at`: clients show it, and search engines ask for it. */
export class UpdatedAt1764288000006 implements MigrationInterface {
  async up(runner: QueryRunner) {
    await runner.query(`
      CREATE FUNCTION set_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        NEW.updated_at := now();
        RETURN NEW;
      END $$;
    `);
    for (const table of tables) {
      await runner.query(`
        CREATE TRIGGER ${table}_updated_at BEFORE UPDATE ON ${table}
        FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION set_updated_at()
      `);
    }
  }

  async down(runner: QueryRunner) {
    for (const table of tables) await runner.query(`DROP TRIGGER ${table}_updated_at ON ${table}`);
    await runner.query("DROP FUNCTION set_updated_at");
  }
}
