import bidiModule from "bidi-js";
import type { Face, Fonts, Weight } from "./fonts.ts";

/** A glyph where it is drawn; numbers are thousandths of the size. */
export interface Glyph {
  id: number;
  /** What of the text it stands for; nothing where it is a part of what the glyph before it stands for. */
  text: string;
  advance: number;
  /** How wide the file says it is; where nothing is said, as wide as the font says. */
  width?: number;
  /** How far from the pen it is drawn. */
  dx: number;
  dy: number;
}

/** Glyphs of one font that follow each other from left to right. */
export interface Run {
  face: Face;
  glyphs: Glyph[];
}

interface Item {
  text: string;
  face: Face;
  level: number;
  script: string;
}

// Its types do not know how it is exported.
const bidi = (bidiModule as unknown as typeof bidiModule.default)();
const graphemes = new Intl.Segmenter();
const invisible = /^\p{Default_Ignorable_Code_Point}$/u;
/** Marks of direction and soft hyphens. */
const unwanted = /[\u00ad\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
/** Scripts whose shapes depend on their neighbours; a run is of one of them at most. */
const scripts =
  /\p{Script=Arabic}|\p{Script=Hebrew}|\p{Script=Devanagari}|\p{Script=Thai}|\p{Script=Lao}|\p{Script=Nko}/u;
const scriptNames: readonly (readonly [name: string, letters: RegExp])[] = [
  ["Arabic", /\p{Script=Arabic}/u],
  ["Hebrew", /\p{Script=Hebrew}/u],
  ["Devanagari", /\p{Script=Devanagari}/u],
  ["Thai", /\p{Script=Thai}/u],
  ["Lao", /\p{Script=Lao}/u],
  ["Nko", /\p{Script=Nko}/u],
];
/** Letters that run from right to left, and marks that turn the direction. */
const turning =
  /[\u0590-\u08ff\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/** A line of text as glyphs from left to right: put in order, joined and with their marks in place. */
export function shape(fonts: Fonts, text: string, weight: Weight): Run[] {
  return inOrder(itemsOf(fonts, text, weight)).map((item) => shapeItem(fonts, item));
}

/** What a line begins with so that it runs as its paragraph does; nothing where it does so by itself. */
export function directionMark(paragraph: string, line: string): string {
  if (!turning.test(paragraph)) return "";
  const level = baseLevel(paragraph);
  if (level === baseLevel(line)) return "";
  return level === 1 ? "\u200f" : "\u200e";
}

function baseLevel(text: string) {
  return bidi.getEmbeddingLevels(text, "auto").paragraphs[0]?.level ?? 0;
}

/** Parts of one font, one direction and one script, as they are read. */
function itemsOf(fonts: Fonts, text: string, weight: Weight) {
  const levels = turning.test(text) ? bidi.getEmbeddingLevels(text, "auto").levels : undefined;
  const items: Item[] = [];
  for (const { segment, index } of graphemes.segment(text)) {
    const last = items.at(-1);
    const level = levels?.[index] ?? 0;
    const seen = [...segment].filter((character) => !invisible.test(character));
    const codePoints = seen.map((character) => character.codePointAt(0) ?? 0);
    const script = scriptOf(segment);
    const face = fonts.faceOf(codePoints, weight) ?? (seen.length === 0 ? last?.face : undefined) ?? fonts.main[weight];
    const goesOn = last?.face === face && last.level === level && (script === "" || script === last.script);
    if (last && goesOn) last.text += segment;
    else items.push({ text: segment, face, level, script });
  }
  return items;
}

function scriptOf(text: string) {
  if (!scripts.test(text)) return "";
  return scriptNames.find(([, letters]) => letters.test(text))?.[0] ?? "";
}

/** Each stretch that runs the other way is turned, the deepest first (UAX #9, L2). */
function inOrder(items: readonly Item[]): Item[] {
  let ordered = [...items];
  for (let level = Math.max(0, ...items.map((item) => item.level)); level > 0; level--) {
    const next: Item[] = [];
    let stretch: Item[] = [];
    for (const item of ordered) {
      if (item.level >= level) stretch.unshift(item);
      else {
        next.push(...stretch, item);
        stretch = [];
      }
    }
    ordered = [...next, ...stretch];
  }
  return ordered;
}

function shapeItem({ harfBuzz, buffer }: Fonts, { text, face, level }: Item): Run {
  const { BufferFlag, ClusterLevel, Direction } = harfBuzz;
  buffer.reset();
  buffer.addText(text);
  buffer.guessSegmentProperties();
  const isTurned = level % 2 === 1;
  buffer.setDirection(isTurned ? Direction.RTL : Direction.LTR);
  // Marks stand for themselves when the text is read back.
  buffer.setClusterLevel(ClusterLevel.MONOTONE_CHARACTERS);
  buffer.setFlags(BufferFlag.REMOVE_DEFAULT_IGNORABLES);
  harfBuzz.shape(face.font, buffer);
  const positions = buffer.getGlyphPositions();
  const infos = buffer.getGlyphInfos();
  const textOf = textsOf(
    isTurned,
    text,
    infos.map(({ cluster }) => cluster),
  );
  const scaled = (value = 0) => (value * 1_000) / face.unitsPerEm;
  const blank = face.font.nominalGlyph(0x20) ?? 0;
  const glyphs = infos.flatMap(({ codepoint, cluster }, n): Glyph[] => {
    const { xAdvance, xOffset, yOffset } = positions[n] ?? {};
    const said = infos[n - 1]?.cluster === cluster ? "" : textOf(cluster);
    const glyph = { id: codepoint, text: said, advance: scaled(xAdvance), dx: scaled(xOffset), dy: scaled(yOffset) };
    return isTurned && infos[n + 1]?.cluster !== cluster ? parted(glyph, blank) : [glyph];
  });
  return { face, glyphs };
}

/**
 * A ligature that runs from right to left as one glyph for each letter, the others blank: readers turn letters round, but not
 * those of one glyph.
 */
function parted(glyph: Glyph, blank: number): Glyph[] {
  const letters = [...glyph.text].reverse();
  if (letters.length < 2) return [glyph];
  const width = Math.floor(glyph.advance / letters.length);
  const rest = glyph.advance - width * (letters.length - 1);
  const others = letters.slice(1).map((text): Glyph => ({ id: blank, text, advance: width, width, dx: 0, dy: 0 }));
  return [{ ...glyph, text: letters[0] ?? "", advance: rest, width: Math.round(rest) }, ...others];
}

/**
 * The text that begins at a cluster, up to the next one, as it looks: who reads a line from left to right turns it and its
 * brackets by himself, and marks that are not to be seen are not wanted.
 */
function textsOf(isTurned: boolean, text: string, clusters: readonly number[]) {
  const starts = [...new Set(clusters)].sort((a, b) => a - b);
  const ends = new Map(starts.map((start, n) => [start, starts[n + 1] ?? text.length]));
  return (start: number) => {
    const said = text.slice(start, ends.get(start)).replace(unwanted, "");
    return (isTurned && bidi.getMirroredCharacter(said)) || said;
  };
}
