import type { BlockOf } from "../../../../services/documents/kinds/layout.ts";
import { xmlText } from "../text.ts";
import { declaration, office } from "./parts.ts";

/** Where something is drawn: its corners, in columns and rows that count from 0. */
export interface Place {
  from: { column: number; row: number };
  to: { column: number; row: number };
}

/** Where the numbers of a chart stand on the sheet; rows count from 1. */
export interface ChartData {
  chart: BlockOf<"chart">;
  sheet: string;
  labelColumn: string;
  valueColumn: string;
  firstRow: number;
}

const schemas = "http://schemas.openxmlformats.org/drawingml/2006";
const blue = "3B6EA5";

/** The part that says where images and charts are; its relationships name images first. */
export function drawingXml(images: readonly Place[], charts: readonly Place[]): string {
  const anchors = [
    ...images.map((place, n) => anchor(place, picture(n + 1))),
    ...charts.map((place, n) => anchor(place, frame(images.length + n + 1))),
  ];
  return `${declaration}<xdr:wsDr xmlns:xdr="${schemas}/spreadsheetDrawing" xmlns:a="${schemas}/main" xmlns:r="${office}" xmlns:c="${schemas}/chart">${anchors.join("")}</xdr:wsDr>`;
}

function anchor({ from, to }: Place, content: string) {
  const corner = (name: string, { column, row }: Place["from"]) =>
    `<xdr:${name}><xdr:col>${column}</xdr:col><xdr:colOff>0</xdr:colOff><xdr:row>${row}</xdr:row><xdr:rowOff>0</xdr:rowOff></xdr:${name}>`;
  return `<xdr:twoCellAnchor editAs="oneCell">${corner("from", from)}${corner("to", to)}${content}<xdr:clientData/></xdr:twoCellAnchor>`;
}

function picture(id: number) {
  return `<xdr:pic><xdr:nvPicPr><xdr:cNvPr id="${id}" name="QR ${id}"/><xdr:cNvPicPr><a:picLocks noChangeAspect="1"/></xdr:cNvPicPr></xdr:nvPicPr><xdr:blipFill><a:blip r:embed="rId${id}"/><a:stretch><a:fillRect/></a:stretch></xdr:blipFill><xdr:spPr><a:prstGeom prst="rect"><a:avLst/></a:prstGeom></xdr:spPr></xdr:pic>`;
}

function frame(id: number) {
  return `<xdr:graphicFrame macro=""><xdr:nvGraphicFramePr><xdr:cNvPr id="${id}" name="Диаграмма ${id}"/><xdr:cNvGraphicFramePr/></xdr:nvGraphicFramePr><xdr:xfrm><a:off x="0" y="0"/><a:ext cx="0" cy="0"/></xdr:xfrm><a:graphic><a:graphicData uri="${schemas}/chart"><c:chart r:id="rId${id}"/></a:graphicData></a:graphic></xdr:graphicFrame>`;
}

/** A bar chart of cells; it contains their values, so that it is drawn before any calculation. */
export function chartXml({ chart, sheet, labelColumn, valueColumn, firstRow }: ChartData): string {
  const { bars, shape, title } = chart;
  const range = (column: string) =>
    `'${xmlText(sheet.replaceAll("'", "''"))}'!$${column}$${firstRow}:$${column}$${firstRow + bars.length - 1}`;
  const points = (values: readonly (string | number)[]) =>
    `<c:ptCount val="${values.length}"/>${values.map((value, n) => `<c:pt idx="${n}"><c:v>${xmlText(String(value))}</c:v></c:pt>`).join("")}`;
  const labels = `<c:cat><c:strRef><c:f>${range(labelColumn)}</c:f><c:strCache>${points(bars.map(({ label }) => label))}</c:strCache></c:strRef></c:cat>`;
  const values = `<c:val><c:numRef><c:f>${range(valueColumn)}</c:f><c:numCache><c:formatCode>#,##0</c:formatCode>${points(bars.map(({ value }) => value))}</c:numCache></c:numRef></c:val>`;
  const series = `<c:ser><c:idx val="0"/><c:order val="0"/><c:spPr><a:solidFill><a:srgbClr val="${blue}"/></a:solidFill></c:spPr><c:invertIfNegative val="0"/>${labels}${values}</c:ser>`;
  const isHorizontal = shape === "horizontal";
  // The first bar is on top, as it is in the table.
  const order = `<c:scaling><c:orientation val="${isHorizontal ? "maxMin" : "minMax"}"/></c:scaling>`;
  const names = `<c:catAx><c:axId val="1"/>${order}<c:delete val="0"/><c:axPos val="${isHorizontal ? "l" : "b"}"/><c:numFmt formatCode="General" sourceLinked="0"/><c:majorTickMark val="none"/><c:minorTickMark val="none"/><c:tickLblPos val="nextTo"/><c:crossAx val="2"/><c:crosses val="autoZero"/><c:auto val="0"/><c:lblOffset val="100"/><c:noMultiLvlLbl val="1"/></c:catAx>`;
  const numbers = `<c:valAx><c:axId val="2"/><c:scaling><c:orientation val="minMax"/></c:scaling><c:delete val="0"/><c:axPos val="${isHorizontal ? "b" : "l"}"/><c:majorGridlines/><c:numFmt formatCode="#,##0" sourceLinked="0"/><c:majorTickMark val="none"/><c:minorTickMark val="none"/><c:tickLblPos val="nextTo"/><c:crossAx val="1"/><c:crosses val="${isHorizontal ? "max" : "autoZero"}"/></c:valAx>`;
  const heading = `<c:title><c:tx><c:rich><a:bodyPr/><a:p><a:pPr><a:defRPr sz="1200" b="1"/></a:pPr><a:r><a:rPr lang="ru-RU" sz="1200" b="1"/><a:t>${xmlText(title)}</a:t></a:r></a:p></c:rich></c:tx><c:overlay val="0"/></c:title>`;
  return `${declaration}<c:chartSpace xmlns:c="${schemas}/chart" xmlns:a="${schemas}/main" xmlns:r="${office}"><c:roundedCorners val="0"/><c:chart>${heading}<c:autoTitleDeleted val="0"/><c:plotArea><c:layout/><c:barChart><c:barDir val="${isHorizontal ? "bar" : "col"}"/><c:grouping val="clustered"/><c:varyColors val="0"/>${series}<c:gapWidth val="60"/><c:axId val="1"/><c:axId val="2"/></c:barChart>${names}${numbers}</c:plotArea><c:plotVisOnly val="1"/><c:dispBlanksAs val="gap"/></c:chart></c:chartSpace>`;
}
