import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** A file with some of the characters of a family of fonts. */
export interface Slice {
  path: string;
  /** How a PDF calls the font. */
  name: string;
}

/** Families in the order in which they are asked; what several of them have looks as it does in China. */
const families: readonly (readonly [folder: string, name: string])[] = [
  ["noto-sans-devanagari", "NotoSansDevanagari"],
  ["noto-sans-thai", "NotoSansThai"],
  ["noto-sans-sc", "NotoSansSC"],
  ["noto-sans-jp", "NotoSansJP"],
  ["noto-sans-kr", "NotoSansKR"],
  ["noto-emoji", "NotoEmoji"],
];

interface Range extends Slice {
  from: number;
  to: number;
}

const { resolve } = createRequire(import.meta.url);

/** Ranges by the upper digits of their characters, so that few are looked at. */
type Index = Map<number, Range[]>;
const blockBits = 8;

/** Finds the files that may have a character; the lists of what is in them are read with the first one. */
export function readSlices(): (codePoint: number) => Slice[] {
  let index: Index | undefined;
  return (codePoint) => {
    index ??= readIndex();
    const ranges = index.get(codePoint >> blockBits) ?? [];
    return ranges.filter(({ from, to }) => from <= codePoint && codePoint <= to);
  };
}

function readIndex() {
  const index: Index = new Map();
  for (const range of families.flatMap(([folder, name]) => rangesOf(folder, name))) {
    for (let block = range.from >> blockBits; block <= range.to >> blockBits; block++) {
      index.set(block, [...(index.get(block) ?? []), range]);
    }
  }
  return index;
}

function rangesOf(family: string, name: string) {
  const folder = dirname(resolve(`@fontsource-variable/${family}/package.json`));
  const lists = JSON.parse(readFileSync(join(folder, "unicode.json"), "utf8")) as Record<string, string>;
  return Object.entries(lists).flatMap(([key, list]) => {
    const path = join(folder, `files/${family}-${key.replace(/[[\]]/g, "")}-wght-normal.woff2`);
    return list.split(",").map((range): Range => {
      const [from = "", to = from] = range.trim().slice("U+".length).split("-");
      return { path, name, from: Number.parseInt(from, 16), to: Number.parseInt(to, 16) };
    });
  });
}
