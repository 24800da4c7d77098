import { execFileSync, spawnSync } from "node:child_process";

/** The user a program is started as instead of root; empty where we are not root. */
export interface DroppedUser {
  name: string;
  ids: { uid?: number; gid?: number };
}

/** Gives the user that PostgreSQL, which refuses root, has to run as: `postgres` or `nobody` under root, else ourselves. */
export function droppedUser(): DroppedUser {
  if (process.getuid?.() !== 0) return { name: "this user", ids: {} };
  const name = ["postgres", "_postgres"].find((user) => spawnSync("id", ["-u", user]).status === 0) ?? "nobody";
  return { name, ids: { uid: idOf("-u", name), gid: idOf("-g", name) } };
}

/** Tells whether the user gets into the folder; the folders above count too (a home directory of mode 0700). */
export function canEnter(folder: string, { ids }: DroppedUser): boolean {
  return spawnSync("/bin/sh", ["-c", 'cd "$0"', folder], { ...ids, cwd: "/" }).status === 0;
}

function idOf(option: string, name: string): number {
  // macOS says 4294967294 for `nobody`, where Node wants the signed -2.
  return Number(execFileSync("id", [option, name], { encoding: "utf8" })) | 0;
}
