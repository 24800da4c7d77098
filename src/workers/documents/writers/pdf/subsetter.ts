import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { Weight } from "./fonts.ts";

/** Cuts font files down to some of their glyphs. */
export interface Subsetter {
  /** A font file of these characters alone, whose glyphs get numbers without gaps. */
  partOf(data: Uint8Array, characters: string): Uint8Array;
  /** Reads a font that many documents cut; each cut then takes a tenth of the time. */
  prepare(data: Uint8Array): number;
  /** A TrueType file of these glyphs and their parts, which keep their numbers; a variable font gets the weight. */
  cut(font: number | Uint8Array, glyphs: Iterable<number>, weight: Weight): Buffer;
}

/** What is used of HarfBuzz' C interface; pointers and handles are numbers. */
interface HarfBuzz {
  memory: { buffer: ArrayBuffer };
  _initialize(): void;
  malloc(bytes: number): number;
  free(pointer: number): void;
  hb_blob_create(data: number, length: number, mode: number, userData: number, destroy: number): number;
  hb_blob_destroy(blob: number): void;
  hb_blob_get_data(blob: number, length: number): number;
  hb_blob_get_length(blob: number): number;
  hb_face_create(blob: number, index: number): number;
  hb_face_destroy(face: number): void;
  hb_face_reference_blob(face: number): number;
  hb_set_invert(set: number): void;
  hb_set_add(set: number, value: number): void;
  hb_subset_input_create_or_fail(): number;
  hb_subset_input_destroy(input: number): void;
  hb_subset_input_glyph_set(input: number): number;
  hb_subset_input_unicode_set(input: number): number;
  hb_subset_input_set(input: number, kind: number): number;
  hb_subset_input_set_flags(input: number, flags: number): void;
  hb_subset_input_pin_axis_location(input: number, face: number, axis: number, value: number): number;
  hb_subset_preprocess(face: number): number;
  hb_subset_or_fail(face: number, input: number): number;
}

/** No hints, an outline for what is missing, no glyphs that only a layout could reach (hb-subset.h). */
const flags = 0x1 | 0x40 | 0x200;
const sameNumbers = 0x2;
const droppedTables = 3;
const readOnly = 1;
const layoutTables = "GSUB GPOS GDEF BASE MATH kern".split(" ").map(tagOf);
/** A PDF has the text elsewhere and needs outlines and widths alone (PDF 32000-1, 9.9). */
const unused = [...layoutTables, ..."STAT cmap name OS/2 post gasp FFTM".split(" ").map(tagOf)];
const weightAxis = tagOf("wght");
export const weights: Record<Weight, number> = { regular: 400, bold: 700 };

const { resolve } = createRequire(import.meta.url);
// Types of it come with those of browsers only.
const { WebAssembly } = globalThis as unknown as {
  WebAssembly: { instantiate(file: Uint8Array, imports: object): Promise<{ instance: { exports: unknown } }> };
};

/** Loads HarfBuzz' own subsetter, which harfbuzzjs carries but has no interface for. */
export async function loadSubsetter(): Promise<Subsetter> {
  const file = await readFile(resolve("harfbuzzjs/dist/harfbuzz-subset.wasm"));
  const { instance } = await WebAssembly.instantiate(file, {});
  const hb = instance.exports as HarfBuzz;
  hb._initialize();
  // Memory is another object after it has grown.
  const heap = () => new Uint8Array(hb.memory.buffer);

  function open(data: Uint8Array) {
    const pointer = hb.malloc(data.length);
    heap().set(data, pointer);
    const blob = hb.hb_blob_create(pointer, data.length, readOnly, 0, 0);
    const face = hb.hb_face_create(blob, 0);
    hb.hb_blob_destroy(blob);
    return { face, pointer };
  }

  function inputFor(tables: readonly number[], flags: number) {
    const input = hb.hb_subset_input_create_or_fail();
    const dropped = hb.hb_subset_input_set(input, droppedTables);
    for (const table of tables) hb.hb_set_add(dropped, table);
    hb.hb_subset_input_set_flags(input, flags);
    return input;
  }

  function subset(face: number, input: number) {
    const made = hb.hb_subset_or_fail(face, input);
    hb.hb_subset_input_destroy(input);
    if (made === 0) throw new Error("HarfBuzz cannot cut the font");
    const bytes = bytesOf(made);
    hb.hb_face_destroy(made);
    return bytes;
  }

  function whileOpen<Result>(data: Uint8Array, use: (face: number) => Result) {
    const { face, pointer } = open(data);
    try {
      return use(face);
    } finally {
      hb.hb_face_destroy(face);
      hb.free(pointer);
    }
  }

  function cut(face: number, glyphs: Iterable<number>, weight: Weight) {
    const input = inputFor(unused, flags | sameNumbers);
    const wanted = hb.hb_subset_input_glyph_set(input);
    for (const glyph of glyphs) hb.hb_set_add(wanted, glyph);
    // Without such an axis it does nothing.
    hb.hb_subset_input_pin_axis_location(input, face, weightAxis, weights[weight]);
    return subset(face, input);
  }

  function bytesOf(face: number) {
    const blob = hb.hb_face_reference_blob(face);
    const from = hb.hb_blob_get_data(blob, 0);
    const bytes = Buffer.from(heap().subarray(from, from + hb.hb_blob_get_length(blob)));
    hb.hb_blob_destroy(blob);
    return bytes;
  }

  return {
    partOf(data, characters) {
      const input = inputFor(layoutTables, flags);
      const wanted = hb.hb_subset_input_unicode_set(input);
      for (const character of characters) hb.hb_set_add(wanted, character.codePointAt(0) ?? 0);
      return whileOpen(data, (face) => subset(face, input));
    },
    prepare(data) {
      const input = inputFor(unused, flags | sameNumbers);
      hb.hb_set_invert(hb.hb_subset_input_glyph_set(input));
      return hb.hb_subset_preprocess(open(whileOpen(data, (face) => subset(face, input))).face);
    },
    cut(font, glyphs, weight) {
      if (typeof font === "number") return cut(font, glyphs, weight);
      return whileOpen(font, (face) => cut(face, glyphs, weight));
    },
  };
}

function tagOf(name: string) {
  return Buffer.from(name.padEnd(4)).readInt32BE(0);
}
