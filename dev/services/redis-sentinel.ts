import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { findRedis } from "./redis-binary.ts";
import { eachLine, exitOf, type Service, stopProcess } from "./service.ts";
import { untilReady } from "./until-ready.ts";

export interface SentinelOptions {
  /** An empty folder; the sentinel writes what it knows there. */
  dataDirectory: string;
  binaryDirectory: string;
  port: number;
  /** Whom it watches, how many sentinels have to agree, and after which silence in milliseconds. */
  master: { name: string; host: string; port: number; quorum: number; downMs: number };
  /** Of the sentinel, and of the servers that it watches; absent: none. */
  password?: string;
  spawned?: (pid: number) => void;
}

/** Starts a sentinel of Redis on 127.0.0.1. */
export async function startSentinel(options: SentinelOptions): Promise<Service> {
  const { port, master, password, spawned } = options;
  const folder = resolve(options.dataDirectory);
  mkdirSync(folder, { recursive: true });
  const { file, argv0, env, how } = await findRedis(resolve(options.binaryDirectory));
  const { name, quorum, downMs } = master;
  const lines = [
    `port ${port}`,
    "bind 127.0.0.1",
    `dir ${folder}`,
    ...(password ? [`requirepass ${password}`, `sentinel sentinel-pass ${password}`] : []),
    `sentinel monitor ${name} ${master.host} ${master.port} ${quorum}`,
    `sentinel down-after-milliseconds ${name} ${downMs}`,
    `sentinel failover-timeout ${name} ${3 * downMs}`,
    ...(password ? [`sentinel auth-pass ${name} ${password}`] : []),
  ];
  const configuration = join(folder, "sentinel.conf");
  writeFileSync(configuration, `${lines.join("\n")}\n`, { mode: 0o600 });
  const child = spawn(file, [configuration, "--sentinel"], {
    argv0,
    env,
    cwd: folder,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exited = exitOf(child);
  if (child.pid) spawned?.(child.pid);
  eachLine(child);
  await untilReady(child, { name: "Redis Sentinel", line: /Sentinel ID is/ });
  return {
    name: `sentinel-${port}`,
    url: `redis://127.0.0.1:${port}`,
    how,
    pid: child.pid ?? 0,
    exited,
    stop: (graceMs) => stopProcess(child, "SIGTERM", graceMs),
  };
}
