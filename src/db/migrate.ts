import { loadDatabaseConfig } from "../config.ts";
import { endOnUncaughtError } from "../platform/start-up.ts";
import { connectDatabase } from "./data-source.ts";

/** Any fixed number; whoever holds it migrates, others wait. */
const migrationLock = 7_246_128;

endOnUncaughtError("The migration");
const config = loadDatabaseConfig();
const db = await connectDatabase(config.DATABASE_URL, 2);
const holder = db.createQueryRunner();
try {
  // Waiting for another process that migrates may take longer than a statement usually may.
  await holder.query("SET statement_timeout = '10min'; SET lock_timeout = 0");
  await holder.query("SELECT pg_advisory_lock($1)", [migrationLock]);
  const done = await db.runMigrations();
  process.stdout.write(
    done.length > 0 ? `migrated: ${done.map(({ name }) => name).join(", ")}\n` : "schema is current\n",
  );
} finally {
  await holder.release();
  await db.destroy();
}
