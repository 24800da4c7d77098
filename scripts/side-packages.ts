import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { load } from "../tools/load.ts";

const root = join(import.meta.dirname, "..");

/** Folders with packages of their own, which `npm install` leaves out because few commands need them. */
export type SideFolder = "bench" | "tools" | "tools/linter" | "tools/s3";

/**
 * Installs the packages of a folder as its lock file says, unless they are there; returns where they are. Throws when npm
 * fails. Several processes may call it at the same time: each installs beside the folder, and the first one's stays.
 */
export function installSide(folder: SideFolder): string {
  const home = join(root, folder);
  const modules = join(home, "node_modules");
  const wanted = createHash("sha256")
    .update(readFileSync(join(home, "package-lock.json")))
    .digest("hex");
  if (stampOf(modules) === wanted) return modules;
  const cache = join(root, "node_modules", ".cache", "tcf-backend");
  mkdirSync(cache, { recursive: true });
  const draft = mkdtempSync(join(cache, "side-"));
  try {
    for (const name of ["package.json", "package-lock.json", ".npmrc"]) cpSync(join(home, name), join(draft, name));
    process.stderr.write(`installing the packages of ${folder}, once\n`);
    runNpm(draft);
    mkdirSync(join(draft, "node_modules"), { recursive: true });
    writeFileSync(join(draft, "node_modules", stampName), wanted);
    if (stampOf(modules) !== wanted) replace(modules, join(draft, "node_modules"), join(draft, "old"));
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return modules;
}

/** A module of `tools`, which is installed first if need be. */
export async function importTool<T>(name: string): Promise<T> {
  installSide("tools");
  return await load<T>(name);
}

/** The file that `require` of a tool's module would load. */
export function resolveTool(name: string): string {
  return createRequire(join(installSide("tools"), "..", "package.json")).resolve(name);
}

/** The linter's program, which is installed first if need be. */
export function linterProgram(): string {
  return join(installSide("tools/linter"), ".bin", "biome");
}

const stampName = ".installed-from";

function stampOf(modules: string): string | undefined {
  const file = join(modules, stampName);
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}

function runNpm(cwd: string) {
  // What npm tells its scripts is about another folder.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));
  const args = ["ci", "--prefer-offline"];
  // A download that breaks off is tried again.
  for (const isLast of [false, true]) {
    const { status, stderr, error } = spawnSync("npm", args, { cwd, env, encoding: "utf8" });
    if (status === 0) return;
    if (isLast) throw error ?? new Error(`npm ci failed: ${stderr}`);
  }
}

/** Another process may do the same between these lines; one of both is what stays, and they are alike. */
function replace(modules: string, fresh: string, old: string) {
  tryToRename(modules, old);
  const error = tryToRename(fresh, modules);
  if (stampOf(modules) === undefined) throw error;
}

function tryToRename(from: string, to: string): unknown {
  try {
    renameSync(from, to);
    return undefined;
  } catch (error) {
    return error;
  }
}
