import { loadDatabaseConfig } from "../config.ts";
import { endOnUncaughtError } from "../platform/start-up.ts";
import { runMigrations } from "./run-migrations.ts";

endOnUncaughtError("The migration");
const done = await runMigrations(loadDatabaseConfig().DATABASE_URL);
process.stdout.write(done.length > 0 ? `migrated: ${done.join(", ")}\n` : "schema is current\n");
