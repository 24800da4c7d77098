import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { removePostgres, startPostgres } from "../../dev/services/postgres.ts";
import { startRedis } from "../../dev/services/redis.ts";
import { freePort, type Service } from "../../dev/services/service.ts";
import { startWatchdog } from "../../dev/services/watchdog.ts";
import { createDataSource } from "../../src/db/data-source.ts";
import { keepWarm } from "./pods.ts";

export type Servers = Awaited<ReturnType<typeof openServers>>;

/** Postgres with a migrated template, Redis, and the pods' program compiled, so that they start as fast as in an image. */
export async function openServers() {
  const directory = mkdtempSync(join(tmpdir(), "tcf-autoscale-"));
  chmodSync(directory, 0o755);
  const watchdog = startWatchdog([directory]);
  const dataDirectory = join(directory, "postgres");
  const redisPort = await freePort();
  let redis: Service | undefined;
  const runRedis = async () => {
    const binaryDirectory = "node_modules/.cache/tcf-backend/redis";
    redis = await startRedis({ dataDirectory: join(directory, "redis"), binaryDirectory, port: redisPort });
    watchdog.watch({ services: [redis.pid] });
  };
  const [postgres, podFile] = await Promise.all([
    startPostgres({ dataDirectory, port: await freePort(), fast: true }),
    compilePod(),
    runRedis(),
  ]);
  watchdog.watch({ databases: [postgres.pid], services: [redis?.pid ?? 0] });
  const admin = async (sql: string) => {
    const client = new pg.Client(postgres.url);
    await client.connect();
    await client.query(sql).finally(() => client.end());
  };
  const urlOf = (name: string) => new URL(`/${name}`, postgres.url).href;
  await admin("CREATE DATABASE template");
  const db = await createDataSource(urlOf("template"), 2, { timeouts: {} }).initialize();
  await db.runMigrations();
  await db.destroy();
  const warm = keepWarm(podFile);
  return {
    warm,
    redisUrl: `redis://127.0.0.1:${redisPort}`,
    async createDatabase(name: string) {
      const database = `sim_${name.replaceAll("-", "_")}`;
      await admin(`CREATE DATABASE ${database} TEMPLATE template`);
      return urlOf(database);
    },
    /** Stops Redis softly; what it knew is there when it starts again. */
    stopRedis: async () => redis?.stop(),
    startRedis: runRedis,
    async close() {
      await warm.close();
      await Promise.all([postgres.stop(), redis?.stop()]);
      removePostgres(dataDirectory);
      rmSync(directory, { recursive: true, force: true });
      await watchdog.release();
    },
  };
}

/** Below the checkout, where compiled code finds the packages. */
async function compilePod() {
  const folder = resolve("node_modules/.cache/tcf-backend/autoscale");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const configuration = {
    extends: resolve("tsconfig.json"),
    compilerOptions: { outDir: folder, rootDir: resolve("."), noCheck: true, sourceMap: false },
    files: [resolve("test/autoscale/pod.ts")],
    include: [],
  };
  const file = join(folder, "tsconfig.json");
  writeFileSync(file, JSON.stringify(configuration));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }\n');
  await promisify(execFile)(process.execPath, [resolve("node_modules/typescript/bin/tsc"), "-p", file]);
  return join(folder, "test/autoscale/pod.js");
}
