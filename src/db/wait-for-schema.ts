import { setTimeout as sleep } from "node:timers/promises";
import { loadDatabaseConfig } from "../config.ts";
import { StartUpError } from "../errors.ts";
import { endOnUncaughtError } from "../platform/start-up.ts";
import { connectForMigration, pendingMigrations } from "./data-source.ts";

// For an init container: ends with 0 once the database has the migrations of this build. Whoever starts it tries again
// when it gives up; until then the log says what it waits for.

const patienceMs = 300_000;
const pauseMs = 1_000;

endOnUncaughtError("Waiting for the schema");
const config = loadDatabaseConfig();
const db = await connectForMigration(config.DATABASE_URL);
const deadline = Date.now() + patienceMs;
let told = "";
for (;;) {
  const pending = (await pendingMigrations(db)).join(", ");
  if (!pending) break;
  if (pending !== told) process.stdout.write(`waiting for: ${pending}\n`);
  told = pending;
  if (Date.now() > deadline)
    throw new StartUpError(`The database still lacks ${pending}. Run the migrations: node dist/db/migrate.js`);
  await sleep(pauseMs);
}
await db.destroy();
process.stdout.write("schema is current\n");
