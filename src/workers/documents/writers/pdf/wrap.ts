import type { UsedFont } from "./used-font.ts";

/** A text in lines that are at most so wide: broken at spaces, and within what is wider than a line by itself. */
export function wrap(text: string, font: UsedFont, size: number, width: number): string[] {
  if (!/[\n\t]/.test(text) && font.width(text, size) <= width) return [text];
  return text
    .replaceAll("\t", " ")
    .split("\n")
    .flatMap((line) => wrapLine(line, font, size, width));
}

function wrapLine(text: string, font: UsedFont, size: number, width: number) {
  const space = font.width(" ", size);
  const lines: string[] = [];
  let line = "";
  let used = 0;
  for (const word of text.split(" ").flatMap((whole) => broken(whole, font, size, width))) {
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

function broken(word: string, font: UsedFont, size: number, width: number) {
  if (font.width(word, size) <= width) return [word];
  const parts: string[] = [];
  let part = "";
  let used = 0;
  for (const character of word) {
    const wide = font.width(character, size);
    if (part !== "" && used + wide > width) {
      parts.push(part);
      part = "";
      used = 0;
    }
    part += character;
    used += wide;
  }
  return [...parts, part];
}
