import { createWriteStream } from "node:fs";
import { open, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DocumentKind, sourceOf } from "../../../src/services/documents/kinds/index.ts";
import type { Cell, Column, Layout } from "../../../src/services/documents/kinds/layout.ts";
import { type Bytes, renderContent } from "../../../src/workers/documents/render.ts";
import { writeDocx } from "../../../src/workers/documents/writers/docx.ts";
import { writePdf } from "../../../src/workers/documents/writers/pdf.ts";
import { writeXlsx } from "../../../src/workers/documents/writers/xlsx.ts";
import { docxOfPackage, pdfkitPdf } from "./references.ts";

/** Something that makes documents: `make` gives the bytes of one, `warmUp` makes a small one. */
export interface Contestant {
  make: () => Promise<number>;
  warmUp: () => Promise<unknown>;
  close: () => Promise<unknown>;
}

const nothing = async () => undefined;
const path = join(tmpdir(), `bench-document-${process.pid}`);

const titles = ["№", "Система", "Название", "Бренд", "Номер", "Кроссы", "Цена", "Опт", "Супер-опт", "Остаток"];
const columns = titles.map((title, n): Column => {
  return { title, kind: n === 0 || n === 9 ? "count" : n >= 6 ? "money" : "text", width: 16 };
});

/** Ten columns as a price list has them, no two rows alike. */
function* priceRows(count: number): Generator<Cell[]> {
  for (let n = 1; n <= count; n++) {
    const price = 100 + ((n * 7_919) % 90_000);
    const number = `${(n * 104_729) % 10_000_000}`;
    yield [
      n,
      `Система ${n % 40}`,
      `Фильтр масляный «Ёлка» ${n}`,
      `БРЕНД-${n % 300}`,
      number,
      `${number}A, ${number}B & ${number}C`,
      price,
      price - 10,
      price - 20,
      n % 50,
    ];
  }
}

const list = (count: number): Layout => ({
  title: "Прайс-лист",
  blocks: [{ type: "table", columns, rows: priceRows(count) }],
  changedAt: new Date(0),
});

/** One page. */
export const waybill: Layout = {
  title: "Накладная № 6f0d1c52-8a4b-4d1e-8f77-5b9c2a1e4d01",
  blocks: [
    { type: "text", text: "Расход, от 25.11.2026, не проведена", isStrong: true },
    {
      type: "fields",
      fields: [
        { label: "ФИО", value: "Ковалёва Анна" },
        { label: "Телефон", value: "+79780424666" },
        { label: "Город", value: "Севастополь" },
        { label: "Доставка", value: "Транспортная компания, CDEK" },
      ],
    },
    { type: "table", ...lines(20), totals: [{ label: "Итого", value: 150_570, kind: "money" }] },
    { type: "text", text: "Всего на сумму: Сто пятьдесят тысяч пятьсот семьдесят рублей 00 копеек", isStrong: true },
    { type: "signatures", roles: ["Отпустил", "Получил"] },
  ],
  changedAt: new Date(0),
};

function lines(count: number) {
  const shape: Column[] = [
    { title: "#", kind: "count", width: 6 },
    { title: "Категория", kind: "text", width: 16 },
    { title: "Название", kind: "text", width: 33 },
    { title: "Бренд", kind: "text", width: 13 },
    { title: "Номер", kind: "text", width: 17 },
    { title: "Цена", kind: "money", width: 14 },
    { title: "Кол-во", kind: "count", width: 10 },
    { title: "Сум.", kind: "money", width: 16 },
  ];
  const rows = Array.from({ length: count }, (_, n): Cell[] => {
    const name = n % 4 === 0 ? "Амортизатор передний правый газомасляный, комплект с опорой" : `Фильтр масляный ${n}`;
    return [n + 1, "Двигатель и ходовая", name, "FORD", `175${n}0`, 717, 2, 1434];
  });
  return { columns: shape, rows };
}

/** As the worker does it: to a file, piece by piece. */
async function toFile(content: Bytes) {
  const file = await open(path, "w");
  let bytes = 0;
  try {
    for await (const chunk of content) {
      bytes += chunk.length;
      await file.writeFile(chunk);
    }
  } finally {
    await file.close();
  }
  return bytes;
}

async function length(content: Bytes) {
  let bytes = 0;
  for await (const chunk of content) bytes += chunk.length;
  return bytes;
}

const unlink = () => rm(path, { force: true });
const listed = (count: number) => async () => ({
  make: () => toFile(writeXlsx(list(count))),
  warmUp: () => toFile(writeXlsx(list(100))),
  close: unlink,
});
const repeated = (make: () => Promise<number>) => async () => ({
  make,
  async warmUp() {
    for (let n = 0; n < 30; n++) await make();
  },
  close: nothing,
});

/** Streaming, with neither styles nor shared strings: its fastest. */
async function exceljsList(count: number) {
  const { default: exceljs } = await import("exceljs");
  const book = new exceljs.stream.xlsx.WorkbookWriter({
    stream: createWriteStream(path),
    useStyles: false,
    useSharedStrings: false,
    zip: { zlib: { level: 1 } },
  });
  const sheet = book.addWorksheet("Прайс-лист");
  sheet.columns = columns.map(({ title, width }) => ({ header: title, width }));
  for (const row of priceRows(count)) sheet.addRow(row).commit();
  sheet.commit();
  await book.commit();
  return (await stat(path)).size;
}

/** From the database of `DATABASE_URL`, in one transaction as the worker does it. */
const fromShop = (kind: DocumentKind) => async () => {
  const { createDataSource } = await import("../../../src/db/data-source.ts");
  const db = await createDataSource(String(process.env.DATABASE_URL), 2).initialize();
  const shop = { payee: null, publicUrl: (key: string) => `https://pictures.example/${key}` };
  const make = () =>
    db.transaction("REPEATABLE READ", async (tx) => {
      const { content } = await sourceOf(tx, kind, shop);
      return toFile(renderContent(await content(), kind.format, () => undefined));
    });
  return {
    make,
    warmUp: () => db.query("SELECT count(*) FROM offers"),
    async close() {
      await unlink();
      await db.destroy();
    },
  };
};

/** All that is measured, by name. */
export const contestants: Record<string, () => Promise<Contestant>> = {
  "xlsx-22700": fromShop({ kind: "price-list", format: "xlsx", parameters: { type: "wholesale", day: "2026-11-25" } }),
  "xlsx-100000": listed(100_000),
  "xlsx-400000": listed(400_000),
  "exceljs-100000": async () => ({
    make: () => exceljsList(100_000),
    warmUp: () => exceljsList(100),
    close: unlink,
  }),
  "pdf-first": async () => ({ make: () => length(writePdf(waybill)), warmUp: nothing, close: nothing }),
  "pdf-waybill": repeated(() => length(writePdf(waybill))),
  "docx-waybill": repeated(() => length(writeDocx(waybill))),
  "pdfkit-waybill": repeated(() => length(pdfkitPdf(waybill))),
  "docx-package-waybill": repeated(() => docxOfPackage(waybill)),
  "pdf-3000": async () => ({
    make: () => toFile(writePdf({ ...waybill, blocks: [{ type: "table", ...lines(3_000) }] })),
    warmUp: () => toFile(writePdf(waybill)),
    close: unlink,
  }),
  "pdf-22700": fromShop({ kind: "price-list", format: "pdf", parameters: { type: "wholesale", day: "2026-11-25" } }),
  feed: fromShop({ kind: "feed", format: "xml", parameters: {} }),
};
