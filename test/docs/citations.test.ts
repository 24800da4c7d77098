import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { routes } from "../../src/api/routes/index.ts";

const folders = ["src", "test", "dev", "bench", "scripts", "helm", "docs", ".github", ".ci"].filter(existsSync);
const isGenerated = (path: string) => /node_modules|\/golden\/|docs\/proof\/|__snapshots__/.test(path);
/** Every file of the tree, from its root. */
const everything = [
  ...readdirSync(".").filter((name) => statSync(name).isFile()),
  ...folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name)),
  ),
];
const files = everything.filter((path) => !isGenerated(path));
/** Also what a reader is told to write. */
const names = new Set([...everything.map((path) => basename(path)), "mine.yaml"]);
const pages = files.filter((path) => path.endsWith(".md"));
const sources = files.filter(
  (path) => /\.(ts|mjs|ya?ml|tpl|md)$|^(scripts|\.ci)\/[\w-]+$/.test(path) && path !== "test/docs/citations.test.ts",
);
const decisions = readdirSync("docs/decisions").map((name) => Number.parseInt(name, 10));
const rules = new Set(Array.from(read("docs/contract.md").matchAll(/^#+ (\d[\d.]*?)\.? /gm), ([, number]) => number));

function read(path: string) {
  return readFileSync(path, "utf8");
}

/** What `find` says of each of the files, with the file in front. */
function complaints(paths: readonly string[], find: (text: string, path: string) => string[]) {
  return paths.flatMap((path) => find(read(path), path).map((found) => `${path}: ${found}`));
}

const anyOf = (text: string, pattern: RegExp) => Array.from(text.matchAll(pattern), (match) => match[1] ?? match[0]);

describe("a comment or page", () => {
  test("cites only rules that docs/contract.md has", () => {
    const cited =
      /\bcontract\s+(?:\* |\/\/ )?(\d(?:[\d.,]|\s+(?:\* |\/\/ )?(?=\d|and \d|to \d)|and (?=\d)|to (?=\d))*)/gi;
    const unknown = complaints(sources, (text) =>
      anyOf(text, cited)
        .flatMap((list) => list.match(/\d+(?:\.\d+)*/g) ?? [])
        .filter((rule) => !rules.has(rule)),
    );
    expect(unknown).toEqual([]);
    expect(rules.size).toBeGreaterThan(30);
  });

  test("cites only decisions that are written", () => {
    const unknown = complaints(sources, (text) =>
      anyOf(text, /\bdecisions?(?: |\/)(\d+)/gi).filter((number) => !decisions.includes(Number(number))),
    );
    expect(unknown).toEqual([]);
  });

  test("names only pages that are in docs", () => {
    const isThere = (path: string) =>
      existsSync(path) || (/\/\d{4}$/.test(path) && decisions.includes(Number(path.slice(-4))));
    const gone = complaints(sources, (text) =>
      anyOf(text, /(?<![/\w.`-])docs\/[\w/-]+(?:\.\w+)?/g).filter((path) => !isThere(path)),
    );
    expect(gone).toEqual([]);
    const strange = complaints(sources, (text) =>
      anyOf(text.replaceAll(/https?:\S+/g, ""), /\b[\w-]+\.md\b/g).filter((name) => !names.has(name)),
    );
    expect(strange).toEqual([]);
  });

  test("cites nothing by the number of a document that is not here", () => {
    const foreign = /\bwire contract (?:\d|\()|\bAppendix [A-Z]\b|\b[\w-]+\.md S?\d/gi;
    expect(complaints(sources, (text) => anyOf(text, foreign))).toEqual([]);
  });
});

describe("a page", () => {
  /** Where a path in a page may start: it is written from the root, from `src` or from its own folder. */
  const startsOf = (page: string) => ["", "src", "src/workers", "docs", dirname(page)];
  const roots =
    /^(?:src|test|dev|bench|scripts|helm|docs|\.github|\.ci|api|workers|services|db|jobs|engine|platform|cli|processors|decisions|runbook)\//;
  const isFile = /^[\w.-]+\.(?:ts|mjs|ya?ml|json|md|svg|tpl)$/;

  test("names only files that are there", () => {
    const isThere = (path: string, page: string) => {
      if (isFile.test(path)) return names.has(path);
      return startsOf(page).some((start) => [path, `${path}.ts`].some((name) => existsSync(join(start, name))));
    };
    const gone = complaints(pages, (text, page) =>
      anyOf(text.replaceAll(/^```[\s\S]*?^```/gm, ""), /`([^`\s]+)`/g)
        .filter((path) => (roots.test(path) || isFile.test(path)) && !/[<>*{]/.test(path))
        .filter((path) => !isThere(path, page)),
    );
    expect(gone).toEqual([]);
  });

  test("names only routes that the API has", () => {
    const shapeOf = (method: string, path: string) =>
      `${method.toUpperCase()} ${path.replaceAll(/\{\w+\}|<\w+>/g, "{}")}`;
    const served = new Set(routes.map(({ method, path }) => shapeOf(method, path)));
    // These are of the ops port, or match a part of the address with their own rules.
    const isElsewhere = (path: string) => /^\/(?:desired-workers|admin|-|openapi\.json|docs|ADMIN)\b/.test(path);
    const isServed = (method: string, path: string) =>
      served.has(shapeOf(method, path)) ||
      routes.some((route) => isInstance(shapeOf(route.method, route.path), `${method} ${path}`));
    const gone = complaints(pages, (text) =>
      Array.from(text.matchAll(/`(GET|POST|PUT|PATCH|DELETE) (\/[^`\s?]*)[^`]*`/g))
        .filter(([, , path = ""]) => !isElsewhere(path) && !path.includes("…"))
        .filter(([, method = "", path = ""]) => !isServed(method, path))
        .map(([named]) => named),
    );
    expect(gone).toEqual([]);
  });

  /** True when `path` is `shape` with something filled in. */
  function isInstance(shape: string, path: string) {
    const [parts, given] = [shape.split("/"), path.split("/")];
    return parts.length === given.length && parts.every((part, at) => part === "{}" || part === given[at]);
  }

  test("links only to files and headings that are there", () => {
    const broken = complaints(pages, (text, page) =>
      anyOf(text, /\]\(([^)\s]+)\)/g)
        .filter((link) => !/^(?:https?:|mailto:)/.test(link))
        .filter((link) => {
          const [path = "", anchor] = link.split("#");
          const target = path === "" ? page : join(dirname(page), path);
          return !existsSync(target) || (anchor !== undefined && !anchorsOf(target).includes(anchor));
        }),
    );
    expect(broken).toEqual([]);
  });

  function anchorsOf(page: string) {
    return anyOf(read(page), /^#+ (.+)$/gm).map((heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
        .replaceAll(" ", "-"),
    );
  }
});
