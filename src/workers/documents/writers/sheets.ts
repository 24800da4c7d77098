import type { Cell, Column, Listing, Printout } from "../layouts/printout.ts";
import { type Sheet, type SheetRow, type StyledCell, writeXlsx } from "./xlsx.ts";
import type { Style } from "./xlsx-parts.ts";

/** A listing as a workbook whose header stays in sight. */
export function listingToXlsx({ title, columns, rows }: Listing): AsyncIterable<Uint8Array> {
  return writeXlsx({ name: title, ...shape(columns, 1), rows: listed(columns, rows) });
}

/** A printed sheet as a workbook: the same words and numbers, one below the other. */
export function printoutToXlsx({ title, fields, columns, rows, total }: Printout): AsyncIterable<Uint8Array> {
  const [name = title] = title.split(" ");
  const lastLine = columns.map((_, n) => {
    if (n === columns.length - 1) return cell(total.value, "boldMoney");
    return cell(n === 1 ? total.label : "", "bold");
  });
  return writeXlsx({
    name,
    ...shape(columns, 0),
    rows: [
      { cells: [cell(title, "title")] },
      ...fields.map(({ label, value }) => fieldRow(label, value)),
      { cells: [] },
      header(columns),
      ...rows.map((row) => ({ cells: styled(columns, row, "wrapped"), lines: linesOf(columns, row) })),
      { cells: lastLine },
    ],
  });
}

const cell = (value: Cell, style: Style): StyledCell => ({ value, style });
const header = (columns: readonly Column[]) => ({ cells: columns.map(({ title }) => cell(title, "header")) });

function shape(columns: readonly Column[], frozenRows: number): Pick<Sheet, "widths" | "frozenRows"> {
  return { widths: columns.map(({ width }) => width), frozenRows };
}

/** On one line, which may run over the empty cells beside it. */
function fieldRow(label: string, value: string): SheetRow {
  return { cells: [cell("", "plain"), cell(label, "bold"), cell(value.replace(/\s+/g, " "), "plain")] };
}

async function* listed(columns: readonly Column[], rows: AsyncIterable<readonly Cell[]>): AsyncGenerator<SheetRow> {
  yield header(columns);
  for await (const row of rows) yield { cells: styled(columns, row, "plain") };
}

function styled(columns: readonly Column[], row: readonly Cell[], text: Style) {
  return columns.map(({ kind }, n) =>
    cell(row[n] ?? "", kind === "text" ? text : kind === "money" ? "money" : "plain"),
  );
}

/** Spreadsheets measure only what is typed into them: how many lines a row needs has to be estimated. */
function linesOf(columns: readonly Column[], row: readonly Cell[]) {
  return Math.max(...columns.map(({ width }, n) => wrappedLines(String(row[n] ?? ""), width)));
}

function wrappedLines(text: string, width: number) {
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
