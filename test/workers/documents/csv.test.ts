import { expect, test } from "vitest";
import { writeCsv } from "../../../src/workers/documents/writers/csv.ts";
import { bytesOf, readCsv } from "../../support/office.ts";
import { dangerous, listOf } from "../../support/printouts.ts";

const csvOf = (rows: (string | number)[][]) => bytesOf(writeCsv(listOf(rows).layout));

test("begins with the mark of UTF-8 and ends every record with CRLF", async () => {
  const file = await csvOf([["Фильтр", 717]]);
  expect(file.toString("utf8")).toBe("\ufeffНазвание,Цена\r\nФильтр,717\r\n");
});

test("quotes what would break a record, and only that", async () => {
  const names = ['комплект "левый"', "шланг, 2 м", "две\nстроки", "a\r\nb", "просто", ""];
  const file = await csvOf(names.map((name) => [name, 1]));
  expect(readCsv(file).slice(1)).toEqual(names.map((name) => [name, "1"]));
  expect(file.toString("utf8")).toContain('"комплект ""левый""",1\r\n"шланг, 2 м",1');
  expect(file.toString("utf8")).toContain("\r\nпросто,1\r\n,1\r\n");
});

test.each(dangerous)("keeps %j text when a spreadsheet opens the file", async (value) => {
  const [, [name] = []] = readCsv(await csvOf([[value, 1]]));
  expect(name).toBe(`'${value}`);
});

test("drops U+0000 and half surrogate pairs before it looks for formulas", async () => {
  const [, first, second] = readCsv(
    await csvOf([
      ["\0=1+1", 1],
      ["a\ud800b", 2],
    ]),
  );
  expect(first).toEqual(["'=1+1", "1"]);
  expect(second).toEqual(["a\ufffdb", "2"]);
});

test("leaves numbers alone, also negative ones", async () => {
  expect(readCsv(await csvOf([["x", -5]]))[1]).toEqual(["x", "-5"]);
});

test("hands out what is ready before it asks for all rows", async () => {
  const rows = Array.from({ length: 20_000 }, (_, n) => [`Фильтр масляный номер ${n}`, n]);
  const { layout, state } = listOf(rows);
  const content = writeCsv(layout);
  await content.next();
  expect(state.pulled).toBeLessThan(3_000);
  await content.return(undefined);
});

test("a column says in CSV what a spreadsheet has to be told about it", async () => {
  const { layout } = listOf([["0986424797", 1]]);
  const blocks = layout.blocks.map((block) =>
    block.type === "table"
      ? { ...block, columns: block.columns.map((column, n) => (n === 0 ? { ...column, csvTitle: "as text" } : column)) }
      : block,
  );
  expect(readCsv(await bytesOf(writeCsv({ ...layout, blocks })))[0]?.[0]).toBe("as text");
});
