import { partsOf, type TrueType } from "./true-type.ts";

/** A font file with these glyphs alone, numbered by their places in the list; the first one has to be glyph 0. */
export function subsetOf(font: TrueType, wanted: readonly number[]): Buffer {
  const { glyphs, placeOf } = withParts(font, wanted);
  const outlines = glyphs.map((glyph) => padded(renumbered(font.outline(glyph), placeOf)));
  const loca = Buffer.alloc(4 * (glyphs.length + 1));
  const metrics = Buffer.alloc(4 * glyphs.length);
  let offset = 0;
  for (const [n, glyph] of glyphs.entries()) {
    offset = loca.writeUInt32BE(offset, 4 * n) && offset + (outlines[n]?.length ?? 0);
    metrics.writeUInt16BE(font.widths[glyph] ?? 0, 4 * n);
    metrics.writeInt16BE(leftOf(font, glyph), 4 * n + 2);
  }
  loca.writeUInt32BE(offset, 4 * glyphs.length);
  const head = Buffer.from(font.table("head"));
  head.writeUInt32BE(0, 8);
  // Places of outlines are said in four bytes each.
  head.writeInt16BE(1, 50);
  const hhea = Buffer.from(font.table("hhea"));
  hhea.writeUInt16BE(glyphs.length, 34);
  const maxp = Buffer.from(font.table("maxp"));
  maxp.writeUInt16BE(glyphs.length, 4);
  return fontFile({ glyf: Buffer.concat(outlines), head, hhea, hmtx: metrics, loca, maxp });
}

/** Those that are put together bring their parts along, at the end of the list. */
function withParts(font: TrueType, wanted: readonly number[]) {
  const glyphs = [...wanted];
  const places = new Map(wanted.map((glyph, n) => [glyph, n]));
  for (const glyph of glyphs) {
    for (const part of partsOf(font.outline(glyph))) {
      if (places.has(part.glyph)) continue;
      places.set(part.glyph, glyphs.length);
      glyphs.push(part.glyph);
    }
  }
  return { glyphs, placeOf: (glyph: number) => places.get(glyph) ?? 0 };
}

function renumbered(outline: Buffer, placeOf: (glyph: number) => number) {
  const parts = partsOf(outline);
  if (parts.length === 0) return outline;
  const copy = Buffer.from(outline);
  for (const { at, glyph } of parts) copy.writeUInt16BE(placeOf(glyph), at + 2);
  return copy;
}

function leftOf(font: TrueType, glyph: number) {
  const hmtx = font.table("hmtx");
  const measured = font.table("hhea").readUInt16BE(34);
  return hmtx.readInt16BE(glyph < measured ? 4 * glyph + 2 : 4 * measured + 2 * (glyph - measured));
}

function fontFile(tables: Record<string, Buffer>): Buffer {
  const entries = Object.entries(tables);
  const header = Buffer.alloc(12 + 16 * entries.length);
  header.writeUInt32BE(0x0001_0000, 0);
  header.writeUInt16BE(entries.length, 4);
  const power = Math.floor(Math.log2(entries.length));
  for (const [n, value] of [16 * 2 ** power, power, 16 * (entries.length - 2 ** power)].entries())
    header.writeUInt16BE(value, 6 + 2 * n);
  let offset = header.length;
  const contents = entries.map(([tag, table], n) => {
    const at = 12 + 16 * n;
    const content = padded(table);
    header.write(tag, at, "latin1");
    header.writeUInt32BE(checksum(content), at + 4);
    header.writeUInt32BE(offset, at + 8);
    header.writeUInt32BE(table.length, at + 12);
    offset += content.length;
    return content;
  });
  return Buffer.concat([header, ...contents]);
}

/** Tables and outlines begin at multiples of four bytes. */
function padded(bytes: Buffer) {
  const missing = -bytes.length & 3;
  return missing === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(missing)]);
}

function checksum(bytes: Buffer) {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 4) sum = (sum + bytes.readUInt32BE(at)) >>> 0;
  return sum;
}
