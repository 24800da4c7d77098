import { mkdirSync, symlinkSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join, relative } from "node:path";
import { installSide } from "../scripts/side-packages.ts";

/** What every `bench/<name>.ts` exports; `args` are the words after its name. */
interface Bench {
  summary: string;
  run: (args: string[]) => Promise<void>;
}

linkPackages(installSide("bench"));

const names = (await readdir(import.meta.dirname, { withFileTypes: true }))
  .filter((entry) => entry.isFile() && entry.name.endsWith(".ts") && entry.name !== "main.ts")
  .map(({ name }) => name.replace(/\.ts$/, ""))
  .sort();

const load = async (name: string) => (await import(`./${name}.ts`)) as Bench;

const [wanted, ...args] = process.argv.slice(2);
if (wanted !== undefined && names.includes(wanted)) {
  await (await load(wanted)).run(args);
} else {
  if (wanted !== undefined) console.error(`No bench is called '${wanted}'.`);
  console.log("Usage: npm run bench <name>\n");
  for (const name of names) console.log(`  ${name.padEnd(12)} ${(await load(name)).summary}`);
  if (wanted !== undefined) process.exitCode = 1;
}

/** Programs of `bench` that are compiled find its packages beside them; `src`, compiled beside those, has the root's. */
function linkPackages(modules: string) {
  const compiled = join("var", "bench", "bench");
  mkdirSync(compiled, { recursive: true });
  try {
    symlinkSync(relative(compiled, modules), join(compiled, "node_modules"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}
