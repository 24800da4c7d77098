import { pdfText } from "./file.ts";
import type { Face, Fonts, Weight } from "./fonts.ts";
import { type Glyph, type Run, shape } from "./shape.ts";
import type { UsedFont } from "./used-font.ts";

/** Lines of which it is remembered how they look; most are measured first and drawn then. */
const maxLines = 200;

/** One weight of the letters of a document: a plain line is drawn letter by letter, others are shaped first. */
export class TypeCase {
  private readonly fonts: Fonts;
  private readonly weight: Weight;
  private readonly widths: Float32Array;
  private readonly perEm: number;
  private readonly use: (face: Face) => UsedFont;
  private readonly main: UsedFont;
  private readonly shaped = new Map<string, Run[]>();

  constructor(fonts: Fonts, weight: Weight, use: (face: Face) => UsedFont) {
    this.fonts = fonts;
    this.weight = weight;
    this.widths = fonts.widths[weight];
    this.perEm = fonts.main[weight].unitsPerEm;
    this.use = use;
    this.main = use(fonts.main[weight]);
  }

  /** Whether each letter stands for itself, from left to right. */
  isPlain(text: string): boolean {
    return !Number.isNaN(this.sum(text));
  }

  /** How wide a line is at a size. */
  width(text: string, size: number): number {
    const sum = this.sum(text);
    if (!Number.isNaN(sum)) return (sum * size) / this.perEm;
    let shapedSum = 0;
    for (const { glyphs } of this.runs(text)) for (const { advance } of glyphs) shapedSum += advance;
    return (shapedSum * size) / 1_000;
  }

  /** A line as operators of a PDF, which begin where the pen is; from then on its glyphs are in the file. */
  show(text: string, size: number): string {
    const plain = this.main.encode(text);
    if (plain !== undefined) return `${this.main.key} ${size} Tf ${plain} Tj`;
    return this.runs(text)
      .map((run) => showRun(this.use(run.face), run, size))
      .join(" ");
  }

  private sum(text: string) {
    let sum = 0;
    for (let n = 0; n < text.length; n++) sum += this.widths[text.charCodeAt(n)] as number;
    return sum;
  }

  private runs(text: string) {
    const known = this.shaped.get(text);
    if (known) return known;
    if (this.shaped.size >= maxLines) this.shaped.clear();
    const runs = shape(this.fonts, text, this.weight);
    this.shaped.set(text, runs);
    return runs;
  }
}

function showRun(font: UsedFont, { glyphs }: Run, size: number) {
  const line = new ShapedLine(font, size);
  for (const [n, glyph] of glyphs.entries()) {
    const isPart = glyph.text === "";
    const hasParts = glyphs[n + 1]?.text === "";
    if (hasParts && !isPart) line.beginCluster(glyph.text);
    line.add(glyph);
    if (isPart && !hasParts) line.endCluster();
  }
  return line.end();
}

/** Glyphs where they belong, as operators of a PDF; numbers are thousandths of the size. */
class ShapedLine {
  private readonly font: UsedFont;
  private readonly size: number;
  private readonly operators: string[] = [];
  /** Glyphs and gaps that are not in an operator yet. */
  private parts = "";
  /** Where the next glyph belongs, and where it would be without a gap. */
  private pen = 0;
  private drawn = 0;
  private rise = 0;

  constructor(font: UsedFont, size: number) {
    this.font = font;
    this.size = size;
    this.operators.push(`${font.key} ${size} Tf`);
  }

  /** From here on glyphs stand for this text together: a reader would take those without text for a gap. */
  beginCluster(text: string) {
    this.flush();
    this.operators.push(`/Span << /ActualText ${pdfText(text)} >> BDC`);
  }

  endCluster() {
    this.flush();
    this.operators.push("EMC");
  }

  add({ id, text, advance, dx, dy, width = this.font.face.widthOf(id) }: Glyph) {
    this.riseTo(dy);
    this.moveTo(this.pen + dx);
    this.parts += `<${this.font.use(id, text, width)}>`;
    this.drawn += width;
    this.pen += advance;
  }

  end() {
    this.moveTo(this.pen);
    this.riseTo(0);
    this.flush();
    return this.operators.join(" ");
  }

  private moveTo(x: number) {
    const gap = tenths(this.drawn - x);
    if (gap !== 0) this.parts += gap;
    this.drawn -= gap;
  }

  private riseTo(y: number) {
    if (y === this.rise) return;
    this.flush();
    this.operators.push(`${tenths((y * this.size) / 1_000)} Ts`);
    this.rise = y;
  }

  private flush() {
    if (this.parts) this.operators.push(`[${this.parts}] TJ`);
    this.parts = "";
  }
}

function tenths(value: number) {
  return Math.round(value * 10) / 10;
}
