import { strFromU8, unzipSync } from "fflate";
import jsqrModule from "jsqr";
import sharp from "sharp";
import { elementsOf, parseXml, textOf, type XmlElement } from "./xml.ts";

/** All bytes of a writer. */
export async function bytesOf(content: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Every XML part of an Office file, parsed: a part that is not well-formed throws. */
export function partsOf(file: Uint8Array): Record<string, XmlElement> {
  const parts = Object.entries(unzipSync(file)).filter(([name]) => /\.(xml|rels)$/.test(name));
  return Object.fromEntries(parts.map(([name, content]) => [name, parseXml(strFromU8(content))]));
}

// Its types do not know how it is exported.
const jsqr = jsqrModule as unknown as typeof jsqrModule.default;

/** What the codes in the pictures of an Office file say, read by another program; throws at a picture without one. */
export async function codesOf(file: Uint8Array): Promise<string[]> {
  const pictures = Object.entries(unzipSync(file)).filter(([name]) => name.endsWith(".png"));
  return Promise.all(pictures.map(([, picture]) => readCode(picture)));
}

/** The text of the QR code in a picture. */
export async function readCode(picture: Uint8Array): Promise<string> {
  const { data, info } = await sharp(picture).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  const code = jsqr(new Uint8ClampedArray(data), info.width, info.height);
  if (!code) throw new Error("There is no code in the picture");
  return Buffer.from(code.binaryData).toString("utf8");
}

/** The cells of a workbook's only sheet, row by row; numbers as numbers. */
export function readXlsx(file: Uint8Array): (string | number)[][] {
  const sheet = partsOf(file)["xl/worksheets/sheet1.xml"] as XmlElement;
  return elementsOf(sheet, "row").map((row) => {
    const cells: (string | number)[] = [];
    for (const cell of elementsOf(row, "c")) cells[columnOf(cell)] = cellValue(cell);
    return Array.from(cells, (cell) => cell ?? "");
  });
}

/** The paragraphs of a Word document outside tables, and its tables: rows of cells. */
export function readDocx(file: Uint8Array) {
  const body = elementsOf(partsOf(file)["word/document.xml"] as XmlElement, "w:body")[0] as XmlElement;
  const own = body.children.filter((child) => typeof child !== "string");
  return {
    paragraphs: own.filter(({ name }) => name === "w:p").map((one) => textOf(one)),
    tables: elementsOf(body, "w:tbl").map((table) =>
      elementsOf(table, "w:tr").map((row) => elementsOf(row, "w:tc").map((cell) => textOf(cell))),
    ),
  };
}

/** The records of a CSV file as RFC 4180 has them; throws at a stray quote. */
export function readCsv(file: Buffer): string[][] {
  const text = file.toString("utf8").replace(/^\ufeff/, "");
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/y;
  const records: string[][] = [[]];
  for (let at = 0; at < text.length; at = field.lastIndex) {
    field.lastIndex = at;
    const found = field.exec(text);
    if (!found) throw new Error(`No CSV at ${at}: ${text.slice(at, at + 80)}`);
    records.at(-1)?.push(found[1]?.replaceAll('""', '"') ?? found[2] ?? "");
    if (found[3] === "\r\n") records.push([]);
  }
  return records.slice(0, -1);
}

function columnOf({ attributes }: XmlElement) {
  const letters = String(attributes.r).replace(/\d+$/, "");
  return [...letters].reduce((column, letter) => column * 26 + letter.charCodeAt(0) - 64, 0) - 1;
}

function cellValue(cell: XmlElement) {
  if (cell.attributes.t === "inlineStr") return textOf(cell).replaceAll("_x005F_", "_");
  return Number(textOf(elementsOf(cell, "v")[0]));
}
