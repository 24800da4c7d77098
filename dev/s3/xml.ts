import { S3Error } from "./errors.ts";

/** What an element holds: text, several elements of the same name, or child elements; undefined is left out. */
export type XmlNode = string | number | boolean | readonly XmlNode[] | { readonly [name: string]: XmlNode | undefined };

const namespace = "http://s3.amazonaws.com/doc/2006-03-01/";
const entities: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };

/** Renders an XML document with one root element; all text is escaped. */
export function renderXml(root: string, content: XmlNode): string {
  const body = renderElement(root, content).replace(`<${root}>`, `<${root} xmlns="${namespace}">`);
  return `<?xml version="1.0" encoding="UTF-8"?>\n${body}`;
}

/** Renders S3's error document, which unlike all the others has no namespace. */
export function renderErrorXml(content: XmlNode): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${renderElement("Error", content)}`;
}

function renderElement(name: string, node: XmlNode): string {
  if (typeof node !== "object") {
    return `<${name}>${escapeText(String(node))}</${name}>`;
  }
  if (isList(node)) {
    return node.map((item) => renderElement(name, item)).join("");
  }
  const children = Object.entries(node).map(([child, content]) =>
    content === undefined ? "" : renderElement(child, content),
  );
  return `<${name}>${children.join("")}</${name}>`;
}

function isList(node: XmlNode): node is readonly XmlNode[] {
  return Array.isArray(node);
}

function escapeText(text: string): string {
  return text.replace(/[<>&"'\r\n]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** Returns the inner XML of every element of that name, in the order of the document. */
export function xmlElements(xml: string, name: string): string[] {
  const pattern = new RegExp(`<${name}(?:\\s[^>]*)?>([\\s\\S]*?)</${name}>`, "g");
  return [...xml.matchAll(pattern)].map((match) => match[1] ?? "");
}

/** Returns the text of the first element of that name; throws MalformedXML when there is none. */
export function xmlText(xml: string, name: string): string {
  const text = xmlElements(xml, name)[0];
  if (text === undefined) {
    throw new S3Error("MalformedXML");
  }
  return text.replace(/&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(\w+));/gi, decodeReference).toWellFormed();
}

function decodeReference(reference: string, hexadecimal?: string, decimal?: string, entity?: string): string {
  if (entity !== undefined) {
    return entities[entity] ?? reference;
  }
  const codePoint = hexadecimal === undefined ? Number(decimal) : Number.parseInt(hexadecimal, 16);
  if (codePoint > 0x10ffff) {
    throw new S3Error("MalformedXML");
  }
  return String.fromCodePoint(codePoint);
}
