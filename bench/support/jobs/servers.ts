import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removePostgres, startPostgres } from "../../../dev/services/postgres.ts";
import { startRedis } from "../../../dev/services/redis.ts";
import { startWatchdog } from "../../../dev/services/watchdog.ts";
import { createDataSource } from "../../../src/db/data-source.ts";
import type { Servers } from "./contestant.ts";

export type BenchServers = Awaited<ReturnType<typeof openServers>>;

/** Starts Postgres and Redis as in production (fsync, append-only file every second); `close` removes it all. */
export async function openServers() {
  const directory = mkdtempSync(join(tmpdir(), "tcf-bench-"));
  chmodSync(directory, 0o755);
  const dataDirectory = join(directory, "postgres");
  const watchdog = startWatchdog([directory]);
  const binaryDirectory = "node_modules/.cache/tcf-backend/redis";
  const [postgres, redis] = await Promise.all([
    startPostgres({ dataDirectory, password: "bench" }),
    startRedis({ dataDirectory: join(directory, "redis"), binaryDirectory, password: "bench" }),
  ]);
  watchdog.watch({ databases: [postgres.pid], services: [redis.pid] });
  return {
    pids: { postgres: postgres.pid, redis: redis.pid },
    /** A database of its own with our tables, and so many finished jobs in its ledger. */
    async database(name: string, finishedJobs = 0): Promise<Servers> {
      const url = new URL(postgres.url);
      const admin = await createDataSource(url.href, 1, { timeouts: {} }).initialize();
      await admin.query(`CREATE DATABASE ${name}`);
      await admin.destroy();
      url.pathname = `/${name}`;
      const db = await createDataSource(url.href, 2, { timeouts: {} }).initialize();
      await db.runMigrations();
      if (finishedJobs > 0) await db.query(finishedSql, [finishedJobs]);
      await db.query("VACUUM ANALYZE");
      await db.query("CHECKPOINT");
      await db.destroy();
      return { databaseUrl: url.href, redisUrl: redis.url };
    },
    async close() {
      await Promise.all([postgres.stop(), redis.stop()]);
      removePostgres(dataDirectory);
      rmSync(directory, { recursive: true, force: true });
      await watchdog.release();
    },
  };
}

/** Jobs of the last 30 days, one in a hundred of them failed; ids are UUIDv7 as ours are. */
const finishedSql = `
  INSERT INTO job (id, queue, kind, payload, payload_v, dedupe_key, entity_type, entity_id, state, epoch, max_failures,
                   priority, run_at, created_at, started_at, finished_at, claimed_by, claimed_at, error_key)
  SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || lpad(to_hex(n % 4096), 3, '0')
          || '8' || substr(md5(n::text), 1, 15))::uuid,
         'maintenance', CASE WHEN n % 2 = 0 THEN 'noop' ELSE 'other' END, jsonb_build_object('n', -n, 'note', repeat('x', 200)),
         1, 'old:' || n, 'bench', n::text, CASE WHEN n % 100 = 0 THEN 'failed' ELSE 'succeeded' END, 1, 5, 10, at, at, at,
         at, 'bench 1', at, CASE WHEN n % 100 = 0 THEN 'Error: it failed' END
  FROM (SELECT n, now() - ($1::int - n) * (interval '30 days' / $1::int) AS at FROM generate_series(1, $1::int) n) old`;
