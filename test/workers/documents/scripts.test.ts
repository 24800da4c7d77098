import { beforeAll, describe, expect, test } from "vitest";
import { type Fonts, openFonts } from "../../../src/workers/documents/writers/pdf/fonts.ts";
import { shape } from "../../../src/workers/documents/writers/pdf/shape.ts";
import { writePdf } from "../../../src/workers/documents/writers/pdf.ts";
import { bytesOf } from "../../support/office.ts";
import { readPdf } from "../../support/pdf.ts";
import { layoutOf } from "../../support/printouts.ts";
import { pdfText, readers, useFolder } from "../../support/readers.ts";

const folder = useFolder();

/** What suppliers call their goods, and what is read back where it is not the same. */
const names: readonly (readonly [name: string, read?: string])[] = [
  ["فرامل أمامية فورد فوكس"],
  ["زيت الأداء العالي"],
  ["מסנן שמן"],
  ["汽车刹车片"],
  ["臺灣煞車來令片"],
  ["ブレーキパッド 車検対応"],
  ["브레이크 패드 앞"],
  ["हिन्दी ब्रेक पैड (आगे)"],
  ["ผ้าเบรกหน้า สำหรับ ฟอร์ด"],
  ["Φίλτρο λαδιού"],
  ["Արգելակ ֆիլտր"],
  ["სამუხრუჭე ხუნდი"],
  ["Тормозна колодка Ґанок ₴"],
  ["Bougie d'allumage œuvre Ĳ"],
  ["🚗"],
  ["Цена \u2067123 ABC\u2069", "Цена 123 ABC"],
  ["ко\u00adлод\u00adка", "колодка"],
  // Shown, they run from the right, and poppler reads from the left.
  ["فورد فوكس 3", "3 فورد فوكس"],
  ["מסנן שמן Ford", "Ford מסנן שמן"],
];
const squeezed = (text: string) => text.replaceAll(/[\u202a-\u202e]|\s/gu, "");
const pdfOf = (all: readonly string[]) => bytesOf(writePdf(layoutOf(all)));

describe("names in the scripts of the world", () => {
  let fonts: Fonts;
  beforeAll(async () => {
    fonts = await openFonts();
    for (const [name] of names) await fonts.load(name);
  });
  const glyphsOf = (name: string) => shape(fonts, name, "regular").flatMap(({ glyphs }) => glyphs);

  test.each(names.map(([name]) => name))("%s is printed without boxes", (name) => {
    expect(glyphsOf(name).map(({ id }) => id)).not.toContain(0);
  });

  test("Arabic letters hang together and stand from right to left", () => {
    const glyphs = glyphsOf("فورد");
    expect(glyphs.map(({ text }) => text).join("")).toBe("دروف");
    const [alone] = glyphsOf("ف");
    expect(glyphs.at(-1)?.id).not.toBe(alone?.id);
  });

  test("a vowel of Devanagari stands before the letter that it follows", () => {
    const [first, second] = glyphsOf("हि");
    expect([first?.text, second?.text]).toEqual(["हि", ""]);
    expect(second?.id).toBe(glyphsOf("ह")[0]?.id);
  });

  test.runIf(readers.pdftotext)("are read back by poppler (skipped where it is not installed)", async () => {
    const [path = ""] = await folder.put({ "names.pdf": await pdfOf(names.map(([name]) => name)) });
    const text = squeezed(await pdfText(path, "layout"));
    const missing = names.map(([name, read = name]) => read).filter((read) => !text.includes(squeezed(read)));
    expect(missing).toEqual([]);
  });

  test("bring along only the fonts that a document uses", async () => {
    const fontsIn = async (name: string) =>
      readPdf(await pdfOf([name])).fonts.map((font) => font.replace(/^\w+\+/, ""));
    const main = ["DejaVuSansCondensed", "DejaVuSansCondensed-Bold"];
    expect(await fontsIn("Свеча")).toEqual(main);
    expect(await fontsIn("ผ้าเบรก")).toEqual([...main, "NotoSansThai"]);
    expect(new Set(await fontsIn("汽车"))).toEqual(new Set([...main, "NotoSansSC"]));
  });

  test("give the same bytes whatever was printed before", async () => {
    const before = await pdfOf(["汽车刹车片", "فورد"]);
    await pdfOf(names.map(([name]) => name).reverse());
    expect(await pdfOf(["汽车刹车片", "فورد"])).toEqual(before);
  });

  test("a character that no font has is a box, and is read back all the same", async () => {
    expect(glyphsOf("\u{10348}").map(({ id, text }) => [id, text])).toEqual([[0, "\u{10348}"]]);
  });

  test.runIf(readers.pdftotext)("lose nothing when they are wrapped (skipped without poppler)", async () => {
    const long = [
      "汽车刹车片前轮刹车系统高性能陶瓷材料制动片，适用于福特福克斯三厢轿车，质量保证。",
      "ผ้าเบรกหน้าประสิทธิภาพสูงทำจากวัสดุเซรามิกสำหรับรถยนต์",
    ];
    const hyphenated = "высоко\u00adпроизводительная и долговечная гидро\u00adэлектро\u00adмагнитная";
    const [path = ""] = await folder.put({ "long.pdf": await pdfOf([...long, hyphenated]) });
    const text = await pdfText(path, "layout");
    const cells = text.replaceAll(/\d+ Двигатель|717 руб\.|\d* ?\d+ руб\.|\s/g, "");
    for (const name of long) expect(cells).toContain(name);
    expect(text).toMatch(/ гидро-.*\n\s+электромагнитная/);
  });
});
