import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { importTool, installSide } from "../../scripts/side-packages.ts";
import type { Manifest } from "./helm.ts";

const packages: Record<string, string> = {
  "keda.sh": "@kubernetes-models/keda",
  "traefik.io": "@kubernetes-models/traefik",
  "monitoring.coreos.com": "@kubernetes-models/prometheus-operator",
};

/** What is wrong with these objects by the published schemas of their kinds: types, missing fields, formats. */
export async function schemaViolations(manifests: Manifest[]): Promise<string[]> {
  const checked = manifests.map(async (manifest) => {
    const { [manifest.kind]: Kind } = await importTool<Record<string, ModelClass>>(moduleOf(manifest));
    if (!Kind) return [`no schema of ${manifest.apiVersion} ${manifest.kind}`];
    try {
      new Kind(manifest).validate();
      return [];
    } catch (error) {
      return [`${manifest.kind} ${manifest.metadata.name}: ${error}`];
    }
  });
  return (await Promise.all(checked)).flat();
}

type ModelClass = new (data: Manifest) => { validate(): void };

/** What the compiler says against these objects written as literals of their types: besides all else, unknown fields. */
export async function typeErrors(manifests: Manifest[]): Promise<string> {
  const lines = manifests.flatMap((manifest, n) => [
    `import type { I${manifest.kind} as T${n} } from ${JSON.stringify(moduleOf(manifest))};`,
    `export const m${n}: T${n} = ${JSON.stringify(manifest)};`,
  ]);
  // Where the packages are found.
  const folder = mkdtempSync(join(installSide("tools"), ".manifests-"));
  const file = join(folder, "manifests.ts");
  writeFileSync(file, lines.join("\n"));
  const options = "--noEmit --strict --skipLibCheck --ignoreConfig --module nodenext --target es2023".split(" ");
  try {
    return await new Promise((done) => {
      execFile(resolve("node_modules/.bin/tsc"), [...options, file], (_error, stdout) => done(stdout));
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function moduleOf({ apiVersion, kind }: Manifest) {
  const [group = ""] = apiVersion.split("/");
  return `${packages[group] ?? "kubernetes-models"}/${apiVersion}/${kind}`;
}
