import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { step } from "./console.ts";
import { environmentOf, type Variables } from "./environment.ts";
import { readJson, writeJson } from "./json-file.ts";
import { paths, root } from "./paths.ts";
import { runNode } from "./run-node.ts";

/** Brings the database to the newest version. */
export async function migrate(values: Variables, signal: AbortSignal): Promise<void> {
  const env = environmentOf("database", values);
  await runNode("Migrating the database", [join(paths.build, "db/migrate.js")], env, signal);
  step("database is migrated");
}

/** Loads the demo users and, unless `fresh`, the demo catalogue; once for each database. */
export async function loadDemo(values: Variables, fresh: boolean, signal: AbortSignal): Promise<void> {
  // Beside the data, so that whoever deletes one deletes the other.
  mkdirSync(paths.postgres, { recursive: true });
  const marker = join(paths.postgres, "demo-loaded.json");
  const databaseUrl = values.DATABASE_URL;
  if ((readJson(marker) as { databaseUrl?: string } | undefined)?.databaseUrl === databaseUrl) return;
  const env = { ...environmentOf("api", values), DEMO_CATALOGUE: fresh ? "none" : "small" };
  await runNode("Loading the demo data", ["--import", "tsx", join(root, "dev/demo/main.ts")], env, signal);
  writeJson(marker, { databaseUrl });
  step(fresh ? "demo users are there" : "demo data is loaded");
}
