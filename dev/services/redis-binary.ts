import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { run } from "./processes.ts";
import { findOnPath } from "./service.ts";

export interface RedisBinary {
  file: string;
  /** The name it has to be called by: Debian's server hides in `redis-check-rdb`, which looks at its own name. */
  argv0: string;
  env: NodeJS.ProcessEnv;
  how: string;
}

/** Debian packages with the server program and the libraries that a bare system lacks. */
const packages = ["redis-tools", "libjemalloc2", "liblzf1", "libatomic1"];

/**
 * Finds Redis or Valkey on `PATH`, else unpacks Debian's package into `folder` (1.4 MB, needs no root);
 * throws what to do where there is no apt-get.
 */
export async function findRedis(folder: string): Promise<RedisBinary> {
  const server = findOnPath("redis-server", "valkey-server");
  if (server) return { file: server, argv0: basename(server), env: process.env, how: server };
  const multiCall = findOnPath("redis-check-rdb", "valkey-check-rdb");
  if (multiCall) return { ...asServer(multiCall), env: process.env, how: multiCall };
  if (!existsSync(join(folder, "usr/bin/redis-check-rdb"))) await unpackDebianPackage(folder);
  return {
    ...asServer(join(folder, "usr/bin/redis-check-rdb")),
    env: libraryPath(folder),
    how: "Debian's redis-tools",
  };
}

function asServer(file: string) {
  return { file, argv0: basename(file).replace("check-rdb", "server") };
}

function libraryPath(folder: string): NodeJS.ProcessEnv {
  const libraries = join(folder, "usr/lib");
  const folders = readdirSync(libraries).map((name) => join(libraries, name));
  return { ...process.env, LD_LIBRARY_PATH: folders.join(":") };
}

async function unpackDebianPackage(folder: string): Promise<void> {
  if (!findOnPath("apt-get") || !findOnPath("dpkg-deb")) throw notFound();
  mkdirSync(dirname(folder), { recursive: true });
  const unfinished = mkdtempSync(`${folder}-unfinished-`);
  try {
    await download(unfinished);
    for (const file of readdirSync(unfinished).filter((name) => name.endsWith(".deb"))) {
      const { ok, output } = await run("dpkg-deb", ["-x", join(unfinished, file), unfinished]);
      if (!ok) throw notFound(output);
      rmSync(join(unfinished, file));
    }
    rmSync(folder, { recursive: true, force: true });
    renameSync(unfinished, folder);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

async function download(cwd: string): Promise<void> {
  const fetch = () => run("apt-get", ["download", "-q", ...packages], { cwd });
  let { ok, output } = await fetch();
  if (!ok && process.getuid?.() === 0) {
    await run("apt-get", ["update", "-q"]);
    ({ ok, output } = await fetch());
  }
  if (!ok) throw notFound(output);
}

function notFound(details = ""): Error {
  return new Error(
    "Redis was not found. Install it (Debian: apt-get install redis-server, macOS: brew install redis) " +
      `or set REDIS_URL to a server of yours.\n${details}`.trim(),
  );
}
