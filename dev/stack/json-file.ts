import { readFileSync, renameSync, writeFileSync } from "node:fs";

/** Reads a JSON file; gives nothing when it is missing or was cut short. */
export function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Writes a JSON file that only its owner may read, in one step: a reader sees the old or the new one. */
export function writeJson(file: string, value: unknown): void {
  const unfinished = `${file}.unfinished`;
  writeFileSync(unfinished, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  renameSync(unfinished, file);
}
