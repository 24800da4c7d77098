import { StartUpError } from "../errors.ts";
import { waitForSessionLock } from "../platform/postgres/locks.ts";
import { connectForMigration, reaching } from "./data-source.ts";

/** The oldest version that is tested, and that its makers still mend in 2026. */
const minPostgres = 14;

/**
 * Runs the missing migrations, and returns their names; waits for another process that does this. May be repeated.
 * Throws as `connectForMigration` does, and before any change where Postgres is too old.
 */
export async function runMigrations(databaseUrl: string): Promise<string[]> {
  const db = await connectForMigration(databaseUrl);
  const holder = db.createQueryRunner();
  try {
    return await reaching(databaseUrl, async () => {
      const [{ version }] = await holder.query("SELECT current_setting('server_version') AS version");
      checkVersion(databaseUrl, version);
      // Another process that migrates may take its time.
      await holder.query("SET lock_timeout = 0");
      await waitForSessionLock(holder, "migrations");
      return (await db.runMigrations()).map(({ name }) => name);
    });
  } finally {
    await holder.release();
    await db.destroy();
  }
}

/** Throws `StartUpError` when a server of this version cannot hold the schema. */
export function checkVersion(databaseUrl: string, version: string): void {
  if (Number.parseInt(version, 10) >= minPostgres) return;
  throw new StartUpError(
    `Postgres at ${new URL(databaseUrl).host} is version ${version}, and ${minPostgres} or newer is needed. ` +
      "Nothing was changed there.",
  );
}
