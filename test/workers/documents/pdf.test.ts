import { describe, expect, test } from "vitest";
import { writePdf } from "../../../src/workers/documents/writers/pdf.ts";
import { bytesOf } from "../../support/office.ts";
import { readPdf } from "../../support/pdf.ts";
import { layoutOf } from "../../support/printouts.ts";

const pdfOf = (names: readonly string[]) => bytesOf(writePdf(layoutOf(names)));
const long = "Амортизатор передний правый газомасляный, комплект с опорой и подшипником. ".repeat(4).trim();

describe("a printed sheet as a PDF", () => {
  test("has its title, fields, lines and total", async () => {
    const { pages } = readPdf(await pdfOf(["Фильтр", "Свеча"]));
    expect(pages).toHaveLength(1);
    const lines = ["Накладная № 1", "ФИО", "Ковалёва Анна", "Город", "—", "#", "Категория", "Название", "Цена", "Сум."];
    const first = ["1", "Двигатель", "Фильтр", "717 руб.", "717 руб."];
    const second = ["2", "Двигатель", "Свеча", "717 руб.", "1434 руб."];
    expect(pages[0]?.split("\n")).toEqual([...lines, ...first, ...second, "Итого", "2151 руб.", "Страница 1 из 1"]);
  });

  test("repeats its header and numbers its pages", async () => {
    const { pages } = readPdf(await pdfOf(Array.from({ length: 120 }, (_, n) => `Фильтр ${n}`)));
    expect(pages.length).toBeGreaterThan(2);
    for (const [n, page] of pages.entries()) {
      expect(page.match(/^Название$/gm)).toHaveLength(1);
      expect(page).toContain(`Страница ${n + 1} из ${pages.length}`);
    }
    expect(pages.at(-1)).toContain("Итого");
  });

  test("wraps long names, loses no word of them and cuts no row in two", async () => {
    const { pages } = readPdf(await pdfOf(Array.from({ length: 30 }, () => long)));
    const text = (page: string) => page.replaceAll(/\s+/g, " ");
    const rows = pages.map((page) => text(page).split("Амортизатор").length - 1);
    expect(rows.reduce((sum, count) => sum + count)).toBe(30 * 4);
    // Four times the word in each name: a row that was cut would leave another number on its page.
    expect(rows.every((count) => count % 4 === 0)).toBe(true);
    expect(text(pages[0] ?? "")).toContain(long);
  });

  test("carries the part of the font that it uses", async () => {
    const file = await pdfOf(["Фильтр"]);
    const { fonts, hasFontFiles } = readPdf(file);
    expect(fonts).toEqual([
      expect.stringMatching(/^[A-Z]{6}\+DejaVuSansCondensed$/),
      expect.stringMatching(/^[A-Z]{6}\+DejaVuSansCondensed-Bold$/),
    ]);
    expect(hasFontFiles).toBe(true);
    expect(file.length).toBeLessThan(20_000);
  });

  test("shows text that is no text to PDF", async () => {
    const { pages } = readPdf(await pdfOf(["(a) \\ ) Tj <</URI (http://x)>> endstream", "a\u0000b"]));
    expect(pages[0]?.replaceAll("\n", "")).toContain("(a) \\ ) Tj <</URI (http://x)>> endstream");
    expect(pages[0]).toContain("\nab\n");
  });

  test("gives the same bytes for the same data", async () => {
    const file = await pdfOf(["Фильтр", long]);
    expect(await pdfOf(["Фильтр", long])).toEqual(file);
    expect(file.toString("latin1").match(/\(D:\d+Z\)/g)).toEqual(["(D:20261122193000Z)", "(D:20261122193000Z)"]);
  });

  test("parts only a row that is taller than a page, and loses none of it", async () => {
    const { pages } = readPdf(await pdfOf([long.repeat(60), "Свеча"]));
    expect(pages.at(-1)).toContain("Свеча");
    const words = pages.join(" ").match(/подшипником/g);
    expect(words).toHaveLength(4 * 60);
  });
});
