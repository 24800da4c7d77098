import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { beforeAll } from "vitest";
import { parseAllDocuments } from "yaml";
import { helmBinary } from "../../scripts/helm-binary.ts";

const run = promisify(execFile);

/** One object of Kubernetes as the chart renders it. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  // biome-ignore lint/suspicious/noExplicitAny: tests look at fields of many kinds; manifests.test.ts checks their types
  [field: string]: any;
}

/** Runs helm and answers what it prints; rejects with what it says on failure. */
export async function helm(...args: string[]): Promise<string> {
  const { stdout } = await run(helmBinary(), args, { maxBuffer: 64_000_000 });
  return stdout;
}

/** The chart's objects with these values files and `--set` expressions. */
export async function render(files: string[], ...sets: string[]): Promise<Manifest[]> {
  return parse(await renderText(files, ...sets));
}

/** Renders the chart before the tests of a file: one that renders nothing is then one failure, not one of each test. */
export function useChart() {
  beforeAll(async () => {
    await renderText(["test/helm/required.yaml"]);
  });
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
