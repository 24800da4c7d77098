import { loadDatabaseConfig } from "../config.ts";
import { endOnUncaughtError } from "../platform/start-up.ts";
import { connectForMigration } from "./data-source.ts";

/** Any fixed number; whoever holds it migrates, others wait. */
const migrationLock = 7_246_128;

endOnUncaughtError("The migration");
const config = loadDatabaseConfig();
const db = await connectForMigration(config.DATABASE_URL);
const holder = db.createQueryRunner();
try {
  // Another process that migrates may take its time.
  await holder.query("SET lock_timeout = 0");
  await holder.query("SELECT pg_advisory_lock($1)", [migrationLock]);
  const done = await db.runMigrations();
  process.stdout.write(
    done.length > 0 ? `migrated: ${done.map(({ name }) => name).join(", ")}\n` : "schema is current\n",
  );
} finally {
  await holder.release();
  await db.destroy();
}
