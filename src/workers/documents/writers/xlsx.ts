import { Zip, ZipDeflate } from "fflate";
import type { Cell } from "../layouts/printout.ts";
import { xmlText } from "./text.ts";
import { type Style, sheetEnd, sheetStart, styles, workbookParts } from "./xlsx-parts.ts";

export interface StyledCell {
  value: Cell;
  style: Style;
}

export interface SheetRow {
  cells: readonly StyledCell[];
  /** How many lines of text it is high; 1 without it. */
  lines?: number;
}

/** One sheet of cells, row by row. */
export interface Sheet {
  name: string;
  /** Widths of the columns, in characters. */
  widths: readonly number[];
  /** Rows at the top that stay when one scrolls. */
  frozenRows: number;
  rows: AsyncIterable<SheetRow> | Iterable<SheetRow>;
}

/** A zip has no time zone, and its time begins here. */
const epoch = new Date(1980, 0, 1);
const longestCell = 32_767;
const lineHeight = 15;
const chunkLength = 64 * 1024;

/** A workbook of one sheet; what is in memory does not grow with its rows. The same cells give the same bytes. */
export async function* writeXlsx({ name, widths, frozenRows, rows }: Sheet): AsyncGenerator<Uint8Array> {
  const out: Uint8Array[] = [];
  const zip = new Zip((error, chunk) => {
    if (error) throw error;
    out.push(chunk);
  });
  const open = (path: string) => {
    const file = new ZipDeflate(path, { level: 6 });
    file.mtime = epoch;
    zip.add(file);
    return file;
  };

  for (const [path, text] of Object.entries(workbookParts(name))) open(path).push(Buffer.from(text), true);
  const sheet = open("xl/worksheets/sheet1.xml");
  let text = sheetStart(widths, frozenRows);
  let number = 0;
  for await (const row of rows) {
    text += rowXml(row, ++number);
    if (text.length < chunkLength) continue;
    sheet.push(Buffer.from(text));
    text = "";
    yield* out.splice(0);
  }
  sheet.push(Buffer.from(text + sheetEnd), true);
  zip.end();
  yield* out;
}

function rowXml({ cells, lines = 1 }: SheetRow, row: number) {
  const filled = cells.map((cell, column) => cellXml(cell, `${letters(column)}${row}`));
  const height = lines > 1 ? ` ht="${lineHeight * lines}" customHeight="1"` : "";
  return `<row r="${row}"${height}>${filled.join("")}</row>`;
}

function cellXml({ value, style }: StyledCell, reference: string) {
  const start = `<c r="${reference}" s="${styles[style]}"`;
  if (typeof value === "number") return Number.isFinite(value) ? `${start}><v>${value}</v></c>` : "";
  const text = String(value);
  return text && `${start} t="inlineStr"><is><t xml:space="preserve">${cellText(text)}</t></is></c>`;
}

/** Excel reads `_x0041_` as `A`; an underscore that is spelled like that itself keeps it from doing so. */
function cellText(text: string) {
  return xmlText(text.slice(0, longestCell)).replace(/_(?=x[0-9A-Fa-f]{4}_)/g, "_x005F_");
}

/** Column 0 is A, 25 is Z, 26 is AA. */
function letters(column: number): string {
  const last = String.fromCharCode(65 + (column % 26));
  return column < 26 ? last : letters(Math.floor(column / 26) - 1) + last;
}
