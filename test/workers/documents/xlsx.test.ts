import { setImmediate } from "node:timers/promises";
import { strFromU8, unzipSync } from "fflate";
import { describe, expect, test } from "vitest";
import type { BlockOf, Cell } from "../../../src/services/documents/kinds/layout.ts";
import { writeXlsx } from "../../../src/workers/documents/writers/xlsx.ts";
import { bytesOf, partsOf, readXlsx } from "../../support/office.ts";
import { dangerous, layoutOf, listOf } from "../../support/printouts.ts";
import { elementsOf, type XmlElement } from "../../support/xml.ts";

const xlsxOf = (rows: Iterable<readonly Cell[]>) => bytesOf(writeXlsx(listOf(rows).layout));
const sheetOf = (file: Uint8Array) => strFromU8(unzipSync(file)["xl/worksheets/sheet1.xml"] ?? new Uint8Array());

describe("a list as a workbook", () => {
  test("holds every row, texts as texts and numbers as numbers", async () => {
    const rows = [
      ["Фильтр <масляный> & прокладка", 717],
      ["0012", 0],
      ["", 1_000_000],
    ];
    expect(readXlsx(await xlsxOf(rows))).toEqual([["Название", "Цена"], ...rows]);
  });

  test("keeps its first row in sight", async () => {
    const sheet = partsOf(await xlsxOf([["x", 1]]))["xl/worksheets/sheet1.xml"];
    const [pane] = sheet ? elementsOf(sheet, "pane") : [];
    expect(pane?.attributes).toMatchObject({ ySplit: "1", topLeftCell: "A2", state: "frozen" });
  });

  test("is named as it is titled", async () => {
    const workbook = partsOf(await xlsxOf([]))["xl/workbook.xml"];
    expect(workbook && elementsOf(workbook, "sheet")[0]?.attributes.name).toBe("Прайс-лист");
  });

  test.each(dangerous)("has %j as a text, never as a formula or a link", async (value) => {
    const file = await xlsxOf([[value, 1]]);
    const parts = partsOf(file);
    expect(
      Object.values(parts).flatMap((part) => [...elementsOf(part, "f"), ...elementsOf(part, "hyperlink")]),
    ).toEqual([]);
    expect(Object.keys(parts).filter((name) => /externalLink|sheet1\.xml\.rels/.test(name))).toEqual([]);
    expect(readXlsx(file)[1]?.[0]).toBe(value.replace("\r", ""));
  });

  test.each([{ formula: "1+1" }, { hyperlink: "file:///etc/passwd", text: "x" }, ["a"], true])(
    "refuses %j, should one slip through",
    async (value) => {
      await expect(xlsxOf([[value as unknown as Cell, 1]])).rejects.toThrow("A cell holds a text or a number, not");
    },
  );

  test.each([null, undefined, Number.NaN, Number.POSITIVE_INFINITY])("leaves the cell of %j out", async (value) => {
    const sheet = sheetOf(await xlsxOf([[value as unknown as Cell, 1]]));
    expect(sheet).toContain('<row r="2"><c r="B2"');
    expect(sheet).not.toMatch(/NaN|Infinity|null/);
  });

  test("removes what XML forbids and shortens what Excel refuses", async () => {
    const [, control, half, long] = readXlsx(
      await xlsxOf([
        ["a\u0000\u0001\u001fb\ufffe", 1],
        ["a\udc00b", 2],
        ["x".repeat(40_000), 3],
      ]),
    );
    expect(control?.[0]).toBe("ab");
    expect(half?.[0]).toBe("a\ufffdb");
    expect(String(long?.[0])).toHaveLength(32_767);
  });

  test("keeps Excel from reading _x0041_ as a letter", async () => {
    const file = await xlsxOf([["номер _x0041_", 1]]);
    expect(sheetOf(file)).toContain("номер _x005F_x0041_");
    expect(readXlsx(file)[1]?.[0]).toBe("номер _x0041_");
  });

  test("gives the same bytes for the same rows, whenever they come", async () => {
    // Several pieces of what is compressed at once.
    const rows = Array.from({ length: 20_000 }, (_, n) => [`Фильтр ${Math.sin(n)}`, n]);
    const { layout } = listOf([]);
    const table = layout.blocks[0] as BlockOf<"table">;
    async function* hesitant() {
      for (const [n, row] of rows.entries()) {
        if (n % 1_500 === 0) await setImmediate();
        yield row;
      }
    }
    const file = await bytesOf(writeXlsx({ ...layout, blocks: [{ ...table, rows }] }));
    const later = await bytesOf(writeXlsx({ ...layout, blocks: [{ ...table, rows: hesitant() }] }));
    expect(later.equals(file)).toBe(true);
    // Time and date of the first entry: midnight of 1 January 1980.
    expect(file.readUInt32LE(10)).toBe(0x0021_0000);
  });

  test("refuses more rows than Excel opens", async () => {
    const rows = function* (count: number) {
      for (let n = 0; n < count; n++) yield [];
    };
    const written = async (count: number) => {
      for await (const _ of writeXlsx(listOf(rows(count)).layout));
    };
    await written(1_048_575);
    await expect(written(1_048_576)).rejects.toThrow("A sheet holds 1048576 rows and this list has more");
  });

  test("frames also the cells of a printed sheet that are empty", async () => {
    const sheet = partsOf(await bytesOf(writeXlsx(layoutOf([""]))))["xl/worksheets/sheet1.xml"] as XmlElement;
    const cells = elementsOf(sheet, "row").flatMap((row) => elementsOf(row, "c"));
    const [empty] = cells.filter(({ children }) => children.length === 0);
    expect(empty?.attributes).toEqual({ r: "C6", s: "6" });
  });

  test("hands out what is ready before it asks for all rows", async () => {
    const rows = Array.from({ length: 20_000 }, (_, n) => [`Фильтр ${Math.sin(n)}`, n]);
    const { layout, state } = listOf(rows);
    const content = writeXlsx(layout)[Symbol.asyncIterator]();
    for (let bytes = 0; bytes < 50_000; ) bytes += ((await content.next()).value as Uint8Array).length;
    expect(state.pulled).toBeLessThan(10_000);
    await content.return?.(undefined);
  });
});

test("a printed sheet as a workbook has its title, fields, lines and total", async () => {
  const rows = readXlsx(await bytesOf(writeXlsx(layoutOf(["Фильтр", "Свеча"]))));
  expect(rows).toEqual([
    ["Накладная № 1"],
    ["", "ФИО", "Ковалёва Анна"],
    ["", "Город"],
    [],
    ["#", "Категория", "Название", "Цена", "Сум."],
    [1, "Двигатель", "Фильтр", 717, 717],
    [2, "Двигатель", "Свеча", 717, 1434],
    ["", "Итого", "", "", 2151],
  ]);
});
