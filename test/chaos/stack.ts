import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../dev/services/service.ts";
import { startWatchdog } from "../../dev/services/watchdog.ts";
import { startCluster, startSentinelGroup } from "../support/redis-groups.ts";
import { createFleet, type Role } from "./fleet.ts";
import { startBucket } from "./servers/bucket.ts";
import { startFaultProxy } from "./servers/fault-proxy.ts";
import { startMailSink } from "./servers/mail-sink.ts";
import { openPostgres } from "./servers/postgres.ts";
import { openRedis } from "./servers/redis.ts";

export type Stack = Awaited<ReturnType<typeof startStack>>;

const prefix = "chaos";

export interface StackOptions {
  log?: ((line: string) => void) | undefined;
  /** The Redis that processes use: a master with sentinels, or a cluster; absent: one server, by a proxy. */
  redisGroup?: "sentinel" | "cluster" | undefined;
  /** Without proxies: for runs that break no connection, and cost less so. */
  isDirect?: boolean | undefined;
}

/**
 * Servers of the harness's own, proxies in front of those that our processes reach over TCP, and a fleet without
 * processes yet. All of it ends with this process, however that ends.
 */
export async function startStack({ log = () => undefined, redisGroup, isDirect = false }: StackOptions = {}) {
  const directory = mkdtempSync(join(tmpdir(), "tcf-chaos-"));
  // PostgreSQL runs as another user when the harness runs as root.
  chmodSync(directory, 0o755);
  const watchdog = startWatchdog([directory]);
  const watched = { apps: [] as number[], services: [] as number[], databases: [] as number[] };
  const groupPids: number[] = [];
  const watch = (kind: keyof typeof watched) => (pid: number) => {
    watched[kind] = [pid];
    watchdog.watch({ ...watched, services: [...watched.services, ...groupPids] });
  };
  const startGroup = redisGroup === "cluster" ? startCluster : startSentinelGroup;
  const [postgres, redis, bucket, sink] = await Promise.all([
    openPostgres(join(directory, "postgres"), watch("databases")),
    openRedis(join(directory, "redis"), watch("services")),
    startBucket(join(directory, "s3")),
    startMailSink(),
  ]);
  const group = redisGroup
    ? await startGroup({
        directory: join(directory, "redis-group"),
        binaryDirectory: "node_modules/.cache/tcf-backend/redis",
        spawned(pid) {
          groupPids.push(pid);
          watchdog.watch({ ...watched, services: [...watched.services, ...groupPids] });
        },
      })
    : undefined;
  const proxies = {
    postgres: await startFaultProxy(postgres.port),
    redis: await startFaultProxy(redis.port),
    smtp: await startFaultProxy(sink.port),
  };
  const fleet = createFleet({
    log,
    watch(pids) {
      watched.apps = pids;
      watchdog.watch(watched);
    },
  });
  const ways = isDirect ? { postgres, redis, smtp: sink } : proxies;
  const env = {
    ENVIRONMENT: "local",
    DATABASE_URL: `postgresql://postgres@127.0.0.1:${ways.postgres.port}/postgres`,
    ...(group?.env ?? { REDIS_URL: `redis://127.0.0.1:${ways.redis.port}` }),
    QUEUE_PREFIX: prefix,
    ...bucket.env,
    SMTP_PORT: String(ways.smtp.port),
    PROBE_URL: sink.probeUrl,
    LOG_LEVEL: process.env.CHAOS_LOG_LEVEL ?? "silent",
  };
  const producerPort = await freePort();
  const apiPorts = [await freePort(), await freePort()];
  const apiUrl = (n: number) => `http://127.0.0.1:${apiPorts[n - 1]}`;

  return {
    prefix,
    postgres,
    redis,
    /** Undefined: processes use `redis`. */
    group,
    bucket,
    sink,
    proxies,
    fleet,
    producerPort,
    apiUrl,
    /** The real API, the n-th of two. */
    apiRole: (n: number): Role => ({
      entry: "src/api/main.ts",
      env: {
        ...env,
        PORT: String(apiPorts[n - 1]),
        HOST: "127.0.0.1",
        // No user logs in here.
        BETTER_AUTH_URL: apiUrl(n),
        OPS_PORT: "0",
        DRAIN_TIMEOUT_MS: "4000",
        RATE_LIMIT_ANONYMOUS: "0",
        RATE_LIMIT_ORDERS: "0",
      },
    }),
    role: (name: string, more: Record<string, string> = {}): Role => ({
      entry: `test/chaos/processes/${name}.ts`,
      env: { ...env, ...more },
    }),
    env,
    async stop(): Promise<Record<string, string>> {
      const exits = await fleet.stopAll();
      await Promise.all(Object.values(proxies).map((proxy) => proxy.stop()));
      await Promise.all([postgres.stop(), redis.stop(), group?.stop(), bucket.stop(), sink.stop()]);
      rmSync(directory, { recursive: true, force: true });
      await watchdog.release();
      return exits;
    },
  };
}
