#!/usr/bin/env node
import { hostname, userInfo } from "node:os";
import type { DataSource, EntityManager } from "typeorm";
import { loadDatabaseConfig, loadDemoConfig, loadOperators, loadToolConfig, migrationsOf } from "../config.ts";
import { connectDatabase } from "../db/data-source.ts";
import { createTransact, type TransactionContext } from "../engine/index.ts";
import { endOnUncaughtError } from "../platform/start-up.ts";
import { trustAlso } from "../platform/tls.ts";
import { runCli } from "./run.ts";

endOnUncaughtError("tcf");
let db: DataSource | undefined;
const said = new Set<string>();
const context = {
  caller: `${userInfo().username}@${hostname()}`,
  operators: () => warned(loadOperators()).BOARD_OPERATORS,
  demoTokensUrl: () => warned(loadDemoConfig()).DEMO_TOKENS_URL,
  database: () => migrationsOf(warned(loadDatabaseConfig())),
  installation() {
    const { QUEUE_PREFIX, redis, scaling, s3, smtp, cards } = warned(loadToolConfig());
    return {
      redis,
      queuePrefix: QUEUE_PREFIX,
      scaling,
      s3,
      smtp,
      cards,
    };
  },
  async transact<T>(
    work: (tx: EntityManager) => Promise<T>,
    transactionContext: TransactionContext = { actorId: null, traceId: null },
  ) {
    if (!db) {
      const { DATABASE_URL, DATABASE_POOLER } = warned(loadDatabaseConfig());
      const isPooled = DATABASE_POOLER === "transaction";
      db = await connectDatabase(DATABASE_URL, 2, { isPooled, name: "tcf operator" });
    }
    // The relay of any process publishes the jobs that are enqueued here.
    return createTransact(db, () => undefined)(transactionContext, work);
  },
};
const code = await runCli(process.argv.slice(2), context, {
  out: (text) => void process.stdout.write(`${text}\n`),
  err: (text) => void process.stderr.write(`${text}\n`),
});
await db?.destroy();
process.exit(code);

/** Prints the allowed unsafe settings, once and beside the answer, and trusts the authorities of the settings. */
function warned<Config extends { warnings: string[]; EXTRA_CA_FILE: string[] }>(config: Config): Config {
  trustAlso(config.EXTRA_CA_FILE);
  for (const warning of config.warnings.filter((one) => !said.has(one))) process.stderr.write(`${warning}\n`);
  for (const warning of config.warnings) said.add(warning);
  return config;
}
