import { plain, xmlText } from "../text.ts";
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
  for (const [column, { value, style }] of cells.entries())
    xml += cellXml(value, lettersOf(column), row, styles[style]);
  return `${xml}</row>`;
}

/** What a row begins with; its cells and `</row>` follow. */
export function rowStart(row: number, lines: number): string {
  return lines > 1 ? `<row r="${row}" ht="${lineHeight * lines}" customHeight="1">` : `<row r="${row}">`;
}

/** One cell, a text or a number; no other value gets in, and an empty text needs no cell. */
export function cellXml(given: string | number, letters: string, row: number, style: number): string {
  const value = plain(given);
  if (typeof value === "number")
    return Number.isFinite(value) ? `<c r="${letters}${row}" s="${style}"><v>${value}</v></c>` : "";
  if (value === "") return "";
  return `<c r="${letters}${row}" s="${style}" t="inlineStr"><is><t xml:space="preserve">${cellText(value)}</t></is></c>`;
}

/** Excel reads `_x0041_` as `A`; an underscore that is spelled like that itself keeps it from doing so. */
function cellText(text: string) {
  const shown = xmlText(text.length > longestCell ? text.slice(0, longestCell) : text);
  return shown.includes("_x") ? shown.replace(/_(?=x[0-9A-Fa-f]{4}_)/g, "_x005F_") : shown;
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
