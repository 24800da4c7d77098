import { spawn } from "node:child_process";
import { chownSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { canEnter, droppedUser } from "./dropped-user.ts";
import { eachLine, exitOf, findOnPath, freePort, type Service, stopProcess } from "./service.ts";
import { untilReady } from "./until-ready.ts";

export interface PgbouncerOptions {
  /** For its configuration; the user that it runs as has to get there. */
  folder: string;
  /** URL of the server behind it, with user and password; its clients log in as the same user. */
  server: string;
  /** Absent: a free one. */
  port?: number;
  /** Further lines of `pgbouncer.ini`, such as `{ default_pool_size: 2 }`; absent: transaction mode, all else as usual. */
  settings?: Record<string, string | number>;
  log?: (line: string) => void;
  /** Told the process id before it is ready. */
  spawned?: (pid: number) => void;
}

/** The program, or nothing where it is not installed (Debian: apt-get install pgbouncer). */
export function findPgbouncer(): string | undefined {
  const debians = "/usr/sbin/pgbouncer";
  return findOnPath("pgbouncer") ?? (existsSync(debians) ? debians : undefined);
}

/** Starts a private PgBouncer on 127.0.0.1 in transaction mode; throws where it is not installed. */
export async function startPgbouncer(options: PgbouncerOptions): Promise<Service> {
  const { folder, server, port, settings, log, spawned } = options;
  const program = findPgbouncer();
  if (!program) throw new Error("PgBouncer was not found. Install it (Debian: apt-get install pgbouncer).");
  const user = droppedUser();
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  if (!canEnter(resolve(folder), user)) throw new Error(`User ${user.name} cannot read ${folder}, PgBouncer's folder.`);
  const target = new URL(server);
  const chosenPort = port ?? (await freePort());
  const lines = {
    listen_addr: "127.0.0.1",
    listen_port: chosenPort,
    unix_socket_dir: "",
    auth_type: "scram-sha-256",
    auth_file: join(resolve(folder), "users.txt"),
    admin_users: decodeURIComponent(target.username),
    pool_mode: "transaction",
    ...settings,
  };
  const [name, password] = [target.username, target.password].map(decodeURIComponent);
  write(lines.auth_file, `"${name}" "${password}"\n`);
  const configuration = join(resolve(folder), "pgbouncer.ini");
  write(
    configuration,
    `[databases]\n* = host=${target.hostname} port=${target.port}\n[pgbouncer]\n${Object.entries(lines)
      .map(([setting, value]) => `${setting} = ${value}\n`)
      .join("")}`,
  );
  const child = spawn(program, [configuration], {
    ...user.ids,
    cwd: "/",
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exited = exitOf(child);
  if (child.pid) spawned?.(child.pid);
  eachLine(child, log);
  await untilReady(child, { name: "PgBouncer", line: /process up/ });
  const url = new URL(server);
  url.hostname = "127.0.0.1";
  url.port = String(chosenPort);
  return {
    name: "pgbouncer",
    url: url.href,
    how: program,
    pid: child.pid ?? 0,
    exited,
    // At once; SIGINT would wait for its clients.
    stop: (graceMs) => stopProcess(child, "SIGTERM", graceMs),
  };

  function write(file: string, text: string) {
    writeFileSync(file, text, { mode: 0o600 });
    if (user.ids.uid !== undefined && user.ids.gid !== undefined) chownSync(file, user.ids.uid, user.ids.gid);
  }
}
