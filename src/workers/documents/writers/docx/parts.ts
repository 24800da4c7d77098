import type { Layout } from "../../../../services/documents/kinds/layout.ts";
import { xmlText } from "../text.ts";

export const declaration = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
const main = "http://schemas.openxmlformats.org/wordprocessingml/2006/main";
const office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const packages = "http://schemas.openxmlformats.org/package/2006";
const types = "application/vnd.openxmlformats-officedocument.wordprocessingml";
const core = "application/vnd.openxmlformats-package.core-properties+xml";
const font = "Times New Roman";

/** Twentieths of a point; A4. */
const [shortSide, longSide] = [11_906, 16_838];
/** 15 mm. */
const margin = 850;
/** Numbers of relationships, as the document names them. */
export const relationIds = { footer: "rId2", image: (n: number) => `rId${n + 3}` };

/** How wide text can be on the sheets of a layout. */
export function textWidth({ orientation }: Pick<Layout, "orientation">): number {
  return (orientation === "landscape" ? longSide : shortSide) - 2 * margin;
}

/** Every part of a Word document but its text and its images, by name. */
export function documentParts(layout: Layout, imageCount: number): Record<string, string> {
  const images = Array.from({ length: imageCount }, (_, n) => n);
  const png = imageCount > 0 ? '<Default Extension="png" ContentType="image/png"/>' : "";
  const time = layout.changedAt.toISOString();
  const dates = ["created", "modified"].map(
    (name) => `<dcterms:${name} xsi:type="dcterms:W3CDTF">${time}</dcterms:${name}>`,
  );
  return {
    "[Content_Types].xml": `${declaration}<Types xmlns="${packages}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>${png}${override("/word/document.xml", `${types}.document.main+xml`)}${override("/word/styles.xml", `${types}.styles+xml`)}${override("/word/footer1.xml", `${types}.footer+xml`)}${override("/docProps/core.xml", core)}</Types>`,
    "_rels/.rels": `${declaration}<Relationships xmlns="${packages}/relationships"><Relationship Id="rId1" Type="${office}/officeDocument" Target="word/document.xml"/><Relationship Id="rId2" Type="${packages}/relationships/metadata/core-properties" Target="docProps/core.xml"/></Relationships>`,
    "word/_rels/document.xml.rels": `${declaration}<Relationships xmlns="${packages}/relationships"><Relationship Id="rId1" Type="${office}/styles" Target="styles.xml"/><Relationship Id="${relationIds.footer}" Type="${office}/footer" Target="footer1.xml"/>${images.map((n) => `<Relationship Id="${relationIds.image(n)}" Type="${office}/image" Target="media/image${n + 1}.png"/>`).join("")}</Relationships>`,
    "word/styles.xml": `${declaration}<w:styles xmlns:w="${main}"><w:docDefaults><w:rPrDefault><w:rPr><w:rFonts w:ascii="${font}" w:hAnsi="${font}" w:eastAsia="${font}" w:cs="${font}"/><w:sz w:val="20"/><w:szCs w:val="20"/><w:lang w:val="ru-RU"/></w:rPr></w:rPrDefault><w:pPrDefault/></w:docDefaults><w:style w:type="paragraph" w:default="1" w:styleId="Normal"><w:name w:val="Normal"/></w:style></w:styles>`,
    "word/footer1.xml": `${declaration}<w:ftr xmlns:w="${main}"><w:p><w:pPr><w:jc w:val="right"/></w:pPr>${small("Страница ")}${field("PAGE")}${small(" из ")}${field("NUMPAGES")}</w:p></w:ftr>`,
    "docProps/core.xml": `${declaration}<cp:coreProperties xmlns:cp="${packages}/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><dc:title>${xmlText(layout.title)}</dc:title>${dates.join("")}</cp:coreProperties>`,
  };
}

/** What stands before the first paragraph. */
export const documentStart = `${declaration}<w:document xmlns:w="${main}" xmlns:r="${office}" xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:pic="http://schemas.openxmlformats.org/drawingml/2006/picture"><w:body>`;

/** What stands after the last one: the paper. */
export function documentEnd({ orientation }: Pick<Layout, "orientation">): string {
  const size =
    orientation === "landscape"
      ? `w:w="${longSide}" w:h="${shortSide}" w:orient="landscape"`
      : `w:w="${shortSide}" w:h="${longSide}"`;
  const margins = `<w:pgMar w:top="${margin}" w:right="${margin}" w:bottom="${margin}" w:left="${margin}" w:header="400" w:footer="400" w:gutter="0"/>`;
  return `<w:sectPr><w:footerReference w:type="default" r:id="${relationIds.footer}"/><w:pgSz ${size}/>${margins}</w:sectPr></w:body></w:document>`;
}

function override(part: string, type: string) {
  return `<Override PartName="${part}" ContentType="${type}"/>`;
}

const smallLook = '<w:rPr><w:color w:val="666666"/><w:sz w:val="16"/></w:rPr>';
const small = (text: string) => `<w:r>${smallLook}<w:t xml:space="preserve">${text}</w:t></w:r>`;

function field(instruction: "PAGE" | "NUMPAGES") {
  const mark = (type: string) => `<w:r>${smallLook}<w:fldChar w:fldCharType="${type}"/></w:r>`;
  const told = `<w:r>${smallLook}<w:instrText xml:space="preserve">${instruction}</w:instrText></w:r>`;
  return `${mark("begin")}${told}${mark("separate")}${small("1")}${mark("end")}`;
}
