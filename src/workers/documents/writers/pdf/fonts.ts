import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { readTrueType, type TrueType } from "./true-type.ts";

export type Weight = "regular" | "bold";

const { resolve } = createRequire(import.meta.url);
const names: Record<Weight, string> = { regular: "DejaVuSansCondensed", bold: "DejaVuSansCondensed-Bold" };
const read: Partial<Record<Weight, TrueType>> = {};

/** A font that knows Cyrillic, and narrow enough for tables. Read when it is needed first, and kept. */
export function fontOf(weight: Weight): TrueType {
  const known = read[weight];
  if (known) return known;
  const name = names[weight];
  const font = readTrueType(readFileSync(resolve(`dejavu-fonts-ttf/ttf/${name}.ttf`)), name);
  read[weight] = font;
  return font;
}
