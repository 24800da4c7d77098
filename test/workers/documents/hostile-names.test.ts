import { describe, expect, test } from "vitest";
import type { Layout } from "../../../src/services/documents/kinds/layout.ts";
import { writeDocx } from "../../../src/workers/documents/writers/docx.ts";
import { writePdf } from "../../../src/workers/documents/writers/pdf.ts";
import { readable } from "../../../src/workers/documents/writers/text.ts";
import { writeXlsx } from "../../../src/workers/documents/writers/xlsx.ts";
import { hostileNames } from "../../support/hostile-names.ts";
import { bytesOf, readDocx, readXlsx } from "../../support/office.ts";
import { layoutOf } from "../../support/printouts.ts";
import { pdfText, readers, useFolder } from "../../support/readers.ts";

const folder = useFolder();
const invisible = /\p{Default_Ignorable_Code_Point}|[\u202a-\u202e]/gu;
/** Readers differ in blanks, in marks that are not seen, and in the order of what runs from the right. */
const seen = (text: string) => text.normalize("NFD").replaceAll(invisible, "").replaceAll(/\s/g, "");

function sheetWith(name: string): Layout {
  const layout = layoutOf([name]);
  return { ...layout, blocks: [...layout.blocks, { type: "text", text: `Получатель ${name}, сумма 1200 руб.` }] };
}

describe.each(hostileNames)("a name with %s", (_what, name, read) => {
  const isTurned = /\p{Script=Arabic}/u.test(name);

  test("is read as it looks", () => {
    expect(readable(name)).toBe(read);
    expect(readable(read)).toBe(read);
  });

  test.runIf(readers.pdftotext)("changes nothing around it in a PDF (skipped without poppler)", async () => {
    const [path = ""] = await folder.put({ "sheet.pdf": await bytesOf(writePdf(sheetWith(name))) });
    const text = await pdfText(path, "layout");
    expect(seen(text)).toContain(seen("ФИО Ковалёва Анна"));
    expect(seen(text)).toContain(seen("717 руб."));
    // Poppler turns the words of a line with Arabic.
    const parts = isTurned ? ["Получатель", "сумма", "1200", "руб."] : [`Получатель ${read}, сумма 1200 руб.`];
    for (const part of parts) expect(seen(text)).toContain(seen(part));
  });

  test("stands in a Word document and in a workbook as it is read", async () => {
    const line = readDocx(await bytesOf(writeDocx(sheetWith(name)))).tables[1]?.[1];
    expect(line?.[2]?.replaceAll("\n", "")).toBe(read.replaceAll("\n", ""));
    expect(readXlsx(await bytesOf(writeXlsx(sheetWith(name)))).flat()).toContain(read);
  });
});
