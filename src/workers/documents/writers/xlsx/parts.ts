import { xmlText } from "../text.ts";

/** Looks of a cell, in the order of `cellXfs` below. */
export const styles = {
  plain: 0,
  header: 1,
  money: 2,
  title: 3,
  bold: 4,
  framedTotal: 5,
  framedText: 6,
  counted: 7,
  framedMoney: 8,
  framedCount: 9,
  framedHeader: 10,
} as const;
export type Style = keyof typeof styles;

const looks: readonly Look[] = [
  {},
  { font: 1, fill: 2, wraps: true, isCentered: true },
  { format: 3 },
  { font: 2 },
  { font: 1 },
  { format: 3, font: 1, isFramed: true },
  { wraps: true, isIndented: true, isFramed: true },
  { format: 1 },
  { format: 3, isFramed: true },
  { format: 1, isFramed: true },
  { font: 1, fill: 2, wraps: true, isCentered: true, isFramed: true },
];

export const declaration = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
const main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
export const office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const packages = "http://schemas.openxmlformats.org/package/2006";
const types = "application/vnd.openxmlformats-officedocument";

/** What a sheet has besides its cells. */
export interface Drawn {
  images: number;
  charts: number;
}

/** The part that names the sheet, and the row that is repeated on each printed page. */
export function workbookXml(sheetName: string, headRow: number | undefined): string {
  const quoted = xmlText(`'${sheetName.replaceAll("'", "''")}'`);
  const rows = `<definedName name="_xlnm.Print_Titles" localSheetId="0">${quoted}!$${headRow}:$${headRow}</definedName>`;
  const names = headRow === undefined ? "" : `<definedNames>${rows}</definedNames>`;
  return `${declaration}<workbook xmlns="${main}" xmlns:r="${office}"><sheets><sheet name="${xmlText(sheetName)}" sheetId="1" r:id="rId1"/></sheets>${names}</workbook>`;
}

/** Every part of a workbook with one sheet but the sheet itself, what names it and what is drawn on it, by name. */
export function workbookParts(drawn: Drawn): Record<string, string> {
  const charts = Array.from({ length: drawn.charts }, (_, n) => n + 1);
  const images = Array.from({ length: drawn.images }, (_, n) => n + 1);
  const hasDrawing = drawn.charts + drawn.images > 0;
  return {
    "[Content_Types].xml": `${declaration}<Types xmlns="${packages}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>${images.length > 0 ? '<Default Extension="png" ContentType="image/png"/>' : ""}${typeOf("/xl/workbook.xml", "spreadsheetml.sheet.main")}${typeOf("/xl/worksheets/sheet1.xml", "spreadsheetml.worksheet")}${typeOf("/xl/styles.xml", "spreadsheetml.styles")}${hasDrawing ? typeOf("/xl/drawings/drawing1.xml", "drawing") : ""}${charts.map((n) => typeOf(`/xl/charts/chart${n}.xml`, "drawingml.chart")).join("")}</Types>`,
    "_rels/.rels": relationships([["officeDocument", "xl/workbook.xml"]]),
    "xl/_rels/workbook.xml.rels": relationships([
      ["worksheet", "worksheets/sheet1.xml"],
      ["styles", "styles.xml"],
    ]),
    "xl/styles.xml": `${declaration}<styleSheet xmlns="${main}"><fonts count="3">${font(11)}${font(11, "<b/>")}${font(14, "<b/>")}</fonts><fills count="3"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill><fill><patternFill patternType="solid"><fgColor rgb="FFE7EBF0"/><bgColor indexed="64"/></patternFill></fill></fills><borders count="2"><border><left/><right/><top/><bottom/><diagonal/></border>${frame}</borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="${looks.length}">${looks.map(look).join("")}</cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>`,
    ...(hasDrawing && {
      "xl/worksheets/_rels/sheet1.xml.rels": relationships([["drawing", "../drawings/drawing1.xml"]]),
      "xl/drawings/_rels/drawing1.xml.rels": relationships([
        ...images.map((n): Relationship => ["image", `../media/image${n}.png`]),
        ...charts.map((n): Relationship => ["chart", `../charts/chart${n}.xml`]),
      ]),
    }),
  };
}

type Relationship = [type: string, target: string];

/** A part that names others: rId1, rId2 … in their order. */
export function relationships(others: readonly Relationship[]): string {
  const lines = others.map(
    ([type, target], n) => `<Relationship Id="rId${n + 1}" Type="${office}/${type}" Target="${target}"/>`,
  );
  return `${declaration}<Relationships xmlns="${packages}/relationships">${lines.join("")}</Relationships>`;
}

function typeOf(part: string, type: string) {
  return `<Override PartName="${part}" ContentType="${types}.${type}+xml"/>`;
}

/** What stands before the first row. */
export function sheetStart(widths: readonly number[], frozenRows: number): string {
  const pane = `<pane ySplit="${frozenRows}" topLeftCell="A${frozenRows + 1}" activePane="bottomLeft" state="frozen"/>`;
  const columns = widths.map((width, n) => `<col min="${n + 1}" max="${n + 1}" width="${width}" customWidth="1"/>`);
  return `${declaration}<worksheet xmlns="${main}" xmlns:r="${office}"><sheetPr><pageSetUpPr fitToPage="1"/></sheetPr><sheetViews><sheetView tabSelected="1" workbookViewId="0">${frozenRows > 0 ? pane : ""}</sheetView></sheetViews><sheetFormatPr defaultRowHeight="15"/><cols>${columns.join("")}</cols><sheetData>`;
}

/** What stands after the last row: printed on A4, as wide as the paper, with page numbers. */
export function sheetEnd(orientation: "portrait" | "landscape", hasDrawing: boolean): string {
  const page = `<pageMargins left="0.5" right="0.5" top="0.5" bottom="0.6" header="0.3" footer="0.3"/><pageSetup paperSize="9" orientation="${orientation}" fitToWidth="1" fitToHeight="0"/><headerFooter><oddFooter>&amp;RСтраница &amp;P из &amp;N</oddFooter></headerFooter>`;
  return `</sheetData>${page}${hasDrawing ? '<drawing r:id="rId1"/>' : ""}</worksheet>`;
}

function font(size: number, weight = "") {
  return `<font>${weight}<sz val="${size}"/><name val="Calibri"/><family val="2"/></font>`;
}

const edge = (name: string) => `<${name} style="thin"><color rgb="FF999999"/></${name}>`;
const frame = `<border>${["left", "right", "top", "bottom"].map(edge).join("")}<diagonal/></border>`;

interface Look {
  /** 0 is general, 1 is `0`, 3 is `#,##0`. */
  format?: number;
  font?: number;
  fill?: number;
  wraps?: boolean;
  isCentered?: boolean;
  /** Texts stand off from a number that ends at the same line. */
  isIndented?: boolean;
  isFramed?: boolean;
}

function look({
  format = 0,
  font = 0,
  fill = 0,
  wraps = false,
  isCentered = false,
  isIndented = false,
  isFramed = false,
}: Look) {
  const centred = isCentered ? ' horizontal="center"' : "";
  const indented = isIndented ? ' horizontal="left" indent="1"' : "";
  const alignment = `<alignment${centred}${indented} vertical="top"${wraps ? ' wrapText="1"' : ""}/>`;
  return `<xf numFmtId="${format}" fontId="${font}" fillId="${fill}" borderId="${isFramed ? 1 : 0}" xfId="0" applyNumberFormat="1" applyFont="1" applyFill="1" applyBorder="1" applyAlignment="1">${alignment}</xf>`;
}
