import type { Cell, Layout } from "../../../services/documents/kinds/layout.ts";
import { plain } from "./text.ts";

/** Spreadsheets take what begins like this for a formula, or skip such characters and look at the next one. */
const formulaStart = /^(?:[\t\r\n]|\s*[=+\-@＝＋－＠])/;
const byteOrderMark = "\ufeff";
const chunkLength = 64 * 1024;

/**
 * The tables of a layout as CSV (RFC 4180) in UTF-8, with the mark that tells Excel so. No cell is a formula.
 * Nothing in CSV can tell a spreadsheet to keep `0986424797` or `1E5`: its person has to open such a column as text.
 */
export async function* writeCsv({ blocks }: Layout): AsyncGenerator<Buffer> {
  let text = byteOrderMark;
  for (const { columns, rows } of blocks.filter((block) => block.type === "table")) {
    text += record(columns.map(({ title, csvTitle }) => csvTitle ?? title));
    for await (const row of rows) {
      text += record(row);
      if (text.length < chunkLength) continue;
      yield Buffer.from(text);
      text = "";
    }
  }
  yield Buffer.from(text);
}

function record(cells: readonly Cell[]) {
  return `${cells.map(field).join(",")}\r\n`;
}

function field(given: Cell): string {
  const cell = plain(given);
  if (typeof cell === "number") return String(cell);
  const text = cell.replaceAll("\0", "").toWellFormed();
  const harmless = formulaStart.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
