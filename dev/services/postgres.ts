import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { canEnter, type DroppedUser, droppedUser } from "./dropped-user.ts";
import { findPostgres, type PostgresBinaries } from "./postgres-binaries.ts";
import { run, stopLeftover } from "./processes.ts";
import { eachLine, exitOf, freePort, type Service, stopProcess } from "./service.ts";
import { untilReady } from "./until-ready.ts";

export interface PostgresOptions {
  dataDirectory: string;
  /** Absent: a free one. */
  port?: number;
  /** Of the user `postgres`, fixed when the cluster is made; absent: everybody on this machine may do everything. */
  password?: string;
  /** No fsync: for data that need not survive a crash of the machine. */
  fast?: boolean;
  /** Folder of its programs; absent: those of `POSTGRES_FOLDER`, of npm's package or of the system. */
  programs?: string;
  /** Further settings, as `ssl=on`. */
  settings?: readonly string[];
  log?: (line: string) => void;
  /** Told the process id before the server is ready, and before that the id of the program that makes the cluster. */
  spawned?: (pid: number) => void;
}

const fastSettings = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"];
const env = { ...process.env, LC_ALL: "C", TZ: "UTC" };

/** Starts a private PostgreSQL on 127.0.0.1 with user and database `postgres`; makes its cluster the first time. */
export async function startPostgres({
  dataDirectory,
  port,
  password,
  fast = false,
  programs,
  settings: more = [],
  log,
  spawned,
}: PostgresOptions): Promise<Service> {
  const user = droppedUser();
  const home = homeOf(resolve(dataDirectory), user);
  const data = join(home, "data");
  const binaries = await findPostgres(user, join(home, "binaries"), programs);
  await stopLeftover(data, join(data, "postmaster.pid"), "SIGINT");
  if (!existsSync(data)) await makeCluster(binaries, data, user, { password, spawned });
  checkVersion(data, binaries);

  const chosenPort = port ?? (await freePort());
  const settings = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "max_connections=200",
    ...(fast ? fastSettings : []),
    ...more,
  ];
  const child = spawn(
    join(binaries.folder, "bin/postgres"),
    ["-D", data, "-p", String(chosenPort), ...settings.flatMap((setting) => ["-c", setting])],
    { ...user.ids, env, cwd: "/", detached: true, stdio: ["ignore", "pipe", "pipe"] },
  );
  const exited = exitOf(child);
  if (child.pid) spawned?.(child.pid);
  eachLine(child, log);
  await untilReady(child, { name: "PostgreSQL", line: /ready to accept (read-only )?connections/ });
  return {
    name: "postgres",
    url: `postgresql://postgres${password ? `:${password}` : ""}@127.0.0.1:${chosenPort}/postgres`,
    how: `PostgreSQL ${binaries.version} (${binaries.how})`,
    pid: child.pid ?? 0,
    exited,
    stop: (graceMs) => stopProcess(child, "SIGINT", graceMs),
  };
}

/** Deletes what `startPostgres` keeps for the folder, wherever it had to put it. */
export function removePostgres(dataDirectory: string): void {
  const note = join(dataDirectory, "moved-to");
  if (existsSync(note)) rmSync(readFileSync(note, "utf8").trim(), { recursive: true, force: true });
  rmSync(dataDirectory, { recursive: true, force: true });
}

/** The folder itself or, where the dropped user cannot get there, one outside that survives a reboot if possible. */
function homeOf(folder: string, user: DroppedUser): string {
  mkdirSync(folder, { recursive: true });
  if (user.ids.uid === undefined || canEnter(folder, user)) return folder;
  const name = `tcf-postgres-${createHash("sha256").update(folder).digest("hex").slice(0, 12)}`;
  for (const base of ["/var/lib", tmpdir(), "/tmp"]) {
    const home = join(base, name);
    try {
      mkdirSync(home, { recursive: true, mode: 0o755 });
      if (!canEnter(home, user)) continue;
      writeFileSync(join(folder, "moved-to"), `${home}\n`);
      return home;
    } catch {
      // A read-only place: the next one.
    }
  }
  throw new Error(
    `PostgreSQL cannot run as root, and user ${user.name} finds no folder for its data; set DATABASE_URL.`,
  );
}

async function makeCluster(
  binaries: PostgresBinaries,
  data: string,
  user: DroppedUser,
  { password, spawned }: { password: string | undefined; spawned: ((pid: number) => void) | undefined },
): Promise<void> {
  const [unfinished, passwordFile] = [`${data}.unfinished`, `${data}.password`];
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { mode: 0o700 });
  writeFileSync(passwordFile, password ?? "", { mode: 0o600 });
  const { uid, gid } = user.ids;
  if (uid !== undefined && gid !== undefined) for (const one of [unfinished, passwordFile]) chownSync(one, uid, gid);
  const access = password ? ["-A", "scram-sha-256", `--pwfile=${passwordFile}`] : ["-A", "trust"];
  const { ok, output } = await run(
    join(binaries.folder, "bin/initdb"),
    ["-D", unfinished, "-U", "postgres", ...access, "-E", "UTF8", ...localeOptions(), "--no-sync"],
    { ...user.ids, env, cwd: "/", spawned },
  );
  rmSync(passwordFile);
  if (!ok) throw new Error(`initdb failed\n${output}`);
  renameSync(unfinished, data);
}

/** Sorted by code point and with the case rules of Unicode everywhere; macOS has no `C.UTF-8`. */
function localeOptions(): string[] {
  return process.platform === "darwin" ? ["--locale=C", "--lc-ctype=en_US.UTF-8"] : ["--locale=C.UTF-8"];
}

function checkVersion(data: string, binaries: PostgresBinaries): void {
  const made = Number(readFileSync(join(data, "PG_VERSION"), "utf8"));
  if (made === binaries.version) return;
  throw new Error(
    `The data in ${data} was made by PostgreSQL ${made}, found is PostgreSQL ${binaries.version}. ` +
      "`npm run reset` deletes the data and starts again.",
  );
}
