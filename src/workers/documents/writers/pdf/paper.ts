import type { Layout } from "../../../../services/documents/kinds/layout.ts";
import { readable } from "../text.ts";
import { PdfFile, pdfText, pdfTime, type Ref } from "./file.ts";
import type { Face, Fonts, Weight } from "./fonts.ts";
import { TypeCase } from "./type-case.ts";
import { addFont, UsedFont } from "./used-font.ts";

/** Points; A4. */
const [shortSide, longSide] = [595.28, 841.89];
export const margin = 36;
const footerHeight = 22;
const footerSize = 7.5;

export const colours = {
  text: "0.1 0.1 0.1",
  grey: "0.4 0.4 0.4",
  line: "0.65 0.65 0.65",
  header: "0.906 0.922 0.941",
  bar: "0.23 0.43 0.65",
  black: "0 0 0",
};

export interface Look {
  weight?: Weight;
  size: number;
  colour?: string;
}

/**
 * Sheets of A4, drawn on from top to bottom; x and y are points from the upper left corner. A sheet is written when the
 * next one begins, so no more than one is in memory; how many there are is written last, into a form all of them show.
 */
export class Paper {
  readonly width: number;
  readonly height: number;
  readonly fonts: Fonts;
  /** Where the next thing begins. */
  y = margin;
  private readonly file = new PdfFile();
  /** Fonts in the order of their use. */
  private readonly used = new Map<Face, UsedFont>();
  private readonly cases: Record<Weight, TypeCase>;
  private readonly refs: Record<"catalog" | "pages" | "resources" | "count" | "info", Ref>;
  private readonly sheets: Ref[] = [];
  private content = "";
  private readonly layout: Pick<Layout, "title" | "changedAt">;

  constructor(layout: Pick<Layout, "title" | "changedAt" | "orientation">, fonts: Fonts) {
    const isUpright = layout.orientation !== "landscape";
    [this.width, this.height] = isUpright ? [shortSide, longSide] : [longSide, shortSide];
    this.layout = layout;
    this.fonts = fonts;
    const use = (face: Face) => this.use(face);
    this.cases = { regular: new TypeCase(fonts, "regular", use), bold: new TypeCase(fonts, "bold", use) };
    const reserve = () => this.file.reserve();
    this.refs = {
      catalog: reserve(),
      pages: reserve(),
      resources: reserve(),
      count: reserve(),
      info: reserve(),
    };
  }

  /** Between the margins. */
  get inner(): number {
    return this.width - 2 * margin;
  }

  /** Where the last line of a sheet ends at most. */
  get bottom(): number {
    return this.height - margin - footerHeight;
  }

  font(weight: Weight = "regular"): TypeCase {
    return this.cases[weight];
  }

  /** Begins another sheet unless so much still fits on this one. */
  ensureCapacity(height: number): void {
    if (this.y + height > this.bottom && this.y > margin) this.turn();
  }

  /** Begins another sheet. */
  turn(): void {
    this.finishSheet();
    this.y = margin;
  }

  /** A line of text whose letters stand on y. */
  text(text: string, x: number, y: number, { weight = "regular", size, colour = colours.text }: Look): void {
    if (text === "") return;
    const at = `1 0 0 1 ${short(x)} ${short(this.height - y)} Tm`;
    this.content += `${colour} rg BT ${at} ${this.cases[weight].show(text, size)} ET\n`;
  }

  fill(x: number, y: number, width: number, height: number, colour: string): void {
    this.content += `${colour} rg ${this.box(x, y, width, height)} f\n`;
  }

  /** Many boxes of one colour: each x, y, width, height. */
  fillAll(boxes: readonly (readonly [number, number, number, number])[], colour: string): void {
    this.content += `${colour} rg ${boxes.map((box) => this.box(...box)).join(" ")} f\n`;
  }

  /** The frames of cells that stand side by side. */
  frames(x: number, y: number, widths: readonly number[], height: number): void {
    let left = x;
    let path = "";
    for (const width of widths) {
      path += `${this.box(left, y, width, height)} `;
      left += width;
    }
    this.content += `0.5 w ${colours.line} RG ${path}S\n`;
  }

  line(fromX: number, fromY: number, toX: number, toY: number): void {
    const [from, to] = [this.height - fromY, this.height - toY];
    this.content += `0.5 w ${colours.line} RG ${short(fromX)} ${short(from)} m ${short(toX)} ${short(to)} l S\n`;
  }

  /** What of the file is written and was not handed out yet. */
  take(): Buffer[] {
    return this.file.take();
  }

  /** Writes the last sheet and all that is known only now. */
  end(): void {
    this.finishSheet();
    const { file, refs, sheets } = this;
    const { title, changedAt } = this.layout;
    const count = `${colours.grey} rg BT ${this.font().show(String(sheets.length), footerSize)} ET`;
    const fonts = `/Font << ${[...this.used.values()].map((font) => `${font.key} ${addFont(file, font)} 0 R`).join(" ")} >>`;
    const form = `/Type /XObject /Subtype /Form /BBox [0 -3 60 10] /Resources << ${fonts} >>`;
    file.addStream(count, form, refs.count);
    file.add(`<< ${fonts} /XObject << /Count ${refs.count} 0 R >> >>`, refs.resources);
    const kids = sheets.map((ref) => `${ref} 0 R`).join(" ");
    file.add(`<< /Type /Pages /Count ${sheets.length} /Kids [${kids}] >>`, refs.pages);
    const dates = `/CreationDate ${pdfTime(changedAt)} /ModDate ${pdfTime(changedAt)}`;
    file.add(`<< /Title ${pdfText(readable(title))} ${dates} >>`, refs.info);
    const settings = "/Lang (ru-RU) /ViewerPreferences << /DisplayDocTitle true >>";
    file.add(`<< /Type /Catalog /Pages ${refs.pages} 0 R ${settings} >>`, refs.catalog);
    file.end(refs.catalog, refs.info);
  }

  private finishSheet() {
    const { file, refs, width, height } = this;
    const look = { size: footerSize, colour: colours.grey };
    const y = height - margin;
    const before = `Страница ${this.sheets.length + 1} из `;
    this.text(before, margin, y, look);
    const x = margin + this.font().width(before, footerSize);
    this.content += `q 1 0 0 1 ${short(x)} ${short(height - y)} cm /Count Do Q\n`;
    const contents = file.addStream(this.content);
    const size = `/MediaBox [0 0 ${width} ${height}]`;
    const links = `/Parent ${refs.pages} 0 R /Resources ${refs.resources} 0 R /Contents ${contents} 0 R`;
    this.sheets.push(file.add(`<< /Type /Page ${links} ${size} >>`));
    this.content = "";
  }

  private use(face: Face) {
    const known = this.used.get(face);
    if (known) return known;
    const font = new UsedFont(face, `/F${this.used.size + 1}`);
    this.used.set(face, font);
    return font;
  }

  private box(x: number, y: number, width: number, height: number) {
    return `${short(x)} ${short(this.height - y - height)} ${short(width)} ${short(height)} re`;
  }
}

/** Hundredths of a point are finer than any printer. */
function short(value: number) {
  return String(Math.round(value * 100) / 100);
}
