import { loadDatabaseConfig } from "../config.ts";
import { endOnUncaughtError } from "../platform/start-up.ts";
import { trustAlso } from "../platform/tls.ts";
import { whileUnreachable } from "../platform/while-unreachable.ts";
import { runMigrations } from "./run-migrations.ts";

endOnUncaughtError("The migration");
const { DATABASE_URL, EXTRA_CA_FILE, warnings } = loadDatabaseConfig();
trustAlso(EXTRA_CA_FILE);
const say = (text: string) => void process.stderr.write(`${text}\n`);
for (const warning of warnings) say(warning);
const done = await whileUnreachable(() => runMigrations(DATABASE_URL), { say });
process.stdout.write(done.length > 0 ? `migrated: ${done.join(", ")}\n` : "schema is current\n");
