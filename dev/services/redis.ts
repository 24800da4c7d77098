import { type StdioOptions, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { stopLeftover } from "./processes.ts";
import { findRedis, type RedisBinary } from "./redis-binary.ts";
import { eachLine, exitOf, freePort, type Service, stopProcess } from "./service.ts";
import { untilReady } from "./until-ready.ts";

export interface RedisOptions {
  dataDirectory: string;
  /** Where a downloaded server program is kept. */
  binaryDirectory: string;
  /** Absent: a free one. */
  port?: number;
  /** Absent: everybody on this machine may do everything. */
  password?: string;
  log?: (line: string) => void;
  /** Told the process id before the server is ready. */
  spawned?: (pid: number) => void;
  /** Settings of redis.conf besides, or instead of, those of a broker. */
  settings?: Readonly<Record<string, string>>;
}

/** Starts a private Redis on 127.0.0.1 as the broker needs it: append-only file, nothing evicted. */
export async function startRedis({
  port,
  password,
  log,
  spawned,
  settings: more,
  ...options
}: RedisOptions): Promise<Service> {
  const folder = resolve(options.dataDirectory);
  mkdirSync(folder, { recursive: true });
  const pidFile = join(folder, "redis.pid");
  await stopLeftover(folder, pidFile, "SIGTERM");

  const binary = await findRedis(resolve(options.binaryDirectory));
  const chosenPort = port ?? (await freePort());
  const settings = {
    port: String(chosenPort),
    bind: "127.0.0.1",
    dir: folder,
    pidfile: pidFile,
    appendonly: "yes",
    appendfsync: "everysec",
    save: "",
    "maxmemory-policy": "noeviction",
    daemonize: "no",
    logfile: "",
    ...more,
  };
  // Not an argument: everybody can read those.
  const configuration = join(folder, "redis.conf");
  writeFileSync(configuration, password ? `requirepass ${password}\n` : "", { mode: 0o600 });
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  const url = `redis://${password ? `:${password}@` : ""}127.0.0.1:${chosenPort}`;
  const ready = { name: "Redis", line: /Ready to accept connections/ };
  return runRedis({ binary, folder, args: [configuration, ...args], ready, url, log, spawned });
}

interface Run {
  binary: RedisBinary;
  folder: string;
  args: readonly string[];
  ready: { name: string; line: RegExp };
  url: string;
  log?: RedisOptions["log"] | undefined;
  spawned?: RedisOptions["spawned"] | undefined;
}

/** Starts the program of Redis, as a server or as a sentinel; resolves when it prints that it is ready. */
export async function runRedis({ binary, folder, args, ready, url, log, spawned }: Run): Promise<Service> {
  const { file, argv0, env, how } = binary;
  const stdio: StdioOptions = ["ignore", "pipe", "pipe"];
  const child = spawn(file, args, { argv0, env, cwd: folder, detached: true, stdio });
  const exited = exitOf(child);
  if (child.pid) spawned?.(child.pid);
  eachLine(child, log);
  await untilReady(child, ready);
  return {
    name: "redis",
    url,
    how,
    pid: child.pid ?? 0,
    exited,
    stop: (graceMs) => stopProcess(child, "SIGTERM", graceMs),
  };
}
