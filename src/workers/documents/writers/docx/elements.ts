import { xmlText } from "../text.ts";
import { relationIds } from "./parts.ts";

export interface Look {
  bold?: boolean;
  /** Half points; 20 without it. */
  size?: number;
}

export type Side = "left" | "right" | "center";

/** Text as it stands in a paragraph; line feeds begin lines. */
export function run(text: string, { bold = false, size }: Look = {}): string {
  const look = `${bold ? "<w:b/>" : ""}${size ? `<w:sz w:val="${size}"/>` : ""}`;
  const lines = xmlText(text).split("\n");
  const shown = lines.map((line) => `<w:t xml:space="preserve">${line}</w:t>`).join("<w:br/>");
  return `<w:r>${look && `<w:rPr>${look}</w:rPr>`}${shown}</w:r>`;
}

export function paragraph(content: string, { side = "left", after = 0 }: { side?: Side; after?: number } = {}): string {
  const look = `${after > 0 ? `<w:spacing w:after="${after}"/>` : ""}${side === "left" ? "" : `<w:jc w:val="${side}"/>`}`;
  return `<w:p>${look && `<w:pPr>${look}</w:pPr>`}${content}</w:p>`;
}

/** A cell so wide, over so many columns. */
export function cell(content: string, width: number, { span = 1, fill = "" } = {}): string {
  const spans = span > 1 ? `<w:gridSpan w:val="${span}"/>` : "";
  const shade = fill ? `<w:shd w:val="clear" w:color="auto" w:fill="${fill}"/>` : "";
  return `<w:tc><w:tcPr><w:tcW w:w="${width}" w:type="dxa"/>${spans}${shade}</w:tcPr>${content}</w:tc>`;
}

/** A row that no page break parts; a head is repeated on each page. */
export function row(cells: readonly string[], isHead = false): string {
  return `<w:tr><w:trPr><w:cantSplit/>${isHead ? "<w:tblHeader/>" : ""}</w:trPr>${cells.join("")}</w:tr>`;
}

const edges = ["top", "left", "bottom", "right", "insideH", "insideV"];

/** What a table of columns so wide begins with; rows and `</w:tbl>` follow. */
export function tableStart(widths: readonly number[], hasBorders: boolean): string {
  const border = hasBorders ? 'w:val="single" w:sz="4" w:space="0" w:color="999999"' : 'w:val="none"';
  const borders = edges.map((edge) => `<w:${edge} ${border}/>`).join("");
  const padding = `<w:tblCellMar><w:top w:w="40" w:type="dxa"/><w:left w:w="60" w:type="dxa"/><w:bottom w:w="40" w:type="dxa"/><w:right w:w="60" w:type="dxa"/></w:tblCellMar>`;
  const total = widths.reduce((sum, width) => sum + width, 0);
  const grid = widths.map((width) => `<w:gridCol w:w="${width}"/>`).join("");
  return `<w:tbl><w:tblPr><w:tblW w:w="${total}" w:type="dxa"/><w:tblBorders>${borders}</w:tblBorders><w:tblLayout w:type="fixed"/>${padding}</w:tblPr><w:tblGrid>${grid}</w:tblGrid>`;
}

/** The n-th image of the document as a square with sides so long, in millimetres. */
export function image(n: number, side: number): string {
  const size = side * 36_000;
  const extent = `cx="${size}" cy="${size}"`;
  const name = `id="${n + 1}" name="QR ${n + 1}"`;
  const picture = `<pic:pic><pic:nvPicPr><pic:cNvPr ${name}/><pic:cNvPicPr/></pic:nvPicPr><pic:blipFill><a:blip r:embed="${relationIds.image(n)}"/><a:stretch><a:fillRect/></a:stretch></pic:blipFill><pic:spPr><a:xfrm><a:off x="0" y="0"/><a:ext ${extent}/></a:xfrm><a:prstGeom prst="rect"><a:avLst/></a:prstGeom></pic:spPr></pic:pic>`;
  return `<w:r><w:drawing><wp:inline distT="0" distB="0" distL="0" distR="0"><wp:extent ${extent}/><wp:docPr ${name}/><a:graphic><a:graphicData uri="http://schemas.openxmlformats.org/drawingml/2006/picture">${picture}</a:graphicData></a:graphic></wp:inline></w:drawing></w:r>`;
}
