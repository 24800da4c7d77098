import { setTimeout as sleep } from "node:timers/promises";
import { loadDatabaseConfig } from "../config.ts";
import { StartUpError } from "../errors.ts";
import { endOnUncaughtError } from "../platform/start-up.ts";
import { trustAlso } from "../platform/tls.ts";
import { whileUnreachable } from "../platform/while-unreachable.ts";
import { connectForMigration, pendingOf } from "./data-source.ts";

// For an init container: ends with 0 once the database has the migrations of this build. Kubernetes starts it again
// when it gives up; until then the log says what it waits for. It looks where the process itself will, also through a
// pooler: DATABASE_DIRECT_URL is for changes of the schema.

const patienceMs = 300_000;
const pauseMs = 1_000;

endOnUncaughtError("Waiting for the schema");
const { DATABASE_URL, DATABASE_POOLER, EXTRA_CA_FILE, warnings } = loadDatabaseConfig();
trustAlso(EXTRA_CA_FILE);
const say = (text: string) => void process.stderr.write(`${text}\n`);
for (const warning of warnings) say(warning);
const options = { isPooled: DATABASE_POOLER === "transaction", name: "tcf wait-for-schema" };
const db = await whileUnreachable(() => connectForMigration(DATABASE_URL, options), { say, limitMs: patienceMs });
const deadline = Date.now() + patienceMs;
let reported = "";
for (;;) {
  const pending = (await pendingOf(db.manager)).pending.join(", ");
  if (!pending) break;
  if (pending !== reported) process.stdout.write(`waiting for: ${pending}\n`);
  reported = pending;
  if (Date.now() > deadline)
    throw new StartUpError(`The database still lacks ${pending}. Run the migrations: node dist/db/migrate.js`);
  await sleep(pauseMs);
}
await db.destroy();
process.stdout.write("schema is current\n");
