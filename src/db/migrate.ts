import { loadDatabaseConfig, migrationsOf } from "../config.ts";
import { endOnUncaughtError } from "../platform/start-up.ts";
import { trustAlso } from "../platform/tls.ts";
import { whileUnreachable } from "../platform/while-unreachable.ts";
import { runMigrations } from "./run-migrations.ts";

endOnUncaughtError("The migration");
const config = loadDatabaseConfig();
trustAlso(config.EXTRA_CA_FILE);
const { url, isPooled } = migrationsOf(config);
const say = (text: string) => void process.stderr.write(`${text}\n`);
for (const warning of config.warnings) say(warning);
const done = await whileUnreachable(() => runMigrations(url, { isPooled, say }), { say });
process.stdout.write(done.length > 0 ? `migrated: ${done.join(", ")}\n` : "schema is current\n");
