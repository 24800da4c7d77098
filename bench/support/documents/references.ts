import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Document, Packer, Paragraph, Table, TableCell, TableRow, TextRun } from "docx";
import PDFDocument from "pdfkit";
import type { BlockOf, Layout } from "../../../src/services/documents/kinds/layout.ts";

const { resolve } = createRequire(import.meta.url);
const regular = readFileSync(resolve("dejavu-fonts-ttf/ttf/DejaVuSansCondensed.ttf"));
const bold = readFileSync(resolve("dejavu-fonts-ttf/ttf/DejaVuSansCondensed-Bold.ttf"));

const fieldsOf = ({ blocks }: Layout) => blocks.flatMap((block) => (block.type === "fields" ? block.fields : []));
const tableOf = ({ blocks }: Layout) => blocks.find((block) => block.type === "table") as BlockOf<"table">;

/** The same words and frames with pdfkit. */
export function pdfkitPdf(layout: Layout): AsyncIterable<Uint8Array> {
  const pdf = new PDFDocument({ size: "A4", margin: 36, bufferPages: true });
  pdf.registerFont("regular", regular);
  pdf.registerFont("bold", bold);
  pdf.font("bold").fontSize(14).text(layout.title).moveDown();
  pdf.fontSize(9.5);
  for (const { label, value } of fieldsOf(layout)) pdf.font("regular").text(`${label}: ${value}`);
  const { columns, rows } = tableOf(layout);
  const room = columns.reduce((sum, { width }) => sum + width, 0);
  const widths = columns.map(({ width }) => (523 * width) / room);
  pdf.moveDown().fontSize(8);
  for (const row of [columns.map(({ title }) => title), ...(rows as Iterable<readonly (string | number)[]>)]) {
    const texts = row.map(String);
    const heights = texts.map((text, n) => pdf.heightOfString(text, { width: (widths[n] ?? 0) - 8 }));
    const height = Math.max(...heights) + 6;
    if (pdf.y + height > 780) pdf.addPage();
    const { y } = pdf;
    let x = 36;
    for (const [n, text] of texts.entries()) {
      const width = widths[n] ?? 0;
      pdf.lineWidth(0.5).rect(x, y, width, height).stroke("#999999");
      pdf.fillColor("#1a1a1a").text(text, x + 4, y + 3, { width: width - 8 });
      x += width;
    }
    pdf.y = y + height;
  }
  pdf.end();
  return pdf as unknown as AsyncIterable<Uint8Array>;
}

/** The same words with the package docx; gives how many bytes it has. */
export async function docxOfPackage(layout: Layout): Promise<number> {
  const paragraph = (text: string) => new Paragraph({ children: [new TextRun(text)] });
  const row = (texts: readonly (string | number)[]) =>
    new TableRow({
      cantSplit: true,
      children: texts.map((text) => new TableCell({ children: [paragraph(String(text))] })),
    });
  const { columns, rows } = tableOf(layout);
  const lines = [columns.map(({ title }) => title), ...(rows as Iterable<readonly (string | number)[]>)];
  const fields = fieldsOf(layout).map(({ label, value }) => paragraph(`${label}: ${value}`));
  const children = [paragraph(layout.title), ...fields, new Table({ rows: lines.map(row) })];
  return (await Packer.toBuffer(new Document({ sections: [{ children }] }))).length;
}
