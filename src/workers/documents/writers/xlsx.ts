import { PermanentError } from "../../../engine/worker.ts";
import type { Block, BlockOf, Cell, Column, Layout } from "../../../services/documents/kinds/layout.ts";
import { matrixOf, matrixToPng } from "./matrix.ts";
import type { Utf8 } from "./utf8.ts";
import { type ChartData, chartXml, drawingXml, type Place } from "./xlsx/drawing.ts";
import { type Style, sheetEnd, sheetStart, workbookParts, workbookXml } from "./xlsx/parts.ts";
import {
  type Frame,
  frameOf,
  rowEnd,
  rowXml,
  type StyledCell,
  startRow,
  wrappedLines,
  writeCell,
} from "./xlsx/rows.ts";
import { type Entry, zip } from "./zip.ts";

/** Rows that a QR code and a chart take. */
const codeRows = 9;
const chartRows = 16;
const titleLines = 1.5;
/** Characters that a framed text begins later, and a little that it ends earlier. */
const indentWidth = 2;
/** Excel opens no more. */
const maxRows = 1_048_576;

/** A layout as a workbook of one sheet; what is in memory does not grow with its rows. The same gives the same bytes. */
export function writeXlsx(layout: Layout): AsyncGenerator<Uint8Array> {
  return zip(entries(layout));
}

async function* entries(layout: Layout): AsyncGenerator<Entry> {
  const sheet = new Sheet(layout);
  const codes = layout.blocks.filter((block) => block.type === "code");
  const charts = layout.blocks.filter(({ type }) => type === "chart").length;
  const parts = workbookParts({ images: codes.length, charts });
  for (const [name, content] of Object.entries(parts)) yield { name, content };
  yield { name: "xl/worksheets/sheet1.xml", content: (to) => sheet.write(to, codes.length + charts > 0) };
  yield { name: "xl/workbook.xml", content: workbookXml(sheet.name, sheet.headRow) };
  if (codes.length + charts === 0) return;
  const chartPlaces = sheet.charts.map(({ place }) => place);
  yield { name: "xl/drawings/drawing1.xml", content: drawingXml(sheet.codes, chartPlaces) };
  for (const [n, { text }] of codes.entries())
    yield { name: `xl/media/image${n + 1}.png`, content: matrixToPng(matrixOf(text)) };
  for (const [n, chart] of sheet.charts.entries())
    yield { name: `xl/charts/chart${n + 1}.xml`, content: chartXml(chart) };
}

/** A sheet while it is written: where the next row is, and where something has to be drawn. */
class Sheet {
  readonly name: string;
  readonly codes: Place[] = [];
  readonly charts: (ChartData & { place: Place })[] = [];
  private readonly layout: Layout;
  /** What is nothing but a list has its header on top, in sight. */
  private readonly isList: boolean;
  private readonly columns: readonly Column[];
  /** Of its longest table, where it begins. */
  headRow: number | undefined;
  private row = 0;

  constructor(layout: Layout) {
    this.layout = layout;
    this.name = nameOf(layout);
    this.isList = layout.blocks.length === 1 && layout.blocks[0]?.type === "table";
    this.columns = layout.blocks.find((block) => block.type === "table")?.columns ?? [];
  }

  async *write(to: Utf8, hasDrawing: boolean): AsyncGenerator<void> {
    const { blocks, title, orientation = "portrait" } = this.layout;
    const widths = this.columns.map(({ width }) => width);
    to.text(sheetStart(widths, this.isList ? 1 : 0));
    if (!this.isList) to.text(this.line([cell(title, "title")], titleLines));
    for (const block of blocks) {
      if (block.type === "table") yield* this.table(to, block);
      else to.text(this.simple(block));
      yield;
    }
    to.text(sheetEnd(orientation, hasDrawing));
  }

  private simple(block: Exclude<Block, BlockOf<"table">>): string {
    switch (block.type) {
      case "fields":
        return this.fields(block);
      case "text":
        return this.line([empty, cell(block.text, block.isStrong ? "bold" : "plain")]);
      case "code":
        return this.code(block);
      case "chart":
        return this.chart(block);
      case "signatures":
        return block.roles
          .map((role) => this.line([]) + this.line([empty, cell(`${role} ____________`, "plain")]))
          .join("");
    }
  }

  private line(cells: readonly StyledCell[], lines = 1) {
    return rowXml(++this.row, cells, lines);
  }

  /** Each on one line, which may run over the empty cells beside it. */
  private fields({ fields }: BlockOf<"fields">) {
    const lines = fields.map(({ label, value }) =>
      this.line([empty, cell(label, "bold"), cell(value.replace(/\s+/g, " "), "plain")]),
    );
    return lines.join("") + this.line([]);
  }

  private async *table(to: Utf8, { title, columns, rows, totals = [] }: BlockOf<"table">): AsyncGenerator<void> {
    if (title) to.text(this.line([empty, cell(title, "bold")]));
    const titles = columns.map(({ title }) => cell(title, this.isList ? "header" : "framedHeader"));
    this.headRow = this.row + 1;
    to.text(this.line(titles, Math.max(...columns.map((column) => wrappedLines(column.title, column.width)))));
    const shapes = columns.map(({ kind, width }, n) => {
      const style = (this.isList ? listStyles : framedStyles)[kind];
      return {
        frame: frameOf(n, style, !this.isList),
        width: kind === "text" && !this.isList ? width - indentWidth : 0,
      };
    });
    for await (const row of rows) {
      this.tableRow(to, shapes, row);
      if (to.isFull) yield;
    }
    for (const { label, value, kind } of totals) to.text(this.line(this.totalCells(columns, label, value, kind)));
  }

  /** The hot path: a price list comes through here hundreds of thousands of times. */
  private tableRow(to: Utf8, shapes: readonly { frame: Frame; width: number }[], row: readonly Cell[]) {
    let lines = 1;
    for (let n = 0; n < shapes.length; n++) {
      const { width = 0 } = shapes[n] ?? {};
      if (width > 0) lines = Math.max(lines, wrappedLines(String(row[n] ?? ""), width));
    }
    if (++this.row > maxRows)
      throw new PermanentError(`A sheet holds ${maxRows} rows and this list has more; order it as CSV`);
    startRow(to, this.row, lines);
    for (let n = 0; n < shapes.length; n++) {
      const shape = shapes[n];
      if (shape) writeCell(to, row[n], this.row, shape.frame);
    }
    to.copy(rowEnd);
  }

  private totalCells(columns: readonly Column[], label: string, value: number, kind: Column["kind"]) {
    const wanted = columns.findLastIndex((column) => column.kind === kind);
    const at = wanted < 0 ? columns.length - 1 : wanted;
    return columns.map((_, n) => {
      if (n === at) return cell(value, "framedTotal");
      return cell(n === 1 ? label : "", "bold");
    });
  }

  private code({ caption }: BlockOf<"code">) {
    const words = caption.split("\n").map((line) => this.line([empty, cell(line, "plain")]));
    const from = { column: 1, row: this.row };
    this.codes.push({ from, to: { column: 2, row: from.row + codeRows } });
    const room = Array.from({ length: codeRows + 1 }, () => this.line([]));
    return words.join("") + room.join("");
  }

  /** Its numbers, and the chart beside them. */
  private chart(chart: BlockOf<"chart">) {
    const { bars, title, unit } = chart;
    const heading = this.line([empty, cell(`${title}, ${unit}`, "bold")]);
    const firstRow = this.row + 1;
    const rows = bars.map(({ label, value }) => this.line([empty, cell(label, "plain"), cell(value, "money")]));
    const more = Array.from({ length: Math.max(0, chartRows - bars.length) + 1 }, () => this.line([]));
    const from = { column: 3, row: firstRow - 1 };
    const place = { from, to: { column: Math.max(this.columns.length, 6), row: from.row + chartRows } };
    this.charts.push({ chart, sheet: this.name, labelColumn: "B", valueColumn: "C", firstRow, place });
    return heading + rows.join("") + more.join("");
  }
}

const listStyles: Record<Column["kind"], Style> = { text: "plain", money: "money", count: "counted" };
const framedStyles: Record<Column["kind"], Style> = { text: "framedText", money: "framedMoney", count: "framedCount" };

const cell = (value: Cell, style: Style): StyledCell => ({ value, style });
const empty = cell("", "plain");

/** Excel refuses longer names and these characters. */
function nameOf({ title }: Layout) {
  const [first = title] = title.split(" ");
  return first.replace(/[[\]:*?/\\]/g, " ").slice(0, 31);
}
