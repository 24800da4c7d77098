import type { DataSource } from "typeorm";

/** Names of the migrations of this build that the database does not have, in their order; those of newer builds do not matter. */
export async function pendingMigrations(db: DataSource): Promise<string[]> {
  const [{ exists }] = await db.query("SELECT to_regclass('migrations') IS NOT NULL AS exists");
  const rows: { name: string }[] = exists ? await db.query("SELECT name FROM migrations") : [];
  const done = new Set(rows.map(({ name }) => name));
  return db.migrations
    .map((migration) => migration.name ?? migration.constructor.name)
    .filter((name) => !done.has(name));
}
