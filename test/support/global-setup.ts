import { randomBytes } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import type { TestProject } from "vitest/node";
import { removePostgres, startPostgres } from "../../dev/services/postgres.ts";
import { startRedis } from "../../dev/services/redis.ts";
import type { Service } from "../../dev/services/service.ts";
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
  const dataDirectory = join(directory, "postgres");
  const watchdog = startWatchdog([directory]);
  const password = randomBytes(18).toString("base64url");
  const starts = await Promise.allSettled([
    startPostgres({ dataDirectory, fast: true, password }),
    startRedis({ dataDirectory: join(directory, "redis"), binaryDirectory, password }),
  ]);
  const teardown = async () => {
    await Promise.all(starts.map((start) => start.status === "fulfilled" && start.value.stop()));
    removePostgres(dataDirectory);
    rmSync(directory, { recursive: true, force: true });
    await watchdog.release();
  };
  try {
    const [postgres, redis] = [started(starts[0]), started(starts[1])];
    watchdog.watch({ databases: [postgres.pid], services: [redis.pid] });
    await migrateTemplate(postgres.url);
    project.provide("postgresUrl", postgres.url);
    project.provide("redisUrl", redis.url);
    project.provide("directory", directory);
    return teardown;
  } catch (error) {
    await teardown();
    throw error;
  }
}

function started(start: PromiseSettledResult<Service>): Service {
  if (start.status === "rejected") throw start.reason;
  return start.value;
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
