import { inflateSync } from "node:zlib";

/** What one of our PDFs says, page by page: glyphs go back to text through the maps that the fonts in it carry. */
export function readPdf(file: Buffer): { pages: string[]; fonts: string[]; hasFontFiles: boolean } {
  const objects = objectsOf(file);
  const all = [...objects.values()];
  const object = (id: string | undefined) => objects.get(id ?? "");
  const resources = all.find(({ dictionary }) => /\/Font <<.*\/XObject/.test(dictionary))?.dictionary ?? "";
  const fonts = new Map<string, Map<string, string>>();
  for (const [, name = "", id] of resources.matchAll(/\/(F\d) (\d+) 0 R/g)) {
    const map = /\/ToUnicode (\d+) 0 R/.exec(object(id)?.dictionary ?? "")?.[1];
    fonts.set(name, glyphMap(streamOf(object(map))));
  }
  const count = textOf(streamOf(object(/\/Count (\d+) 0 R/.exec(resources)?.[1])), fonts, "");
  const pages = all.filter(({ dictionary }) => /\/Type \/Page\b/.test(dictionary));
  const types0 = all.filter(({ dictionary }) => dictionary.includes("/Subtype /Type0"));
  return {
    pages: pages.map(({ dictionary }) => {
      return textOf(streamOf(object(/\/Contents (\d+) 0 R/.exec(dictionary)?.[1])), fonts, count);
    }),
    fonts: types0.map(({ dictionary }) => /\/BaseFont \/(\S+)/.exec(dictionary)?.[1] ?? ""),
    hasFontFiles: all.some(({ dictionary }) => dictionary.includes("/FontFile2")),
  };
}

interface PdfObject {
  dictionary: string;
  stream: Buffer | undefined;
}

/** Found through the table at the end, as readers do: a wrong place in it throws. */
function objectsOf(file: Buffer) {
  const text = file.toString("latin1");
  const table = text.slice(Number(/startxref\n(\d+)\n%%EOF\n$/.exec(text)?.[1]));
  const objects = new Map<string, PdfObject>();
  for (const [, offset] of table.matchAll(/^(\d{10}) 00000 n $/gm)) {
    const at = Number(offset);
    const id = /^(\d+) 0 obj\n/.exec(text.slice(at, at + 20))?.[1];
    if (id !== String(objects.size + 1)) throw new Error(`Object ${objects.size + 1} is not at ${at}`);
    const start = at + `${id} 0 obj\n`.length;
    const stream = text.indexOf("\nstream\n", start);
    const end = text.indexOf("\nendobj\n", start);
    const dictionary = text.slice(start, stream >= 0 && stream < end ? stream : end);
    const length = /\/Length (\d+)/.exec(dictionary)?.[1];
    const from = stream + "\nstream\n".length;
    const isStream = length !== undefined && stream < end;
    objects.set(id, { dictionary, stream: isStream ? file.subarray(from, from + Number(length)) : undefined });
  }
  return objects;
}

function streamOf(object: PdfObject | undefined) {
  if (!object?.stream) return "";
  const isPacked = object.dictionary.includes("/FlateDecode");
  return (isPacked ? inflateSync(object.stream) : object.stream).toString("latin1");
}

/** From glyph numbers to text. */
function glyphMap(cmap: string) {
  return new Map(
    Array.from(cmap.matchAll(/^<([0-9a-f]{4})> <([0-9a-f]+)>$/gm), ([, glyph = "", hex = ""]) => {
      return [glyph, Buffer.from(hex, "hex").swap16().toString("utf16le")] as const;
    }),
  );
}

/** Its texts, a line each; that of the form which says how many pages there are goes on where it stands. */
function textOf(content: string, fonts: ReadonlyMap<string, ReadonlyMap<string, string>>, count: string) {
  let text = "";
  for (const [, font = "", hex = "", form] of content.matchAll(/\/(F\d) .*?<([0-9a-f]*)> Tj|\/(Count) Do/g)) {
    if (form) text += count;
    else {
      const glyphs = hex.match(/.{4}/g) ?? [];
      text += `${text && "\n"}${glyphs.map((glyph) => fonts.get(font)?.get(glyph) ?? "\ufffd").join("")}`;
    }
  }
  return text;
}
