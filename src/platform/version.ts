import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Version of this package, from the nearest package.json above the code, or null. */
export function packageVersion(): string | null {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    const file = join(folder, "package.json");
    if (existsSync(file)) return (JSON.parse(readFileSync(file, "utf8")) as { version?: string }).version ?? null;
    if (folder === dirname(folder)) return null;
  }
}
