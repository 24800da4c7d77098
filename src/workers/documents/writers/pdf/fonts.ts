import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type * as HarfBuzz from "harfbuzzjs";
import { readSlices, type Slice } from "./slices.ts";
import { loadSubsetter, type Subsetter, weights } from "./subsetter.ts";

export type Weight = "regular" | "bold";

/** A font in one weight, as a line of text and a PDF want it. */
export interface Face {
  name: string;
  font: HarfBuzz.Font;
  unitsPerEm: number;
  /** What a PDF says of all of the font. */
  metrics: Metrics;
  /** How wide a glyph is in a PDF, in thousandths of the size. */
  widthOf(glyph: number): number;
  /** The glyph of a UTF-16 unit; 0 where there is none. */
  glyphOf(unit: number): number;
  /** A font file of these glyphs, which keep their numbers. */
  cut(glyphs: Iterable<number>): Buffer;
}

interface Metrics {
  box: readonly number[];
  ascent: number;
  descent: number;
}

/** Characters that each stand for themselves from left to right, and that the first font has. */
const usual = [...[" ~", "\u00a0¬", "®\u017f", "ЀѠ"].map(rangeOf), "ҐґғҒҚқҢңҮүҰұҺһӘәӨө–—‘’‚“”„•…‹›€₴₸₽№™−×"].join("");
const isUsual = /^[\n\t -~\u00a0-\u00ac\u00ae-\u017f\u0400-\u045f№–—…]*$/;

const { resolve } = createRequire(import.meta.url);
const mainNames: Record<Weight, string> = { regular: "DejaVuSansCondensed", bold: "DejaVuSansCondensed-Bold" };

/**
 * The fonts of documents: the usual letters of a narrow one for nearly all that is printed, all of that font with its rules
 * for joining letters, and others for what it does not have.
 */
export class Fonts {
  readonly harfBuzz: typeof HarfBuzz;
  readonly main: Readonly<Record<Weight, Face>>;
  /** Width of each UTF-16 unit in the main font's units; not a number where a text has to be shaped. */
  readonly widths: Readonly<Record<Weight, Float32Array>>;
  /** One for all lines: its memory is not the collector's. */
  readonly buffer: HarfBuzz.Buffer;
  private readonly subsetter: Subsetter;
  private readonly slices = readSlices();
  private wide: Readonly<Record<Weight, Face>> | undefined;
  private readonly loaded = new Map<string, Record<Weight, Face>>();

  constructor(harfBuzz: typeof HarfBuzz, subsetter: Subsetter) {
    this.harfBuzz = harfBuzz;
    this.buffer = new harfBuzz.Buffer();
    this.subsetter = subsetter;
    this.main = { regular: this.mainFace("regular"), bold: this.mainFace("bold") };
    this.widths = { regular: widthsOf(this.main.regular), bold: widthsOf(this.main.bold) };
  }

  /** Whether a text may need a font that is not read yet. */
  lacks(text: string): boolean {
    return !isUsual.test(text) && (!this.wide || this.missing(text, this.wide).length > 0);
  }

  /** Reads what fonts a text needs; a font that does not have what it should is asked once. */
  async load(text: string): Promise<void> {
    if (isUsual.test(text)) return;
    this.wide ??= { regular: this.wideFace("regular"), bold: this.wideFace("bold") };
    for (const { path, name } of this.missing(text, this.wide)) {
      const { default: decompress } = await import("wawoff2/decompress.js");
      // It may be a view of memory that the next one is written to.
      const data = Uint8Array.from(await decompress(await readFile(path)));
      this.loaded.set(path, { regular: this.variant(data, name, "regular"), bold: this.variant(data, name, "bold") });
    }
  }

  /** The first font that has all of these characters, of those that are loaded. */
  faceOf(codePoints: readonly number[], weight: Weight): Face | undefined {
    const [first] = codePoints;
    if (first === undefined) return undefined;
    const others = this.slices(first).map(({ path }) => this.loaded.get(path)?.[weight]);
    return [this.main[weight], this.wide?.[weight], ...others].find((face) => {
      return face !== undefined && codePoints.every((one) => face.font.nominalGlyph(one) !== undefined);
    });
  }

  private missing(text: string, wide: Readonly<Record<Weight, Face>>) {
    const missing = new Map<string, Slice>();
    for (const character of text) {
      const codePoint = character.codePointAt(0) ?? 0;
      if (wide.regular.font.nominalGlyph(codePoint) !== undefined) continue;
      for (const slice of this.slices(codePoint)) if (!this.loaded.has(slice.path)) missing.set(slice.path, slice);
    }
    return [...missing.values()];
  }

  private variant(data: Uint8Array, family: string, weight: Weight): Face {
    const face = this.open(data);
    const font = new this.harfBuzz.Font(face);
    font.setVariations([new this.harfBuzz.Variation("wght", weights[weight])]);
    const name = weight === "bold" ? `${family}-Bold` : family;
    return { name, ...measured(font), cut: (glyphs) => this.subsetter.cut(data, glyphs, weight) };
  }

  private mainFace(weight: Weight): Face {
    const data = this.subsetter.partOf(readMain(weight), usual);
    const prepared = this.subsetter.prepare(data);
    const cut = (glyphs: Iterable<number>) => this.subsetter.cut(prepared, glyphs, weight);
    return { name: mainNames[weight], ...measured(new this.harfBuzz.Font(this.open(data))), cut };
  }

  private wideFace(weight: Weight): Face {
    const data = readMain(weight);
    const cut = (glyphs: Iterable<number>) => this.subsetter.cut(data, glyphs, weight);
    return { name: mainNames[weight], ...measured(new this.harfBuzz.Font(this.open(data))), cut };
  }

  private open(data: Uint8Array) {
    // A buffer of Node may be a part of a larger one.
    const bytes = Uint8Array.from(data).buffer;
    return new this.harfBuzz.Face(new this.harfBuzz.Blob(bytes));
  }
}

let opened: Promise<Fonts> | undefined;

/** The fonts of this process, read when they are needed first. */
export function openFonts(): Promise<Fonts> {
  opened ??= open();
  return opened;
}

async function open() {
  const [harfBuzz, subsetter] = await Promise.all([import("harfbuzzjs"), loadSubsetter()]);
  return new Fonts(harfBuzz, subsetter);
}

/** All of it in thousandths of the size. */
function measured(font: HarfBuzz.Font) {
  const unitsPerEm = font.face.upem;
  const scaled = (value: number) => Math.round((value * 1_000) / unitsPerEm);
  const head = Buffer.from(font.face.referenceTable("head") ?? Buffer.alloc(54));
  const { ascender, descender } = font.hExtents();
  const box = [36, 38, 40, 42].map((at) => scaled(head.readInt16BE(at)));
  const widthOf = memoized((glyph) => scaled(font.glyphHAdvance(glyph)));
  const glyphOf = memoized((unit) => font.nominalGlyph(unit) ?? 0);
  return { font, unitsPerEm, metrics: { box, ascent: scaled(ascender), descent: scaled(descender) }, widthOf, glyphOf };
}

function memoized(read: (key: number) => number) {
  const known = new Map<number, number>();
  return (key: number) => {
    const found = known.get(key) ?? read(key);
    known.set(key, found);
    return found;
  };
}

function widthsOf({ font }: Face) {
  const widths = new Float32Array(0x1_0000).fill(Number.NaN);
  for (const character of usual) {
    const unit = character.charCodeAt(0);
    const glyph = font.nominalGlyph(unit);
    if (glyph !== undefined) widths[unit] = font.glyphHAdvance(glyph);
  }
  return widths;
}

function readMain(weight: Weight) {
  return readFileSync(resolve(`dejavu-fonts-ttf/ttf/${mainNames[weight]}.ttf`));
}

/** All characters from the first of two to the second. */
function rangeOf([from = "", to = ""]: string) {
  const [first, last] = [from.charCodeAt(0), to.charCodeAt(0)];
  return String.fromCharCode(...Array.from({ length: last - first + 1 }, (_, n) => first + n));
}
