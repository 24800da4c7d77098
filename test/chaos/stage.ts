import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import pg from "pg";
import { removePostgres, startPostgres } from "../../dev/services/postgres.ts";
import { startRedis } from "../../dev/services/redis.ts";
import { freePort, type Service } from "../../dev/services/service.ts";
import { startWatchdog } from "../../dev/services/watchdog.ts";
import { createDataSource } from "../../src/db/data-source.ts";
import { type RunningSink, startSink } from "./sink.ts";
import { tablesSql } from "./work.ts";

export type Variant = "ours" | "naive";
export type Role = "producer" | "worker";

/** Servers and processes of one run; whoever dies is started again until `close`. */
export interface Stage {
  producerUrl: string;
  sink: RunningSink;
  redis: Redis;
  redisDirectory: string;
  query<Row>(sql: string): Promise<Row[]>;
  pidOf(role: Role): number | undefined;
  kill(role: Role): void;
  stopRedis(): Promise<void>;
  startRedis(): Promise<void>;
  stopPostgres(): Promise<void>;
  startPostgres(): Promise<void>;
  close(): Promise<void>;
}

const workers = 2;

/** Starts Postgres, Redis, the sink, one producer and two workers of a variant. */
export async function openStage(variant: Variant): Promise<Stage> {
  const directory = mkdtempSync(join(tmpdir(), "tcf-chaos-"));
  chmodSync(directory, 0o755);
  const watchdog = startWatchdog([directory]);
  const dataDirectory = join(directory, "postgres");
  const redisDirectory = join(directory, "redis");
  const [postgresPort, redisPort, producerPort] = [await freePort(), await freePort(), await freePort()];
  let postgres: Service;
  let redisService: Service;
  const watch = () => watchdog.watch({ databases: [postgres?.pid ?? 0], services: [redisService?.pid ?? 0] });
  const runPostgres = async () => {
    postgres = await startPostgres({ dataDirectory, port: postgresPort });
  };
  const runRedis = async () => {
    const binaryDirectory = "node_modules/.cache/tcf-backend/redis";
    redisService = await startRedis({ dataDirectory: redisDirectory, binaryDirectory, port: redisPort });
  };
  await Promise.all([runPostgres(), runRedis()]);
  watch();
  const databaseUrl = `postgresql://postgres@127.0.0.1:${postgresPort}/postgres`;
  const db = await createDataSource(databaseUrl, 2, {}).initialize();
  await db.runMigrations();
  await db.query(tablesSql);
  await db.destroy();

  const sink = await startSink();
  const redis = new Redis(redisPort, { maxRetriesPerRequest: 1, retryStrategy: () => 200 });
  redis.on("error", () => undefined);
  let isClosing = false;
  const children: Record<Role, Set<ChildProcess>> = { producer: new Set(), worker: new Set() };
  const run = async (role: Role): Promise<void> => {
    const { PATH, HOME, CHAOS_LOG_LEVEL } = process.env;
    const child = spawn(process.execPath, ["--import", "tsx", "test/chaos/process.ts", variant, role], {
      env: {
        ...{ PATH, HOME, ...(CHAOS_LOG_LEVEL && { CHAOS_LOG_LEVEL }) },
        DATABASE_URL: databaseUrl,
        REDIS_URL: `redis://127.0.0.1:${redisPort}`,
        PORT: String(producerPort),
        SMTP_PORT: String(sink.smtpPort),
        PROBE_URL: sink.probeUrl,
      },
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    children[role].add(child);
    child.once("exit", () => {
      children[role].delete(child);
      if (!isClosing) setTimeout(() => void run(role), 100);
    });
    await Promise.race([once(child, "message"), once(child, "exit")]);
  };
  await Promise.all([run("producer"), ...Array.from({ length: workers }, () => run("worker"))]);

  const any = (role: Role) => [...children[role]][Math.floor(Math.random() * children[role].size)];
  return {
    producerUrl: `http://127.0.0.1:${producerPort}`,
    sink,
    redis,
    redisDirectory,
    async query<Row>(sql: string) {
      const client = new pg.Client(databaseUrl);
      client.on("error", () => undefined);
      await client.connect();
      return ((await client.query(sql).finally(() => client.end())) as { rows: Row[] }).rows;
    },
    pidOf: (role) => any(role)?.pid,
    kill: (role) => void any(role)?.kill("SIGKILL"),
    async stopRedis() {
      process.kill(redisService.pid, "SIGKILL");
      await redisService.exited;
    },
    startRedis: () => runRedis().then(watch),
    async stopPostgres() {
      // As pg_ctl's immediate mode: no checkpoint, recovery at the next start.
      process.kill(postgres.pid, "SIGQUIT");
      await postgres.exited;
    },
    startPostgres: () => runPostgres().then(watch),
    async close() {
      isClosing = true;
      const all = [...children.producer, ...children.worker];
      const ends = all.map((child) => once(child, "exit"));
      for (const child of all) child.kill("SIGKILL");
      await Promise.all(ends);
      redis.disconnect();
      sink.stop();
      await Promise.all([postgres.stop(), redisService.stop()]);
      removePostgres(dataDirectory);
      rmSync(directory, { recursive: true, force: true });
      await watchdog.release();
    },
  };
}
