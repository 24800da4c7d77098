import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { runRedis } from "./redis.ts";
import { findRedis } from "./redis-binary.ts";
import type { Service } from "./service.ts";

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
  const binary = await findRedis(resolve(options.binaryDirectory));
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
  const ready = { name: "Redis Sentinel", line: /Sentinel ID is/ };
  const url = `redis://127.0.0.1:${port}`;
  return runRedis({ binary, folder, args: [configuration, "--sentinel"], ready, url, spawned });
}
