import { subsetOf } from "./subset.ts";
import type { TrueType } from "./true-type.ts";

/** A font as one document uses it: which glyphs, and what they stand for. */
export class UsedFont {
  readonly font: TrueType;
  /** Glyphs by their numbers in the document; 0 stands for what the font does not have. */
  private readonly glyphs: number[] = [0];
  private readonly units: number[] = [0];
  /** As four hexadecimal digits, by UTF-16 unit. */
  private readonly codes: (string | undefined)[] = [];

  constructor(font: TrueType) {
    this.font = font;
  }

  /** How wide a text is at a size. */
  width(text: string, size: number): number {
    const { glyphs, widths, unitsPerEm } = this.font;
    let sum = 0;
    for (let n = 0; n < text.length; n++) sum += widths[glyphs[text.charCodeAt(n)] ?? 0] ?? 0;
    return (sum * size) / unitsPerEm;
  }

  /** A text as a string of the PDF; from then on its glyphs are in the file. */
  encode(text: string): string {
    let hex = "";
    for (let n = 0; n < text.length; n++) {
      const unit = text.charCodeAt(n);
      hex += this.codes[unit] ?? this.use(unit);
    }
    return `<${hex}>`;
  }

  private use(unit: number) {
    const glyph = this.font.glyphs[unit] ?? 0;
    const known = glyph === 0 ? 0 : this.glyphs.indexOf(glyph);
    const number = known < 0 ? this.glyphs.push(glyph) - 1 : known;
    if (known < 0) this.units.push(unit);
    const code = number.toString(16).padStart(4, "0");
    this.codes[unit] = code;
    return code;
  }

  /** The part of the font that is used, as a font file. */
  subset(): Buffer {
    return subsetOf(this.font, this.glyphs);
  }

  /** Widths of the used glyphs in thousandths of the size. */
  widths(): number[] {
    const { widths, unitsPerEm } = this.font;
    return this.glyphs.map((glyph) => Math.round(((widths[glyph] ?? 0) * 1_000) / unitsPerEm));
  }

  /** From glyphs back to text, for whoever searches or copies; at most 100 lines in a block (PDF 32000-1, 9.10.3). */
  toUnicode(): string {
    const hex = (number: number) => number.toString(16).padStart(4, "0");
    const lines = this.units.map((unit, n) => `<${hex(n)}> <${hex(unit)}>`).slice(1);
    const blocks: string[] = [];
    for (let n = 0; n < lines.length; n += 100) {
      const some = lines.slice(n, n + 100);
      blocks.push(`${some.length} beginbfchar\n${some.join("\n")}\nendbfchar`);
    }
    return `/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n1 begincodespacerange\n<0000> <ffff>\nendcodespacerange\n${blocks.join("\n")}\nendcmap\nCMapName currentdict /CMap defineresource pop\nend\nend`;
  }
}
