import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { removePostgres } from "../services/postgres.ts";
import { directory, paths } from "./paths.ts";

/** Deletes all the stack has kept, also what it had to put outside its folder; the lock stays. */
export function wipe(): void {
  if (!existsSync(directory)) return;
  removePostgres(paths.postgres);
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    if (path !== paths.lock) rmSync(path, { recursive: true, force: true });
  }
}
