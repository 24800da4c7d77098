import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { say, step } from "./console.ts";
import { environmentOf, type Variables } from "./environment.ts";
import { readJson, writeJson } from "./json-file.ts";
import type { CatalogueSize } from "./options.ts";
import { directory, paths, root } from "./paths.ts";
import { runNode, type Surroundings } from "./run-node.ts";

/** Brings the database to the newest version. */
export async function migrate(values: Variables, surroundings: Surroundings): Promise<void> {
  const env = environmentOf("database", values);
  const args = [join(paths.build, "db/migrate.js")];
  await runNode({ what: "migrating the database", args, env, ...surroundings });
  step("database is migrated");
}

export interface DemoOptions {
  fresh: boolean;
  catalogue: CatalogueSize | undefined;
}

interface Marker {
  databaseUrl: string;
  catalogue: CatalogueSize;
}

/**
 * Loads the demo users and, if requested, a demo shop; once for each database, and all of it or nothing. Says so when a
 * request comes too late.
 */
export async function loadDemo(
  values: Variables,
  { fresh, catalogue }: DemoOptions,
  surroundings: Surroundings,
): Promise<void> {
  // Beside the data, so that they are deleted together.
  mkdirSync(paths.postgres, { recursive: true });
  const file = join(paths.postgres, "demo-loaded.json");
  const { DATABASE_URL: databaseUrl = "" } = values;
  const marker = readJson(file) as Partial<Marker> | undefined;
  if (marker?.databaseUrl === databaseUrl) {
    if (catalogue && catalogue !== marker.catalogue) say(tooLate(catalogue));
    return;
  }
  const wanted = catalogue ?? (fresh ? "none" : "small");
  const env = { ...environmentOf("api", values), DEMO_CATALOGUE: wanted };
  const args = ["--import", "tsx", join(root, "dev/demo/main.ts")];
  await runNode({ what: "loading the demo data", args, env, ...surroundings });
  writeJson(file, { databaseUrl, catalogue: wanted } satisfies Marker);
  step(wanted === "none" ? "demo users are there" : "demo data is loaded");
}

function tooLate(catalogue: CatalogueSize) {
  const instead = `npm start -- --fresh --catalogue=${catalogue}`;
  return `--catalogue counts only where there is no data yet; \`${instead}\` deletes what is in ${directory} first`;
}
