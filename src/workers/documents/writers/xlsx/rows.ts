import type { Cell } from "../../../../services/documents/kinds/layout.ts";
import { plain, xmlText } from "../text.ts";
import type { Utf8 } from "../utf8.ts";
import { type Style, styles } from "./parts.ts";

export interface StyledCell {
  value: string | number;
  style: Style;
}

/** Excel refuses longer texts. */
const maxCellLength = 32_767;
const lineHeight = 15;

/** A row of cells; `lines` is how many lines of text it is high. */
export function rowXml(row: number, cells: readonly StyledCell[], lines = 1): string {
  const xml = cells.map(({ value, style }, column) => cellXml(value, row, column, style));
  return `${rowStart(row, lines)}${xml.join("")}</row>`;
}

function rowStart(row: number, lines: number) {
  return lines > 1 ? `<row r="${row}" ht="${lineHeight * lines}" customHeight="1">` : `<row r="${row}">`;
}

/** One cell, a text or a number; no other value gets in, and an empty text needs no cell. */
function cellXml(given: string | number, row: number, column: number, style: Style) {
  const value = plain(given);
  const start = `<c r="${lettersOf(column)}${row}"${lookOf(style)}`;
  if (typeof value === "string")
    return value === "" ? "" : `${start} t="inlineStr"><is><t${cellText(value)}</t></is></c>`;
  return Number.isFinite(value) ? `${start}><v>${value}</v></c>` : "";
}

const lookOf = (style: Style) => (styles[style] === 0 ? "" : ` s="${styles[style]}"`);

/** What the cells of a column have around their row's number and their value, as UTF-8. */
export interface Frame {
  start: Uint8Array;
  number: Uint8Array;
  text: Uint8Array;
  /** Ends a cell with nothing in it; absent: there is no such cell. */
  nothing: Uint8Array | undefined;
}

/** The frame of a column's cells with a style; `isDrawn` when people see its edges. */
export function frameOf(column: number, style: Style, isDrawn: boolean): Frame {
  const look = lookOf(style);
  return {
    start: Buffer.from(`<c r="${lettersOf(column)}`),
    number: Buffer.from(`"${look}><v>`),
    text: Buffer.from(`"${look} t="inlineStr"><is><t`),
    nothing: isDrawn ? Buffer.from(`"${look}/>`) : undefined,
  };
}

const lowRowStart = Buffer.from('<row r="');
const lowRowStartEnd = Buffer.from('">');
export const rowEnd = Buffer.from("</row>");
const numberEnd = Buffer.from("</v></c>");
const textEnd = Buffer.from("</t></is></c>");
const tagEnd = Buffer.from(">");

/** Begins a row of a long list, as `rowXml` does. */
export function startRow(to: Utf8, row: number, lines: number): void {
  if (lines > 1) to.text(rowStart(row, lines));
  else {
    to.copy(lowRowStart);
    to.number(row);
    to.copy(lowRowStartEnd);
  }
}

/** One cell of a long list. Absent, an empty text and what is no number are nothing. */
export function writeCell(to: Utf8, given: Cell | null | undefined, row: number, frame: Frame): void {
  const value = plain(given ?? "");
  const isNothing = value === "" || (typeof value === "number" && !Number.isFinite(value));
  if (isNothing && !frame.nothing) return;
  to.copy(frame.start);
  to.number(row);
  if (isNothing) to.copy(frame.nothing ?? numberEnd);
  else if (typeof value === "number") {
    to.copy(frame.number);
    to.number(value);
    to.copy(numberEnd);
  } else {
    to.copy(frame.text);
    writeText(to, value);
    to.copy(textEnd);
  }
}

function writeText(to: Utf8, text: string) {
  const before = to.length;
  to.copy(tagEnd);
  if (text.length <= maxCellLength && to.plainXml(text)) return;
  to.length = before;
  to.text(cellText(text));
}

const outerSpace = /^\s|\s$|\n/;

/** Excel reads `_x0041_` as `A`; an underscore that is spelled like that itself keeps it from doing so. */
function cellText(text: string) {
  const shown = xmlText(text.slice(0, maxCellLength)).replace(/_(?=x[0-9A-Fa-f]{4}_)/g, "_x005F_");
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
