import { isHarmless, plain, xmlText } from "../text.ts";
import { type Style, styles } from "./parts.ts";

export interface StyledCell {
  value: string | number;
  style: Style;
}

/** Excel refuses longer texts. */
const longestCell = 32_767;
const lineHeight = 15;

/** A row of cells; `lines` is how many lines of text it is high. */
export function rowXml(row: number, cells: readonly StyledCell[], lines = 1): string {
  let xml = rowStart(row, lines);
  for (const [column, { value, style }] of cells.entries()) xml += cellXml(value, row, frameOf(column, style));
  return `${xml}</row>`;
}

/** What a row begins with; its cells and `</row>` follow. */
export function rowStart(row: number, lines: number): string {
  return lines > 1 ? `<row r="${row}" ht="${lineHeight * lines}" customHeight="1">` : `<row r="${row}">`;
}

/** What the cells of a column have around their row's number and their value. */
export interface Frame {
  start: string;
  number: string;
  text: string;
}

/** The frame of a column's cells with a style. */
export function frameOf(column: number, style: Style): Frame {
  const look = styles[style] === 0 ? "" : ` s="${styles[style]}"`;
  return { start: `<c r="${lettersOf(column)}`, number: `"${look}><v>`, text: `"${look} t="inlineStr"><is><t` };
}

/** One cell, a text or a number; no other value gets in, and an empty text needs no cell. */
export function cellXml(given: string | number, row: number, { start, number, text }: Frame): string {
  const value = plain(given);
  if (typeof value === "string") return value === "" ? "" : `${start}${row}${text}${cellText(value)}</t></is></c>`;
  return Number.isFinite(value) ? `${start}${row}${number}${value}</v></c>` : "";
}

const outerSpace = /^\s|\s$|\n/;
const space = 32;

/** Excel reads `_x0041_` as `A`; an underscore that is spelled like that itself keeps it from doing so. */
function cellText(text: string) {
  const cut = text.length > longestCell ? text.slice(0, longestCell) : text;
  if (isHarmless(cut) && cut.charCodeAt(0) !== space && cut.charCodeAt(cut.length - 1) !== space) return `>${cut}`;
  const shown = xmlText(cut).replace(/_(?=x[0-9A-Fa-f]{4}_)/g, "_x005F_");
  return outerSpace.test(shown) ? ` xml:space="preserve">${shown}` : `>${shown}`;
}

/** Column 0 is A, 25 is Z, 26 is AA. */
export function lettersOf(column: number): string {
  const last = String.fromCharCode(65 + (column % 26));
  return column < 26 ? last : lettersOf(Math.floor(column / 26) - 1) + last;
}

/** Spreadsheets measure only what is typed into them: how many lines a text needs has to be estimated. */
export function wrappedLines(text: string, width: number): number {
  if (text.length <= width && !text.includes("\n")) return 1;
  let lines = 1;
  let used = 0;
  for (const { length } of text.split(/\s+/)) {
    if (used > 0 && used + 1 + length > width) {
      lines++;
      used = 0;
    }
    used += (used > 0 ? 1 : 0) + length;
    // A word that is longer than a line is broken.
    lines += Math.max(0, Math.floor((used - 1) / width));
    used = used > width ? used % width : used;
  }
  return lines;
}
