import { inflateSync } from "node:zlib";

/** What a PDF of pdfkit says, page by page: glyphs go back to text through the maps that the fonts in it carry. */
export function readPdf(file: Buffer): { pages: string[]; fonts: string[]; hasFontFiles: boolean } {
  const objects = objectsOf(file);
  const all = [...objects.values()];
  const fontMaps = new Map<string, Map<string, string>>();
  for (const { dictionary } of all) {
    const map = /\/Type0[\s\S]*\/ToUnicode (\d+) 0 R/.exec(dictionary)?.[1];
    if (map) fontMaps.set(dictionary, glyphMap(streamOf(objects.get(map))));
  }
  const pages = all.filter(({ dictionary }) => /\/Type \/Page\b/.test(dictionary));
  return {
    pages: pages.map(({ dictionary }) => {
      const resources = objects.get(/\/Resources (\d+) 0 R/.exec(dictionary)?.[1] ?? "")?.dictionary ?? "";
      const named = Array.from(resources.matchAll(/\/(F\d+) (\d+) 0 R/g), ([, name = "", id = ""]) => {
        return [name, fontMaps.get(objects.get(id)?.dictionary ?? "")] as const;
      });
      const contents = objects.get(/\/Contents (\d+) 0 R/.exec(dictionary)?.[1] ?? "");
      return textOf(streamOf(contents), new Map(named));
    }),
    fonts: [...fontMaps.keys()].map((font) => /\/BaseFont \/(\S+)/.exec(font)?.[1] ?? ""),
    hasFontFiles: all.some(({ dictionary }) => dictionary.includes("/FontFile2")),
  };
}

interface PdfObject {
  dictionary: string;
  stream: Buffer | undefined;
}

function objectsOf(file: Buffer) {
  const text = file.toString("latin1");
  const objects = new Map<string, PdfObject>();
  for (const found of text.matchAll(/(?:^|\n)(\d+) 0 obj\n([\s\S]*?)\nendobj/g)) {
    const [, id = "", body = ""] = found;
    const at = body.indexOf("stream\n");
    const isStream = at >= 0 && body.endsWith("endstream");
    const stream = isStream ? Buffer.from(body.slice(at + 7, body.lastIndexOf("\nendstream")), "latin1") : undefined;
    objects.set(id, { dictionary: isStream ? body.slice(0, at) : body, stream });
  }
  return objects;
}

function streamOf(object: PdfObject | undefined) {
  if (!object?.stream) return "";
  const isDeflated = object.dictionary.includes("/FlateDecode");
  return (isDeflated ? inflateSync(object.stream) : object.stream).toString("latin1");
}

/** From glyph numbers to text; pdfkit writes ranges that count from 0 on. */
function glyphMap(cmap: string) {
  const map = new Map<string, string>();
  for (const [, from = "", , list = ""] of cmap.matchAll(/<([0-9a-f]{4})> <([0-9a-f]{4})> \[([^\]]*)\]/gi)) {
    const texts = Array.from(list.matchAll(/<([0-9a-f ]+)>/gi), ([, hex = ""]) => hex.replaceAll(" ", ""));
    for (const [n, hex] of texts.entries()) {
      const glyph = (Number.parseInt(from, 16) + n).toString(16).padStart(4, "0");
      map.set(glyph, Buffer.from(hex, "hex").swap16().toString("utf16le"));
    }
  }
  return map;
}

function textOf(content: string, fonts: ReadonlyMap<string, ReadonlyMap<string, string> | undefined>) {
  let font: ReadonlyMap<string, string> | undefined;
  const lines: string[] = [];
  for (const [, name, shown = ""] of content.matchAll(/\/(F\d+) [\d.]+ Tf|\[(.*?)\] TJ/g)) {
    if (name) font = fonts.get(name);
    else {
      const glyphs = Array.from(shown.matchAll(/<([0-9a-f]+)>/gi), ([, hex = ""]) => hex.match(/.{4}/g) ?? []).flat();
      lines.push(glyphs.map((glyph) => font?.get(glyph.toLowerCase()) ?? "\ufffd").join(""));
    }
  }
  return lines.join("\n");
}
