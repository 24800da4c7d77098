import { randomBytes } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import type { TestProject } from "vitest/node";
import { removePostgres, startPostgres } from "../../dev/services/postgres.ts";
import { startRedis } from "../../dev/services/redis.ts";
import { startWatchdog } from "../../dev/services/watchdog.ts";
import { createDataSource } from "../../src/db/data-source.ts";
import { connectOnce, type RedisAddress } from "../../src/platform/redis.ts";
import { type GroupOptions, type RedisGroup, startCluster, startSentinelGroup } from "./redis-groups.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** Server with the migrated database `template`. */
    postgresUrl: string;
    redisAddress: RedisAddress;
    /** Settings of a process that uses it. */
    redisEnv: Record<string, string>;
    /** Scratch folder of this run; deleted after it. */
    directory: string;
  }
}

const binaryDirectory = "node_modules/.cache/tcf-backend/redis";

/** The Redis of the tests: one server, or by `TEST_REDIS` a user with few rights, sentinels or a cluster. */
async function startGivenRedis(options: GroupOptions): Promise<Pick<RedisGroup, "address" | "env" | "stop">> {
  const kind = process.env.TEST_REDIS ?? "single";
  if (kind === "sentinel") return startSentinelGroup(options);
  if (kind === "cluster") return startCluster(options);
  const kinds = ["single", "restricted", "sentinel", "cluster"];
  if (!kinds.includes(kind)) throw new Error(`TEST_REDIS is '${kind}'; it can be one of ${kinds.join(", ")}`);
  const { url: own, stop } = await startRedis({ ...options, dataDirectory: options.directory });
  const url = kind === "restricted" ? await restricted(own) : own;
  return { address: url, env: { REDIS_URL: url }, stop: async () => void (await stop()) };
}

/** The URL of a user with the rights that docs/infrastructure.md asks for. */
async function restricted(url: string): Promise<string> {
  const admin = await connectOnce(url);
  const { password } = new URL(url);
  const rights = ["~*", "&*", "+@all", "-@admin", "-@dangerous", "+info"];
  await admin.call("ACL", "SETUSER", "shop", "on", `>${password}`, ...rights);
  admin.disconnect();
  return Object.assign(new URL(url), { username: "shop" }).href;
}

/** Starts the servers that all test files share, and migrates the database that each of them clones. */
export default async function setup(project: TestProject) {
  const directory = mkdtempSync(join(tmpdir(), "tcf-test-"));
  // PostgreSQL runs as another user when the tests run as root.
  chmodSync(directory, 0o755);
  const dataDirectory = join(directory, "postgres");
  const watchdog = startWatchdog([directory]);
  const password = randomBytes(18).toString("base64url");
  const services: number[] = [];
  const spawned = (pid: number) => {
    services.push(pid);
    watchdog.watch({ services });
  };
  const starts = await Promise.allSettled([
    startPostgres({ dataDirectory, fast: true, password }),
    startGivenRedis({ directory: join(directory, "redis"), binaryDirectory, password, spawned }),
  ]);
  const teardown = async () => {
    await Promise.all(starts.map((start) => start.status === "fulfilled" && start.value.stop()));
    removePostgres(dataDirectory);
    rmSync(directory, { recursive: true, force: true });
    await watchdog.release();
  };
  try {
    const [postgres, redis] = [started(starts[0]), started(starts[1])];
    watchdog.watch({ databases: [postgres.pid], services });
    await migrateTemplate(postgres.url);
    project.provide("postgresUrl", postgres.url);
    project.provide("redisAddress", redis.address);
    project.provide("redisEnv", redis.env);
    project.provide("directory", directory);
    return teardown;
  } catch (error) {
    await teardown();
    throw error;
  }
}

function started<Started>(start: PromiseSettledResult<Started>): Started {
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
