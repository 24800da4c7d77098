import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join, relative } from "node:path";
import { step } from "./console.ts";
import { directory, paths, root } from "./paths.ts";
import { runNode, type Surroundings } from "./run-node.ts";

/**
 * Compiles `src` into the stack's folder, unless it has not changed, so that its processes start without a loader.
 * Types are not checked: `npm run check` does, and it would cost a second here.
 */
export async function compile(surroundings: Surroundings): Promise<void> {
  const stampFile = join(paths.build, "stamp");
  const stamp = stampOfSources();
  if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp) return;
  rmSync(paths.build, { recursive: true, force: true });
  mkdirSync(paths.build, { recursive: true });
  linkPackages();
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  const options = ["--outDir", paths.build, "--noCheck", "--sourceMap", "false"];
  const args = [compiler, "-p", join(root, "tsconfig.build.json"), ...options];
  await runNode({ what: "compiling src", args, env: process.env, ...surroundings });
  writeFileSync(stampFile, stamp);
  step("src is compiled");
}

/** Names, sizes and times of everything the result depends on. */
function stampOfSources(): string {
  const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" }).map((name) =>
    join("src", name),
  );
  const files = [...sources.sort(), "tsconfig.json", "tsconfig.build.json", "node_modules/typescript/package.json"];
  const hash = createHash("sha256");
  for (const file of files) {
    const { size, mtimeMs } = statSync(join(root, file));
    hash.update(`${file} ${size} ${mtimeMs}\n`);
  }
  return hash.digest("hex");
}

/** Compiled code looks for packages in the folders above it; outside the checkout it would find none. */
function linkPackages(): void {
  if (!relative(root, directory).startsWith("..")) return;
  writeFileSync(join(paths.build, "package.json"), '{ "type": "module" }\n');
  const link = join(directory, "node_modules");
  if (!existsSync(link)) symlinkSync(join(root, "node_modules"), link);
}
