import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { writeDocx } from "../../../src/workers/documents/writers/docx.ts";
import { bytesOf, partsOf, readDocx } from "../../support/office.ts";
import { dangerous, layoutOf } from "../../support/printouts.ts";
import { elementsOf, type XmlElement } from "../../support/xml.ts";

const docxOf = (names: readonly string[]) => bytesOf(writeDocx(layoutOf(names)));

describe("a printed sheet as a Word document", () => {
  test("has its title, fields, lines and total", async () => {
    const { paragraphs, tables } = readDocx(await docxOf(["Фильтр", "Свеча"]));
    expect(paragraphs).toContain("Накладная № 1");
    expect(tables).toEqual([
      [
        ["ФИО", "Ковалёва Анна"],
        ["Город", ""],
      ],
      [
        ["#", "Категория", "Название", "Цена", "Сум."],
        ["1", "Двигатель", "Фильтр", "717 руб.", "717 руб."],
        ["2", "Двигатель", "Свеча", "717 руб.", "1434 руб."],
        ["Итого", "2151 руб."],
      ],
    ]);
  });

  test("repeats its header on every page and cuts no row in two", async () => {
    const document = partsOf(await docxOf(["Фильтр"]))["word/document.xml"] as XmlElement;
    const rows = elementsOf(elementsOf(document, "w:tbl")[1] as XmlElement, "w:tr");
    expect(rows.map((row) => elementsOf(row, "w:tblHeader").length)).toEqual([1, 0, 0]);
    expect(rows.map((row) => elementsOf(row, "w:cantSplit").length)).toEqual([1, 1, 1]);
  });

  test("is in Times New Roman, as it always was", async () => {
    const styles = partsOf(await docxOf([]))["word/styles.xml"] as XmlElement;
    expect(elementsOf(styles, "w:rFonts")[0]?.attributes["w:ascii"]).toBe("Times New Roman");
  });

  test.each([...dangerous, "<w:p/> & ]]>", "a\u0000\u0008b", "a\ud800b", "{{field}} MERGEFIELD"])(
    "shows %j as text",
    async (name) => {
      const file = await docxOf([name]);
      const document = partsOf(file)["word/document.xml"] as XmlElement;
      for (const field of ["w:fldSimple", "w:instrText", "w:hyperlink"])
        expect(elementsOf(document, field)).toEqual([]);
      const text = readDocx(file).tables[1]?.[1]?.[2];
      expect(text?.replaceAll(/\s/g, "")).toBe(name.replaceAll(/[\s\0\b]/g, "").toWellFormed());
    },
  );

  test("gives the same bytes later, and knows no time but that of the data", async () => {
    const first = await docxOf(["Фильтр"]);
    // The time in a zip has steps of two seconds.
    await sleep(2_100);
    expect(await docxOf(["Фильтр"])).toEqual(first);
    const core = partsOf(first)["docProps/core.xml"] as XmlElement;
    expect(elementsOf(core, "dcterms:modified")[0]?.children).toEqual(["2026-11-22T19:30:00.000Z"]);
  });
});
