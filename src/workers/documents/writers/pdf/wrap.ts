import { directionMark } from "./shape.ts";
import type { TypeCase } from "./type-case.ts";

/** A text in lines that are at most so wide: broken at spaces, and within what is wider than a line by itself. */
export function wrap(text: string, font: TypeCase, size: number, width: number): string[] {
  if (!/[\n\t]/.test(text) && font.width(text, size) <= width) return [text];
  return text
    .replaceAll("\t", " ")
    .split("\n")
    .flatMap((line) => (font.isPlain(line) ? wrapLine(line, font, size, width) : wrapShaped(line, font, size, width)));
}

function wrapLine(text: string, font: TypeCase, size: number, width: number) {
  const space = font.width(" ", size);
  const lines: string[] = [];
  let line = "";
  let used = 0;
  for (const word of text.split(" ").flatMap((whole) => broken(whole, whole, font, size, width))) {
    const wide = font.width(word, size);
    if (line !== "" && used + space + wide > width) {
      lines.push(line);
      line = "";
    }
    used = line === "" ? wide : used + space + wide;
    line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** In pieces of a word: where it may be parted, each letter is measured by itself. */
function broken(word: string, letters: Iterable<string>, font: TypeCase, size: number, width: number) {
  if (font.width(word, size) <= width) return [word];
  const parts: string[] = [];
  let part = "";
  let used = 0;
  for (const letter of letters) {
    const wide = font.width(letter, size);
    if (part !== "" && used + wide > width) {
      parts.push(part);
      part = "";
      used = 0;
    }
    part += letter;
    used += wide;
  }
  return [...parts, part];
}

const words = new Intl.Segmenter("und", { granularity: "word" });
const graphemes = new Intl.Segmenter();
const softHyphen = "\u00ad";
/** A letter with its marks is rarely longer, and a long text is not looked through for each piece. */
const longestLetter = 8;
/** Scripts that put no spaces between words, and what ends a part of a sentence in them. */
const unspacedEnd =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}、。，．：；？！）】」』]\p{M}*$/u;
const unspacedBegin = /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}（【「『]/u;

function wrapShaped(text: string, font: TypeCase, size: number, width: number) {
  const lines: string[] = [];
  let line = "";
  let used = 0;
  for (const piece of piecesOf(text).flatMap((whole) => broken(whole, lettersOf(whole), font, size, width))) {
    const wide = font.width(piece.trimEnd(), size);
    const hyphen = line.endsWith(softHyphen) ? "-" : "";
    if (line !== "" && used + wide > width) {
      lines.push(`${line.trimEnd()}${hyphen}`);
      line = "";
      used = 0;
    }
    line += piece;
    used += font.width(piece, size);
  }
  return [...lines, line.trimEnd()].map((one) => directionMark(text, one) + one);
}

/** Parts after which a line may end. */
function piecesOf(text: string) {
  const pieces: string[] = [];
  for (const { segment } of words.segment(text)) {
    const last = pieces.at(-1);
    const isBreak = mayPart(last?.slice(-longestLetter), segment);
    if (last === undefined || isBreak) pieces.push(...segment.split(/(?<=\u00ad)/));
    else pieces[pieces.length - 1] = last + segment;
  }
  return pieces;
}

function mayPart(before: string | undefined, after: string) {
  if (before === undefined || before.endsWith(" ") || before.endsWith(softHyphen)) return !after.startsWith(" ");
  return unspacedEnd.test(before) && unspacedBegin.test(after);
}

function lettersOf(text: string) {
  return Array.from(graphemes.segment(text), ({ segment }) => segment);
}
