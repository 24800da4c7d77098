import { crc32 } from "node:zlib";
import type { PdfFile, Ref } from "./file.ts";
import type { Face } from "./fonts.ts";

/** A font as one document uses it: which glyphs, and what they stand for. */
export class UsedFont {
  readonly face: Face;
  /** How the sheets call it. */
  readonly key: string;
  /** Glyphs of the font by their numbers in the document; a glyph has a number for each text that it stands for. */
  private readonly glyphs: number[] = [0];
  private readonly texts: string[] = [""];
  private readonly glyphWidths: number[];
  /** As four hexadecimal digits, by UTF-16 unit and by glyph, width and text. */
  private readonly unitCodes: (string | undefined)[] = [];
  private readonly codes = new Map<string, string>();

  constructor(face: Face, key: string) {
    this.face = face;
    this.key = key;
    this.glyphWidths = [face.widthOf(0)];
  }

  /** A text letter by letter as a string of the PDF, undefined where the font lacks one; its glyphs are in the file then. */
  encode(text: string): string | undefined {
    let hex = "";
    for (let n = 0; n < text.length; n++) {
      const unit = text.charCodeAt(n);
      const code = this.unitCodes[unit] ?? this.useUnit(unit);
      if (code === undefined) return undefined;
      hex += code;
    }
    return `<${hex}>`;
  }

  /** The digits of a glyph that stands for a text and is so wide; from then on it is in the file. */
  use(glyph: number, text: string, width: number): string {
    const id = `${glyph} ${width} ${text}`;
    const known = this.codes.get(id);
    if (known) return known;
    const code = this.add(glyph, text, width);
    this.codes.set(id, code);
    return code;
  }

  private add(glyph: number, text: string, width: number) {
    this.texts.push(text);
    this.glyphWidths.push(width);
    return hexOf(this.glyphs.push(glyph) - 1);
  }

  private useUnit(unit: number) {
    const glyph = this.face.glyphOf(unit);
    if (glyph === 0) return undefined;
    const code = this.add(glyph, String.fromCharCode(unit), this.face.widthOf(glyph));
    this.unitCodes[unit] = code;
    return code;
  }

  /** The part of the font that is used, as a font file. */
  subset(): Buffer {
    return this.face.cut(new Set(this.glyphs));
  }

  /** Widths of the used glyphs by their numbers in the document. */
  widths(): readonly number[] {
    return this.glyphWidths;
  }

  /** From numbers in the document to glyphs of the font, two bytes each. */
  glyphMap(): Buffer {
    const map = Buffer.alloc(2 * this.glyphs.length);
    for (const [n, glyph] of this.glyphs.entries()) map.writeUInt16BE(glyph, 2 * n);
    return map;
  }

  /** From glyphs back to text, to search and copy; at most 100 lines in a block (PDF 32000-1, 9.10.3). */
  toUnicode(): string {
    const lines = this.texts.flatMap((text, n) => (text === "" ? [] : `<${hexOf(n)}> <${utf16(text)}>`));
    const blocks: string[] = [];
    for (let n = 0; n < lines.length; n += 100) {
      const some = lines.slice(n, n + 100);
      blocks.push(`${some.length} beginbfchar\n${some.join("\n")}\nendbfchar`);
    }
    return `${mapHead}${blocks.join("\n")}${mapEnd}`;
  }
}

const mapHead =
  "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n/CMapName /T def\n/CMapType 2 def\n1 begincodespacerange\n<0000> <ffff>\nendcodespacerange\n";
const mapEnd = "\nendcmap\nend\nend";
const digits = Array.from({ length: 0x1_00 }, (_, n) => n.toString(16).padStart(2, "0"));

function hexOf(unit: number) {
  return `${digits[unit >> 8]}${digits[unit & 0xff]}`;
}

function utf16(text: string) {
  let hex = "";
  for (let n = 0; n < text.length; n++) hex += hexOf(text.charCodeAt(n));
  return hex;
}

/** Writes the part of a font that is used, with its widths and the way back to text. */
export function addFont(file: PdfFile, used: UsedFont): Ref {
  const { metrics } = used.face;
  const data = used.subset();
  const program = file.addStream(data, `/Length1 ${data.length}`);
  const glyphs = file.addStream(used.glyphMap());
  const map = file.addStream(used.toUnicode());
  const widths = used.widths();
  const name = `/${tagOf(`${used.key} ${widths}`)}+${used.face.name}`;
  const box = `/FontBBox [${metrics.box.join(" ")}]`;
  const heights = `/Ascent ${metrics.ascent} /Descent ${metrics.descent} /CapHeight ${metrics.ascent}`;
  const descriptor = file.add(
    `<< /Type /FontDescriptor /FontName ${name} /Flags 4 ${box} /ItalicAngle 0 ${heights} /StemV 80 /FontFile2 ${program} 0 R >>`,
  );
  const descendant = file.add(
    `<< /Type /Font /Subtype /CIDFontType2 /BaseFont ${name} /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> /FontDescriptor ${descriptor} 0 R /W [0 [${widths.join(" ")}]] /CIDToGIDMap ${glyphs} 0 R >>`,
  );
  return file.add(
    `<< /Type /Font /Subtype /Type0 /BaseFont ${name} /Encoding /Identity-H /DescendantFonts [${descendant} 0 R] /ToUnicode ${map} 0 R >>`,
  );
}

/** Six letters that tell one subset of a font from another (PDF 32000-1, 9.6.4). */
function tagOf(content: string) {
  let number = crc32(content) % 308_915_776;
  let tag = "";
  for (let n = 0; n < 6; n++) {
    tag += String.fromCharCode(65 + (number % 26));
    number = Math.floor(number / 26);
  }
  return tag;
}
