import { globSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseAst } from "vitest/node";

/** Longer than anything that reaches an expression in one piece: a line of a log, a header, a path, a field. */
const length = 32_000;
/** A step for each character takes 2 ms at the most, a step for each pair of characters 300 ms and more. */
const maxMs = 60;
/** What a sixteenth of the length may cost before the whole is tried: pairs of characters take 1 ms and more. */
const suspectMs = 0.5;

interface Found {
  file: string;
  pattern: string;
  flags: string;
}

/** Made while the program runs, of parts that no caller chooses, or bounded by a first look at the length. */
const made = ["src/api/board/presses.ts", "src/api/http/fields.ts", "src/config/kinds.ts"];

function* nodesOf(value: unknown): Generator<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return;
  if (!Array.isArray(value)) yield value as Record<string, unknown>;
  for (const part of Object.values(value)) yield* nodesOf(part);
}

function expressionsOf(file: string) {
  const nodes = [...nodesOf(parseAst(readFileSync(file, "utf8"), { lang: "ts" }, file).body)];
  const written = nodes.flatMap(({ type, regex }) => (type === "Literal" && regex ? [regex as Found] : []));
  const isMade = nodes.some(({ type, callee }) => type === "NewExpression" && isRegExp(callee));
  return { written: written.map(({ pattern, flags }) => ({ file, pattern, flags })), isMade };
}

const isRegExp = (callee: unknown) => (callee as { name?: string }).name === "RegExp";

const files = globSync("src/**/*.ts")
  .sort()
  .map((file) => ({ file, ...expressionsOf(file) }));
const written = files.flatMap((file) => file.written);

/** Characters that an expression tells apart: those that stand in it, and one of each class. */
function charactersFor(pattern: string) {
  const named = [...pattern.matchAll(/\\u\{?([0-9a-f]{4,5})\}?/gi)].map(([, hex = ""]) => Number.parseInt(hex, 16));
  return [...new Set([...pattern, ...named.map((code) => String.fromCodePoint(code)), ..."a0A \t\n\0-/.@\"'«\\_é"])];
}

/** Long runs of what an expression may repeat, behind what it may begin with, before what it cannot end with. */
function worstInputs(pattern: string): ((length: number) => string)[] {
  const characters = charactersFor(pattern);
  return characters.flatMap((one) => [
    ...["", "\0", "\n", "!", "@", "\0a@a.aa"].map((end) => (length: number) => one.repeat(length) + end),
    ...characters.map((start) => (length: number) => `${start}=${one.repeat(length)}\0`),
    ...characters.map((other) => (length: number) => (one + other).repeat(length / 2)),
  ]);
}

/** How long a search through the whole input takes, in ms; the shortest of three, as other work may disturb one. */
function cost(expression: RegExp, input: string, enough: number) {
  let least = Number.POSITIVE_INFINITY;
  for (let n = 0; n < 3 && least > enough; n++) {
    const before = performance.now();
    input.replace(expression, "");
    least = Math.min(least, performance.now() - before);
  }
  return least;
}

/** The start of an input that is too slow; a short one of its kind tells which are worth a long one. */
function slowest({ pattern, flags }: Found) {
  const expression = new RegExp(pattern, flags);
  const input = worstInputs(pattern).find(
    (make) =>
      cost(expression, make(length / 16), suspectMs) > suspectMs && cost(expression, make(length), maxMs) > maxMs,
  );
  return input?.(20);
}

describe("the regular expressions of src", () => {
  test("are found", () => {
    expect(written.length).toBeGreaterThan(80);
    expect(files.filter(({ isMade }) => isMade).map(({ file }) => file)).toEqual(made);
  });

  test.each([
    ["two runs side by side", /\s*$/],
    ["a start that is everywhere", /\S+@\S+/],
    ["a lazy run before another", /^(.*?) *<\d>$/],
  ])("would be found slow with %s", (_what, { source, flags }) => {
    expect(slowest({ file: "", pattern: source, flags })).toBeDefined();
  });

  test.each(written)("take one step for each character: /$pattern/ of $file", (expression) => {
    expect(slowest(expression)).toBeUndefined();
  });
});
