import { connectForMigration, reaching } from "./data-source.ts";

/** Any fixed number; whoever holds it migrates, others wait. */
const migrationLock = 7_246_128;

/**
 * Brings the schema up to this code, and returns the names of the migrations that were missing; waits for another
 * process that is at it. May be repeated. Throws as `connectForMigration` does.
 */
export async function runMigrations(databaseUrl: string): Promise<string[]> {
  const db = await connectForMigration(databaseUrl);
  const holder = db.createQueryRunner();
  try {
    return await reaching(databaseUrl, async () => {
      // Another process that migrates may take its time.
      await holder.query("SET lock_timeout = 0");
      await holder.query("SELECT pg_advisory_lock($1)", [migrationLock]);
      return (await db.runMigrations()).map(({ name }) => name);
    });
  } finally {
    await holder.release();
    await db.destroy();
  }
}
