import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import type { TestProject } from "vitest/node";
import { removePostgres, startPostgres } from "../../dev/services/postgres.ts";
import { startRedis } from "../../dev/services/redis.ts";
import { startWatchdog } from "../../dev/services/watchdog.ts";
import { createDataSource } from "../../src/db/data-source.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** Server with the migrated database `template`. */
    postgresUrl: string;
    redisUrl: string;
    /** Scratch folder of this run; deleted after it. */
    directory: string;
  }
}

const binaryDirectory = "node_modules/.cache/tcf-backend/redis";

/** Starts the servers that all test files share, and migrates the database that each of them clones. */
export default async function setup(project: TestProject) {
  const directory = mkdtempSync(join(tmpdir(), "tcf-test-"));
  // PostgreSQL runs as another user when the tests run as root.
  chmodSync(directory, 0o755);
  const watchdog = startWatchdog([directory]);
  const postgresDirectory = join(directory, "postgres");
  const [postgres, redis] = await Promise.all([
    startPostgres({ dataDirectory: postgresDirectory, fast: true }),
    startRedis({ dataDirectory: join(directory, "redis"), binaryDirectory }),
  ]);
  watchdog.watch({ databases: [postgres.pid], services: [redis.pid] });
  await migrateTemplate(postgres.url);

  project.provide("postgresUrl", postgres.url);
  project.provide("redisUrl", redis.url);
  project.provide("directory", directory);
  return async () => {
    await Promise.all([postgres.stop(), redis.stop()]);
    removePostgres(postgresDirectory);
    rmSync(directory, { recursive: true, force: true });
    await watchdog.release();
  };
}

async function migrateTemplate(url: string) {
  const admin = new pg.Client(url);
  await admin.connect();
  await admin.query("CREATE DATABASE template");
  const db = await createDataSource(new URL("/template", url).href).initialize();
  await db.runMigrations();
  await db.destroy();
  await admin.query("ALTER DATABASE template WITH IS_TEMPLATE true ALLOW_CONNECTIONS false");
  await admin.end();
}
