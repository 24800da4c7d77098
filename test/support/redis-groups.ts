import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { startRedis } from "../../dev/services/redis.ts";
import { startSentinel } from "../../dev/services/redis-sentinel.ts";
import { freePort, type Service } from "../../dev/services/service.ts";
import type { RedisAddress } from "../../src/platform/redis.ts";

// Groups of real servers of Redis: a master with replica and sentinels, and a cluster.

export interface GroupOptions {
  /** An empty folder for all of their data. */
  directory: string;
  binaryDirectory: string;
  /** Called with each new process before it is ready. */
  spawned: (pid: number) => void;
  /** Password of servers and sentinels; absent: none. */
  password?: string;
}

/** Servers that watch over each other. */
export interface RedisGroup {
  address: RedisAddress;
  /** Settings of a process that uses it. */
  env: Record<string, string>;
  /** Kills the master of this key (of all keys, with sentinels) and resolves when another is one. */
  failOver(key: string): Promise<void>;
  /** Starts killed servers again; they join as replicas. */
  revive(): Promise<void>;
  stop(): Promise<void>;
}

const host = "127.0.0.1";
/** A master that is silent for this long is replaced. */
const downMs = 1_000;
/** An election takes seconds, on a busy machine many. */
const patienceMs = 120_000;

/** Resolves when the condition holds; a server that does not answer yet fails it. */
async function until(condition: () => Promise<boolean>) {
  for (const end = Date.now() + patienceMs; !(await condition().catch(() => false)); ) {
    if (Date.now() > end) throw new Error(`Servers of Redis did not agree within ${patienceMs / 1_000} s`);
    await sleep(50);
  }
}

interface Server {
  port: number;
  running: Service;
  isDown: boolean;
  start(): Promise<Service>;
}

async function openServers(
  count: number,
  { directory, binaryDirectory, spawned, password }: GroupOptions,
  settingsOf: (index: number, ports: readonly number[]) => Promise<Record<string, string>>,
): Promise<Server[]> {
  const ports = await differentPorts(count);
  return Promise.all(
    ports.map(async (port, index) => {
      const dataDirectory = join(directory, `redis-${index}`);
      const settings = { "repl-diskless-sync-delay": "0", ...(await settingsOf(index, ports)) };
      const start = () =>
        startRedis({
          dataDirectory,
          binaryDirectory,
          port,
          spawned,
          ...(password && { password }),
          settings: { ...(password && { masterauth: password }), ...settings },
        });
      return { port, start, running: await start(), isDown: false };
    }),
  );
}

async function differentPorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await freePort());
  return [...ports];
}

async function kill(server: Server) {
  process.kill(server.running.pid, "SIGKILL");
  await server.running.exited;
  server.isDown = true;
}

/** Answers of one server, on a connection of its own. */
async function ask<T>(port: number, password: string | undefined, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis({ port, host, ...(password && { password }), retryStrategy: () => null, lazyConnect: true });
  redis.on("error", () => undefined);
  try {
    await redis.connect();
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}

async function revive(servers: readonly Server[]) {
  for (const server of servers) {
    if (!server.isDown) continue;
    server.running = await server.start();
    server.isDown = false;
  }
}

/** A master, a replica and three sentinels. */
export async function startSentinelGroup(options: GroupOptions): Promise<RedisGroup> {
  const { directory, binaryDirectory, spawned, password } = options;
  mkdirSync(directory, { recursive: true });
  const servers = await openServers(2, options, async (index, [master]) =>
    index === 0 ? {} : { replicaof: `${host} ${master}` },
  );
  const masterPort = servers[0]?.port ?? 0;
  const sentinelPorts = await differentPorts(3);
  const sentinels = await Promise.all(
    sentinelPorts.map((port) =>
      startSentinel({
        dataDirectory: join(directory, `sentinel-${port}`),
        binaryDirectory,
        port,
        master: { name: "shop", host, port: masterPort, quorum: 2, downMs },
        spawned,
        ...(password && { password }),
      }),
    ),
  );
  const masterNow = () =>
    ask(sentinelPorts[0] ?? 0, password, async (redis) => {
      const [, port] = (await redis.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "shop")) as string[];
      return Number(port);
    });
  const isWatched = () =>
    ask(sentinelPorts[0] ?? 0, password, async (redis) => {
      const rows = (await redis.call("SENTINEL", "REPLICAS", "shop")) as string[][];
      const quorum = await redis.call("SENTINEL", "CKQUORUM", "shop").catch(String);
      const isReady = rows.some((row) => /^slave$/.test(row[row.indexOf("flags") + 1] ?? ""));
      return isReady && String(quorum).startsWith("OK 3");
    });
  await until(isWatched);
  const names = sentinelPorts.map((port) => `${host}:${port}`).join(",");
  return {
    address: {
      sentinels: sentinelPorts.map((port) => ({ host, port })),
      master: "shop",
      isEncrypted: false,
      ...(password && { password, sentinelPassword: password }),
    },
    env: {
      REDIS_SENTINELS: names,
      REDIS_SENTINEL_NAME: "shop",
      ...(password && { REDIS_PASSWORD: password, REDIS_SENTINEL_PASSWORD: password }),
    },
    async failOver() {
      await until(isWatched);
      const before = await masterNow();
      const master = servers.find(({ port }) => port === before);
      if (!master) throw new Error(`No server of this group has the port ${before}`);
      await kill(master);
      await until(async () => (await masterNow()) !== before);
    },
    revive: () => revive(servers),
    async stop() {
      await Promise.all([...sentinels, ...servers.map(({ running }) => running)].map((one) => one.stop()));
    },
  };
}

/** Three masters with a replica each. */
export async function startCluster(options: GroupOptions): Promise<RedisGroup> {
  const { password } = options;
  const servers = await openServers(6, options, async () => ({
    "cluster-enabled": "yes",
    "cluster-node-timeout": String(downMs),
    "cluster-port": String(await freePort()),
    "cluster-replica-validity-factor": "0",
  }));
  const of = <T>(index: number, work: (redis: Redis) => Promise<T>) => ask(servers[index]?.port ?? 0, password, work);
  const ranges = [
    [0, 5_460],
    [5_461, 10_922],
    [10_923, 16_383],
  ] as const;
  for (const [index, range] of ranges.entries())
    await of(index, (redis) => redis.call("CLUSTER", "ADDSLOTSRANGE", ...range));
  for (const { port } of servers.slice(1)) {
    const busPort = await ask(port, password, async (redis) =>
      String(((await redis.config("GET", "cluster-port")) as string[])[1]),
    );
    await of(0, (redis) => redis.call("CLUSTER", "MEET", host, port, busPort));
  }
  const ids = await Promise.all(servers.map((_server, index) => of(index, (redis) => redis.call("CLUSTER", "MYID"))));
  for (const index of [3, 4, 5]) {
    const follow = () => of(index, (redis) => redis.call("CLUSTER", "REPLICATE", String(ids[index - 3])));
    await until(() => follow().then(Boolean));
  }
  const stateOf = async (index: number) => String(await of(index, (redis) => redis.cluster("INFO")));
  const nodesOf = async () => {
    for (const { port } of servers) {
      const text = await ask(port, password, async (redis) => String(await redis.cluster("NODES"))).catch(() => "");
      if (text)
        return text
          .trim()
          .split("\n")
          .map((line) => line.split(" "));
    }
    throw new Error("No server of the cluster answers");
  };
  /** All servers agree, and each master has a replica that follows it. */
  const isSound = async () => {
    const states = await Promise.all(servers.map((_server, index) => stateOf(index).catch(() => "")));
    if (!states.every((state) => state.includes("cluster_state:ok"))) return false;
    const nodes = await nodesOf();
    const replicas = nodes.filter(
      ([, , flags = "", , , , , link]) => /slave/.test(flags) && !/fail/.test(flags) && link === "connected",
    );
    return new Set(replicas.map(([, , , master]) => master)).size === 3;
  };
  await until(isSound);
  const masterOf = async (key: string) => {
    const slots = await of(await firstAlive(), (redis) => redis.cluster("SLOTS"));
    const slot = Number(await of(await firstAlive(), (redis) => redis.cluster("KEYSLOT", key)));
    return slots.find(([from, to]) => slot >= from && slot <= to)?.[2]?.[1];
  };
  const firstAlive = async () => {
    for (const index of servers.keys())
      if (await of(index, (redis) => redis.ping()).then(Boolean, () => false)) return index;
    throw new Error("No server of the cluster answers");
  };
  return {
    address: {
      nodes: servers.slice(0, 2).map(({ port }) => ({ host, port })),
      isEncrypted: false,
      ...(password && { password }),
    },
    env: {
      REDIS_CLUSTER_NODES: servers.map(({ port }) => `${host}:${port}`).join(","),
      ...(password && { REDIS_PASSWORD: password }),
    },
    async failOver(key) {
      await until(isSound);
      const before = await masterOf(key);
      const master = servers.find(({ port }) => port === before);
      if (!master) throw new Error(`No server of this cluster has the port ${before}`);
      await kill(master);
      await until(async () => {
        const now = await masterOf(key).catch(() => before);
        return now !== undefined && now !== before && (await stateOf(await firstAlive())).includes("cluster_state:ok");
      });
    },
    revive: () => revive(servers),
    async stop() {
      await Promise.all(servers.map(({ running }) => running.stop()));
    },
  };
}
