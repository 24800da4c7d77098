/** A TrueType font, as much of it as a PDF wants to know. */
export interface TrueType {
  name: string;
  unitsPerEm: number;
  ascent: number;
  descent: number;
  capHeight: number;
  box: readonly number[];
  /** Glyph of each UTF-16 unit; 0 where the font has none. */
  glyphs: Uint16Array;
  /** Width of each glyph, in units of the font. */
  widths: Uint16Array;
  table(tag: string): Buffer;
  /** The outline of a glyph without its hints. */
  outline(glyph: number): Buffer;
}

/** Reads a TrueType font; throws when it lacks a table that is needed. Letters beyond U+FFFF are not looked for. */
export function readTrueType(file: Buffer, name: string): TrueType {
  const tables = new Map<string, Buffer>();
  for (let n = 0; n < file.readUInt16BE(4); n++) {
    const at = 12 + 16 * n;
    const start = file.readUInt32BE(at + 8);
    tables.set(file.toString("latin1", at, at + 4), file.subarray(start, start + file.readUInt32BE(at + 12)));
  }
  const table = (tag: string) => {
    const found = tables.get(tag);
    if (!found) throw new Error(`The font '${name}' has no table '${tag}'`);
    return found;
  };
  const [head, hhea, os2] = [table("head"), table("hhea"), table("OS/2")];
  const outlines = new Map<number, Buffer>();
  return {
    name,
    unitsPerEm: head.readUInt16BE(18),
    ascent: hhea.readInt16BE(4),
    descent: hhea.readInt16BE(6),
    capHeight: os2.readUInt16BE(0) >= 2 ? os2.readInt16BE(88) : hhea.readInt16BE(4),
    box: [36, 38, 40, 42].map((at) => head.readInt16BE(at)),
    glyphs: readGlyphs(table("cmap")),
    widths: readWidths(table("hmtx"), hhea.readUInt16BE(34), table("maxp").readUInt16BE(4)),
    table,
    outline(glyph) {
      const known = outlines.get(glyph);
      if (known) return known;
      const outline = withoutHints(table("glyf").subarray(...placeOf(glyph, table("loca"), head.readInt16BE(50))));
      outlines.set(glyph, outline);
      return outline;
    },
  };
}

/** The map of the Basic Multilingual Plane (format 4), which every font has. */
function readGlyphs(cmap: Buffer): Uint16Array {
  const glyphs = new Uint16Array(0x1_0000);
  const starts = Array.from({ length: cmap.readUInt16BE(2) }, (_, n) => cmap.readUInt32BE(8 + 8 * n));
  const start = starts.find((at) => cmap.readUInt16BE(at) === 4);
  if (start === undefined) throw new Error("The font has no map of format 4");
  const map = cmap.subarray(start);
  const segments = map.readUInt16BE(6) / 2;
  for (let n = 0; n < segments; n++) {
    const [ends, begins, deltas, offsets] = [14, 16 + 2 * segments, 16 + 4 * segments, 16 + 6 * segments];
    const [end, begin, delta] = [ends, begins, deltas].map((at) => map.readUInt16BE(at + 2 * n)) as [
      number,
      number,
      number,
    ];
    const offset = map.readUInt16BE(offsets + 2 * n);
    for (let unit = begin; unit <= end && unit < 0xffff; unit++) {
      const glyph = offset === 0 ? unit : map.readUInt16BE(offsets + 2 * n + offset + 2 * (unit - begin));
      if (offset === 0 || glyph !== 0) glyphs[unit] = (glyph + delta) & 0xffff;
    }
  }
  return glyphs;
}

function readWidths(hmtx: Buffer, measured: number, count: number) {
  // Those at the end are all as wide as the last one that is measured.
  return Uint16Array.from({ length: count }, (_, n) => hmtx.readUInt16BE(4 * Math.min(n, measured - 1)));
}

function placeOf(glyph: number, loca: Buffer, isLong: number): [start: number, end: number] {
  if (isLong) return [loca.readUInt32BE(4 * glyph), loca.readUInt32BE(4 * glyph + 4)];
  return [2 * loca.readUInt16BE(2 * glyph), 2 * loca.readUInt16BE(2 * glyph + 2)];
}

/** Hints are programs that call others in tables which a subset does not have. */
function withoutHints(outline: Buffer): Buffer {
  if (outline.length === 0) return outline;
  const contours = outline.readInt16BE(0);
  if (contours < 0) return withoutProgram(outline);
  const at = 10 + 2 * contours;
  const none = Buffer.alloc(2);
  return Buffer.concat([outline.subarray(0, at), none, outline.subarray(at + 2 + outline.readUInt16BE(at))]);
}

const hasProgram = 0x100;

function withoutProgram(outline: Buffer): Buffer {
  const copy = Buffer.from(outline);
  const parts = partsOf(outline);
  for (const { at, flags } of parts) copy.writeUInt16BE(flags & ~hasProgram, at);
  return copy.subarray(0, parts.at(-1)?.end);
}

/** A part of a glyph that is put together: where it is named, and which glyph it is. */
export interface Part {
  at: number;
  end: number;
  flags: number;
  glyph: number;
}

/** The parts of a glyph that is put together of others; none of one that is not. */
export function partsOf(outline: Buffer): Part[] {
  const parts: Part[] = [];
  if (outline.length === 0 || outline.readInt16BE(0) >= 0) return parts;
  for (let at = 10; ; ) {
    const flags = outline.readUInt16BE(at);
    const end = at + 4 + (flags & 0x1 ? 4 : 2) + scaleBytes(flags);
    parts.push({ at, end, flags, glyph: outline.readUInt16BE(at + 2) });
    if (!(flags & 0x20)) return parts;
    at = end;
  }
}

function scaleBytes(flags: number) {
  if (flags & 0x8) return 2;
  if (flags & 0x40) return 4;
  return flags & 0x80 ? 8 : 0;
}
