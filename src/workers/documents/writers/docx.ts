import {
  type Block,
  type BlockOf,
  type Cell,
  type Column,
  grouped,
  type Layout,
  roubles,
} from "../../../services/documents/kinds/layout.ts";
import { cell, image, paragraph, row, run, type Side, tableStart } from "./docx/elements.ts";
import { documentEnd, documentParts, documentStart, textWidth } from "./docx/parts.ts";
import { matrixOf, matrixToPng } from "./matrix.ts";
import { plain } from "./text.ts";
import type { Utf8 } from "./utf8.ts";
import { type Entry, zip } from "./zip.ts";

const labelWidth = 2_000;
const small = { size: 18 };
const headColour = "E7EBF0";
/** Millimetres. */
const codeSide = 40;

/** A layout as a Word document; what is in memory does not grow with its rows. The same gives the same bytes. */
export function writeDocx(layout: Layout): AsyncGenerator<Uint8Array> {
  return zip(entries(layout));
}

async function* entries(layout: Layout): AsyncGenerator<Entry> {
  const codes = layout.blocks.filter((block) => block.type === "code");
  for (const [name, content] of Object.entries(documentParts(layout, codes.length))) yield { name, content };
  for (const [n, { text }] of codes.entries())
    yield { name: `word/media/image${n + 1}.png`, content: matrixToPng(matrixOf(text)) };
  yield { name: "word/document.xml", content: (to) => documentXml(to, layout) };
}

async function* documentXml(to: Utf8, layout: Layout): AsyncGenerator<void> {
  to.text(documentStart + paragraph(run(layout.title, { bold: true, size: 28 }), { after: 200 }));
  const width = textWidth(layout);
  let codes = 0;
  for (const block of layout.blocks) {
    if (block.type === "table") yield* table(to, block, width);
    else if (block.type === "code") to.text(code(block, width, codes++));
    else to.text(simple(block, width));
    yield;
  }
  to.text(documentEnd(layout));
}

function simple(block: Exclude<Block, BlockOf<"table" | "code">>, width: number): string {
  switch (block.type) {
    case "fields":
      return fields(block, width);
    case "text":
      return paragraph(run(block.text, { bold: block.isStrong ?? false }), { after: 60 });
    case "signatures":
      return block.roles
        .map((role) => paragraph(run(`${role} ______________________`), { after: 240 }))
        .join(paragraph(""));
    case "chart":
      // Word documents have no charts of ours; their numbers say the same.
      return chart(block, width);
  }
}

function fields({ fields }: BlockOf<"fields">, width: number) {
  const widths = [labelWidth, width - labelWidth];
  const rows = fields.map(({ label, value }) =>
    row([cell(paragraph(run(label, { bold: true })), labelWidth), cell(paragraph(run(value)), width - labelWidth)]),
  );
  return `${tableStart(widths, false)}${rows.join("")}</w:tbl>${paragraph("")}`;
}

function chart({ bars, title, unit }: BlockOf<"chart">, width: number) {
  const widths = [Math.round(width * 0.7), Math.round(width * 0.3)];
  const rows = bars.map(({ label, value }) =>
    row([
      cell(paragraph(run(label, small)), widths[0] ?? 0),
      cell(paragraph(run(grouped(value), small), { side: "right" }), widths[1] ?? 0),
    ]),
  );
  const heading = paragraph(run(`${title}, ${unit}`, { bold: true }), { after: 60 });
  return `${heading}${tableStart(widths, true)}${rows.join("")}</w:tbl>${paragraph("")}`;
}

async function* table(to: Utf8, block: BlockOf<"table">, width: number): AsyncGenerator<void> {
  const { title, columns, rows, totals = [] } = block;
  const widths = columnWidths(columns, width);
  const head = columns.map(({ title }, n) =>
    cell(paragraph(run(title, { bold: true, ...small }), { side: "center" }), widths[n] ?? 0, { fill: headColour }),
  );
  to.text(
    `${title ? paragraph(run(title, { bold: true }), { after: 60 }) : ""}${tableStart(widths, true)}${row(head, true)}`,
  );
  for await (const values of rows) {
    const cells = columns.map((column, n) =>
      cell(paragraph(run(shown(column, values[n] ?? ""), small), { side: sideOf(column) }), widths[n] ?? 0),
    );
    to.text(row(cells));
    if (to.isFull) yield;
  }
  for (const { label, value, kind } of totals)
    to.text(totalRow(widths, label, kind === "money" ? roubles(value) : grouped(value)));
  to.text(`</w:tbl>${paragraph("")}`);
}

/** A total has more digits than any of its parts. */
function totalRow(widths: readonly number[], label: string, value: string) {
  const sum = (some: readonly number[]) => some.reduce((all, width) => all + width, 0);
  const strong = (text: string) => paragraph(run(text, { bold: true }), { side: "right" });
  return row([
    cell(strong(label), sum(widths.slice(0, -2)), { span: widths.length - 2 }),
    cell(strong(value), sum(widths.slice(-2)), { span: 2 }),
  ]);
}

/** The code, and its words beside it. */
function code({ caption }: BlockOf<"code">, width: number, n: number) {
  const side = 2_600;
  const cells = [cell(paragraph(image(n, codeSide)), side), cell(paragraph(run(caption)), width - side)];
  return `${tableStart([side, width - side], false)}${row(cells)}</w:tbl>${paragraph("")}`;
}

function columnWidths(columns: readonly Column[], width: number) {
  const room = columns.reduce((sum, column) => sum + column.width, 0);
  return columns.map((column) => Math.floor((width * column.width) / room));
}

function shown({ kind }: Column, given: Cell) {
  const value = plain(given);
  if (typeof value === "string") return value;
  return kind === "money" ? roubles(value) : grouped(value);
}

function sideOf({ kind }: Column): Side {
  return kind === "text" ? "left" : "right";
}
