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
