import PDFDocument from "pdfkit";
import { type Cell, type Column, type Printout, roubles } from "../layouts/printout.ts";
import { fonts } from "./fonts.ts";
import { readable } from "./text.ts";

type Pdf = InstanceType<typeof PDFDocument>;

const margin = 36;
const footerHeight = 24;
const padding = { x: 4, y: 3 };
const labelWidth = 80;
const size = { title: 14, text: 9.5, table: 8, footer: 7.5 };
const colour = { text: "#1a1a1a", line: "#999999", header: "#e7ebf0", footer: "#666666" };

/** A printed sheet as a PDF on A4. The same sheet gives the same bytes. */
export async function* writePdf(printout: Printout): AsyncGenerator<Uint8Array> {
  const pdf = new PDFDocument({
    size: "A4",
    margin,
    bufferPages: true,
    info: { Title: readable(printout.title), CreationDate: printout.changedAt },
  });
  pdf.registerFont("regular", fonts.regular());
  pdf.registerFont("bold", fonts.bold());
  writeHead(pdf, printout);
  writeTable(pdf, printout);
  numberPages(pdf);
  pdf.end();
  yield* pdf as AsyncIterable<Buffer>;
}

function writeHead(pdf: Pdf, { title, fields }: Printout) {
  const width = textWidth(pdf);
  pdf.font("bold").fontSize(size.title).fillColor(colour.text).text(readable(title), margin, margin, { width });
  pdf.moveDown(0.6).fontSize(size.text);
  for (const { label, value } of fields) {
    const room = { width: width - labelWidth };
    const text = readable(value) || "—";
    const height = pdf.font("regular").heightOfString(text, room);
    if (pdf.y + height > bottom(pdf)) pdf.addPage();
    const { y } = pdf;
    pdf.font("bold").text(label, margin, y, { width: labelWidth, lineBreak: false });
    pdf
      .font("regular")
      .text(text, margin + labelWidth, y, room)
      .moveDown(0.2);
  }
  pdf.moveDown(1);
}

interface TableCell {
  text: string;
  width: number;
  align: "left" | "right" | "center";
}

interface Row {
  cells: TableCell[];
  font: "regular" | "bold";
  fill?: string;
}

function writeTable(pdf: Pdf, { columns, rows, total }: Printout) {
  const widths = columnWidths(pdf, columns);
  const at = (n: number) => widths[n] ?? 0;
  const header: Row = {
    cells: columns.map(({ title }, n) => ({ text: title, width: at(n), align: "center" })),
    font: "bold",
    fill: colour.header,
  };
  // A total has more digits than any of its parts.
  const totalWidth = at(widths.length - 2) + at(widths.length - 1);
  const last: Row = {
    cells: [
      { text: total.label, width: textWidth(pdf) - totalWidth, align: "right" },
      { text: roubles(total.value), width: totalWidth, align: "right" },
    ],
    font: "bold",
  };
  const lines = rows.map((row): Row => {
    const cells = columns.map((column, n): TableCell => {
      return { text: shown(column, row[n] ?? ""), width: at(n), align: column.kind === "text" ? "left" : "right" };
    });
    return { cells, font: "regular" };
  });

  drawRow(pdf, header);
  for (const row of [...lines, last]) {
    if (pdf.y + rowHeight(pdf, row) > bottom(pdf)) {
      pdf.addPage();
      drawRow(pdf, header);
    }
    drawRow(pdf, row);
  }
}

function drawRow(pdf: Pdf, row: Row) {
  const { y } = pdf;
  // Nothing that is taller than a page may run over its end; no real name is.
  const height = Math.min(rowHeight(pdf, row), bottom(pdf) - y);
  let x = margin;
  for (const { text, width, align } of row.cells) {
    pdf.lineWidth(0.5).rect(x, y, width, height);
    if (row.fill) pdf.fillAndStroke(row.fill, colour.line);
    else pdf.stroke(colour.line);
    const inner = { width: width - 2 * padding.x, height: height - 2 * padding.y, align, ellipsis: true };
    pdf.fillColor(colour.text).text(text, x + padding.x, y + padding.y, inner);
    x += width;
  }
  pdf.y = y + height;
}

function rowHeight(pdf: Pdf, { cells, font }: Row) {
  pdf.font(font).fontSize(size.table);
  const heights = cells.map(({ text, width }) => pdf.heightOfString(text, { width: width - 2 * padding.x }));
  return Math.max(...heights) + 2 * padding.y;
}

function numberPages(pdf: Pdf) {
  const { count } = pdf.bufferedPageRange();
  for (let page = 0; page < count; page++) {
    pdf.switchToPage(page);
    // Below the margin pdfkit would begin a new page.
    pdf.page.margins.bottom = 0;
    const y = pdf.page.height - margin - size.footer;
    const text = `Страница ${page + 1} из ${count}`;
    const options = { width: textWidth(pdf), align: "right", lineBreak: false } as const;
    pdf.font("regular").fontSize(size.footer).fillColor(colour.footer).text(text, margin, y, options);
  }
}

function columnWidths(pdf: Pdf, columns: readonly Column[]) {
  const room = columns.reduce((sum, { width }) => sum + width, 0);
  return columns.map(({ width }) => (textWidth(pdf) * width) / room);
}

function shown({ kind }: Column, value: Cell) {
  return readable(kind === "money" ? roubles(value) : String(value));
}

const textWidth = (pdf: Pdf) => pdf.page.width - 2 * margin;
const bottom = (pdf: Pdf) => pdf.page.height - margin - footerHeight;
