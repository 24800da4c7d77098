import {
  AlignmentType,
  BorderStyle,
  Document,
  Footer,
  Packer,
  PageNumber,
  Paragraph,
  ShadingType,
  Table,
  TableCell,
  TableLayoutType,
  TableRow,
  TextRun,
  WidthType,
} from "docx";
import { type Cell, type Column, type Printout, roubles } from "../layouts/printout.ts";
import { rezip } from "./rezip.ts";
import { readable, xmlText } from "./text.ts";

const font = "Times New Roman";
/** In twentieths of a point: A4 less margins of 15 mm. */
const margin = 850;
const textWidth = 11_906 - 2 * margin;
const labelWidth = 2_000;
const grey = { style: BorderStyle.SINGLE, size: 4, color: "999999" } as const;
const none = { style: BorderStyle.NONE, size: 0, color: "auto" } as const;

type Alignment = (typeof AlignmentType)[keyof typeof AlignmentType];

/** A printed sheet as a Word document. The same sheet gives the same bytes. */
export async function* writeDocx(printout: Printout): AsyncGenerator<Uint8Array> {
  const document = new Document({
    styles: { default: { document: { run: { font, size: 20 } } } },
    sections: [
      {
        properties: {
          page: {
            size: { width: 11_906, height: 16_838 },
            margin: { top: margin, right: margin, bottom: margin, left: margin },
          },
        },
        footers: { default: pageNumbers() },
        children: [heading(printout.title), fieldsTable(printout), new Paragraph(""), linesTable(printout)],
      },
    ],
  });
  const core = { path: "docProps/core.xml", data: coreProperties(printout) };
  yield rezip(await Packer.pack(document, "uint8array", undefined, [core]));
}

function heading(title: string) {
  return new Paragraph({ children: [run(title, { bold: true, size: 28 })], spacing: { after: 200 } });
}

function fieldsTable({ fields }: Printout) {
  const widths = [labelWidth, textWidth - labelWidth];
  const cells = ({ label, value }: Printout["fields"][number]) => [
    cell(widths[0], [run(label, { bold: true })]),
    cell(widths[1], [run(value)]),
  ];
  return new Table({
    columnWidths: widths,
    layout: TableLayoutType.FIXED,
    borders: { top: none, bottom: none, left: none, right: none, insideHorizontal: none, insideVertical: none },
    rows: fields.map((field) => new TableRow({ cantSplit: true, children: cells(field) })),
  });
}

function linesTable({ columns, rows, total }: Printout) {
  const room = columns.reduce((sum, { width }) => sum + width, 0);
  const widths = columns.map(({ width }) => Math.floor((textWidth * width) / room));
  const header = columns.map(({ title }, n) =>
    cell(widths[n], [run(title, { bold: true, ...small })], AlignmentType.CENTER, { shading: true }),
  );
  const line = (row: readonly Cell[]) =>
    columns.map((column, n) => cell(widths[n], [run(shown(column, row[n] ?? ""), small)], sideOf(column)));
  const totalCells = [
    cell(undefined, [run(total.label, { bold: true })], AlignmentType.RIGHT, { columnSpan: columns.length - 2 }),
    cell(undefined, [run(roubles(total.value), { bold: true })], AlignmentType.RIGHT, { columnSpan: 2 }),
  ];
  return new Table({
    columnWidths: widths,
    layout: TableLayoutType.FIXED,
    width: { size: textWidth, type: WidthType.DXA },
    borders: { top: grey, bottom: grey, left: grey, right: grey, insideHorizontal: grey, insideVertical: grey },
    rows: [
      new TableRow({ tableHeader: true, cantSplit: true, children: header }),
      ...rows.map((row) => new TableRow({ cantSplit: true, children: line(row) })),
      new TableRow({ cantSplit: true, children: totalCells }),
    ],
  });
}

function cell(
  width: number | undefined,
  children: TextRun[],
  alignment: Alignment = AlignmentType.LEFT,
  { shading = false, columnSpan = 1 } = {},
) {
  return new TableCell({
    ...(width && { width: { size: width, type: WidthType.DXA } }),
    ...(columnSpan > 1 && { columnSpan }),
    ...(shading && { shading: { type: ShadingType.CLEAR, color: "auto", fill: "E7EBF0" } }),
    margins: { top: 40, bottom: 40, left: 60, right: 60 },
    children: [new Paragraph({ alignment, children })],
  });
}

function pageNumbers() {
  const children = ["Страница ", PageNumber.CURRENT, " из ", PageNumber.TOTAL_PAGES];
  return new Footer({
    children: [
      new Paragraph({
        alignment: AlignmentType.RIGHT,
        children: [new TextRun({ children, size: 16, color: "666666" })],
      }),
    ],
  });
}

function run(text: string, look: { bold?: boolean; size?: number } = {}) {
  return new TextRun({ text: readable(text), ...look });
}

const small = { size: 18 };

function shown({ kind }: Column, value: Cell) {
  return kind === "money" ? roubles(value) : String(value);
}

function sideOf({ kind }: Column): Alignment {
  return kind === "text" ? AlignmentType.LEFT : AlignmentType.RIGHT;
}

/** The package would put the time of writing there. */
function coreProperties({ title, changedAt }: Printout) {
  const time = changedAt.toISOString();
  const dates = ["created", "modified"].map(
    (name) => `<dcterms:${name} xsi:type="dcterms:W3CDTF">${time}</dcterms:${name}>`,
  );
  return `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><dc:title>${xmlText(title)}</dc:title>${dates.join("")}</cp:coreProperties>`;
}
