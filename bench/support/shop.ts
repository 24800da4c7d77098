import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { DataSource } from "typeorm";
import { insertRows } from "../../dev/demo/bulk.ts";
import { type Catalogue, generateCatalogue } from "../../dev/demo/catalogue.ts";
import { demoUsers } from "../../dev/demo/users.ts";
import { removePostgres, startPostgres } from "../../dev/services/postgres.ts";
import { startRedis } from "../../dev/services/redis.ts";
import { startWatchdog } from "../../dev/services/watchdog.ts";
import { createDataSource } from "../../src/db/data-source.ts";

/** A shop with the full catalogue, on servers of its own. */
export interface Shop {
  databaseUrl: string;
  /** Process id of Postgres. */
  postgres: number;
  redisUrl: string;
  catalogue: Catalogue;
  close(): Promise<void>;
}

/**
 * Starts Postgres and Redis in a temporary folder and enters 22,700 offers, without pictures; `close` removes it all.
 */
export async function openShop(): Promise<Shop> {
  const directory = mkdtempSync(join(tmpdir(), "tcf-bench-"));
  chmodSync(directory, 0o755);
  const dataDirectory = join(directory, "postgres");
  const watchdog = startWatchdog([directory]);
  const [postgres, redis] = await Promise.all([
    startPostgres({ dataDirectory, fast: true, password: "bench" }),
    startRedis({
      dataDirectory: join(directory, "redis"),
      binaryDirectory: "node_modules/.cache/tcf-backend/redis",
      password: "bench",
    }),
  ]);
  watchdog.watch({ databases: [postgres.pid], services: [redis.pid] });
  const catalogue = generateCatalogue({ seed: 20, size: "full" });
  await enter(postgres.url, catalogue);
  return {
    databaseUrl: postgres.url,
    postgres: postgres.pid,
    redisUrl: redis.url,
    catalogue,
    async close() {
      await Promise.all([postgres.stop(), redis.stop()]);
      removePostgres(dataDirectory);
      rmSync(directory, { recursive: true, force: true });
      await watchdog.release();
    },
  };
}

async function enter(url: string, catalogue: Catalogue) {
  const db = await createDataSource(url, 2, { timeouts: {} }).initialize();
  await db.runMigrations();
  await db.transaction(async (tx) => {
    await insertRows(tx, "users", demoUsers);
    await insertRows(tx, "categories", catalogue.categories);
    await insertRows(tx, "sub_categories", catalogue.subCategories);
    await insertRows(tx, "products", catalogue.products);
    await insertRows(tx, "offers", catalogue.offers);
  });
  await settle(db);
  await db.destroy();
}

/**
 * As autovacuum leaves a shop at rest: indexes answer without the tables. Whatever else holds a snapshot at that
 * moment, an autovacuum for one, keeps VACUUM from it, and lists then cost three times as much for all contestants.
 */
async function settle(db: DataSource) {
  for (let turn = 0; turn < 60; turn++) {
    await db.query("VACUUM ANALYZE");
    const unsettled: unknown[] = await db.query(
      "SELECT FROM pg_class WHERE relname IN ('products', 'offers') AND relallvisible < relpages",
    );
    if (unsettled.length === 0) return;
    await setTimeout(500);
  }
  throw new Error("VACUUM finds rows that another transaction may still see; end other work in this database");
}
