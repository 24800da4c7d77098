import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { User } from "../../../../src/db/entities/accounts/user.ts";
import { Offer } from "../../../../src/db/entities/catalogue/offer.ts";
import { Order } from "../../../../src/db/entities/orders/order.ts";
import { type WaybillType, waybillTypes } from "../../../../src/db/entities/stock/waybill.ts";
import { businessDay } from "../../../../src/services/business-day.ts";
import type { Shop } from "../../../../src/services/documents/kinds/define-kind.ts";
import { type DocumentKind, documentKinds, sourceOf } from "../../../../src/services/documents/kinds/index.ts";
import { invoiceKind } from "../../../../src/services/documents/kinds/invoice.ts";
import type { Block, BlockOf, Layout } from "../../../../src/services/documents/kinds/layout.ts";
import { renderContent } from "../../../../src/workers/documents/render.ts";
import { useDatabase } from "../../../support/database.ts";
import { addOffer, addOrder, addWaybill } from "../../../support/goods.ts";
import { bytesOf, readCsv, readDocx, readXlsx } from "../../../support/office.ts";
import { addPayment } from "../../../support/orders.ts";
import { readPdf } from "../../../support/pdf.ts";
import { payee } from "../../../support/printouts.ts";
import { elementsOf, parseXml, textOf } from "../../../support/xml.ts";

const db = useDatabase();
const shop: Shop = { payee, publicUrl: (key) => `https://files.test/${key}` };
const day = "2026-11-22";
const ids = { author: randomUUID(), order: "", waybills: {} as Record<WaybillType, string> };

beforeAll(async () => {
  const { manager } = db;
  await manager.insert(User, { id: ids.author, email: "a@test.example", firstName: "Анна", lastName: "Ковалёва" });
  const brakes = { category: "Тормоза", subCategory: "Колодки", product: { name: "Колодки передние «Ёлка»" } };
  const { offer: pads } = await addOffer(db, { ...brakes, offer: { priceRub: 1_500, quantity: 3, sku: "A1-02" } });
  const { offer: filter } = await addOffer(db, {
    category: "Двигатель",
    product: { name: "Фильтр <масляный>" },
    offer: { priceRub: 717, superWholesalePriceRub: 573, quantity: 20 },
  });
  await addOffer(db, { category: "Двигатель", product: { name: "Продано всё" }, offer: { quantity: 0 } });
  const lines = [
    { offer: pads, quantity: 7, priceRub: 1_500 },
    { offer: filter, quantity: 2, priceRub: 717 },
  ];
  ids.order = (await addOrder(db, lines)).id;
  const owner = { authorId: ids.author, customerId: ids.author };
  for (const waybillType of waybillTypes)
    ids.waybills[waybillType] = (await addWaybill(db, lines, { ...owner, waybillType })).id;
  // The last one is of the next day by the shop's clock, 22:30 UTC.
  const commit = (id: string, at: string) =>
    db.query("UPDATE waybills SET is_pending = false, committed_at = $2, committed_by = $3 WHERE id = $1", [
      id,
      at,
      ids.author,
    ]);
  await commit(ids.waybills.WAYBILL_OUT, "2026-11-22T10:00:00Z");
  await commit(ids.waybills.WAYBILL_RETURN, "2026-11-22T11:00:00Z");
  const late = await addWaybill(db, lines, { ...owner, waybillType: "WAYBILL_OUT" });
  await commit(late.id, "2026-11-22T22:30:00Z");
});

async function contentOf(kind: DocumentKind) {
  const { content } = await sourceOf(db.manager, kind, shop);
  return content();
}

async function layoutOf(kind: DocumentKind) {
  return (await contentOf(kind)) as Layout;
}

function only<Type extends Block["type"]>({ blocks }: Layout, type: Type) {
  return blocks.filter((block): block is BlockOf<Type> => block.type === type);
}

async function rowsOf(layout: Layout) {
  const rows: (readonly (string | number)[])[] = [];
  for (const table of only(layout, "table")) for await (const row of table.rows) rows.push(row);
  return rows;
}

const parametersOf = (kind: DocumentKind["kind"]): object => {
  if (kind === "order" || kind === "invoice") return { id: ids.order };
  if (kind === "waybill") return { id: ids.waybills.WAYBILL_OUT };
  if (kind === "price-list") return { type: "wholesale", day };
  return kind === "sales-report" ? { from: day, to: day } : { day };
};
/** What is on a document of each kind whatever its format. */
const expected: Record<(typeof documentKinds)[number]["kind"], string[]> = {
  order: ["Ковалёва Анна", "Колодки передние «Ёлка»", "Фильтр <масляный>", "11934", "Одиннадцать тысяч девятьсот"],
  invoice: ["Колодки передние «Ёлка»", "11934", payee.account, payee.bank, "Одиннадцать тысяч девятьсот"],
  waybill: ["Ковалёва Анна", "Колодки передние «Ёлка»", "11934", "Отпустил"],
  "price-list": ["Тормоза", "Колодки передние «Ёлка»", "645", "573"],
  "stock-report": ["Тормоза", "A1-02", "18840", "Всего штук"],
  "sales-report": ["Колодки передние «Ёлка»", "11934", "Всего штук"],
  feed: ["Колодки передние «Ёлка»", "1500"],
};

describe("every kind in every format", () => {
  const all = documentKinds.flatMap(({ kind, formats }) => formats.map((format) => [kind, format] as const));

  test.each(all)("%s as %s says what is expected, and the same bytes twice", async (kind, format) => {
    const wanted = { kind, format, parameters: parametersOf(kind) } as DocumentKind;
    const make = async () => bytesOf(renderContent(await contentOf(wanted), format, () => undefined));
    const file = await make();
    expect(await make()).toEqual(file);
    const text = {
      pdf: () => readPdf(file).pages.join(" "),
      docx: () => JSON.stringify(readDocx(file)),
      xlsx: () => readXlsx(file).flat().join(" "),
      csv: () => readCsv(file).flat().join(" "),
      xml: () => textOf(parseXml(file.toString())),
    }[format]();
    // Digits in groups, names over several lines.
    const plain = (words: string) => words.replaceAll(/[\s\u00a0]+/g, "");
    for (const part of expected[kind]) expect(plain(text)).toContain(plain(part));
  });
});

describe("wholesale prices", () => {
  const wholesale = [573, 645];
  /** Every number in a table or a total, and every price of the feed. */
  async function numbersOf(kind: DocumentKind) {
    const content = await contentOf(kind);
    if ("text" in content) {
      const feed = parseXml((await bytesOf(renderContent(content, "xml", () => undefined))).toString());
      return elementsOf(feed, "price").map((price) => Number(textOf(price)));
    }
    const totals = only(content, "table").flatMap((table) => table.totals ?? []);
    return [...(await rowsOf(content)).flat(), ...totals.map(({ value }) => value)];
  }

  test.each(documentKinds.map(({ kind, formats: [format] }) => [kind, format] as const))(
    "are on no %s for retail customers",
    async (kind, format) => {
      const parameters = kind === "price-list" ? { type: "retail", day } : parametersOf(kind);
      const numbers = await numbersOf({ kind, format, parameters } as DocumentKind);
      expect(numbers).toEqual(expect.arrayContaining([kind === "sales-report" ? 1_434 : 717]));
      expect(numbers.filter((number) => wholesale.includes(Number(number)))).toEqual([]);
    },
  );

  test("are on the wholesale list", async () => {
    const list = { kind: "price-list", format: "csv", parameters: { type: "wholesale", day } } as const;
    expect(await numbersOf(list)).toEqual(expect.arrayContaining(wholesale));
  });
});

describe("an invoice", () => {
  const invoice = () => ({ kind: "invoice", format: "pdf", parameters: { id: ids.order } }) as const;

  test("has a code with the account, the sum and the order", async () => {
    const [code] = only(await layoutOf(invoice()), "code");
    expect(code?.text).toMatch(/^ST00012\|Name=ИП Иванов И\. И\.\|PersonalAcc=40802810700000012345\|/);
    expect(code?.text).toContain("|Sum=1193400");
    expect(code?.text).toMatch(new RegExp(`Оплата по счёту № .+, заказ № ${ids.order} от `));
  });

  test("asks for what is still due, and for nothing when it is paid or its order canceled", async () => {
    const { offer } = await addOffer(db, { offer: { quantity: 0 } });
    const { id } = await addOrder(db, [{ offer, quantity: 1, priceRub: 1_000 }]);
    const shown = async () => {
      const layout = await layoutOf({ ...invoice(), parameters: { id } });
      const sums = only(layout, "code").map(({ text }) => /\|Sum=(\d+)/.exec(text)?.[1]);
      return [sums, only(layout, "text").map(({ text }) => text)] as const;
    };
    const pay = (amountRub: number) => addPayment(db, { orderId: id, amountRub });
    expect((await shown())[0]).toEqual(["100000"]);
    await pay(300);
    expect(await shown()).toEqual([
      ["70000"],
      expect.arrayContaining([expect.stringMatching(/^К оплате: 700 руб\. \(Семьсот руб/)]),
    ]);
    await pay(700);
    expect(await shown()).toEqual([[], expect.arrayContaining(["Счёт оплачен полностью."])]);
    await db.manager.update(Order, { id }, { status: "CANCELED" });
    const back = expect.stringMatching(/^Заказ отменён, оплата не требуется\. К возврату покупателю: 1000 руб\.$/);
    expect(await shown()).toEqual([[], expect.arrayContaining([back])]);
  });

  test("asks for nothing that came back, and tells a guest what is due back", async () => {
    const { offer } = await addOffer(db, { offer: { quantity: 0 } });
    const lines = [{ offer, quantity: 2, priceRub: 500 }];
    const { id } = await addOrder(db, lines);
    const owner = { authorId: ids.author, customerId: ids.author };
    const delivery = await addWaybill(db, lines, { ...owner, orderId: id, waybillType: "WAYBILL_OUT" });
    const goods = [{ offer, quantity: 1, priceRub: 500 }];
    const back = await addWaybill(db, goods, { ...owner, returnOf: delivery.id, waybillType: "WAYBILL_RETURN" });
    await db.query("UPDATE waybills SET is_pending = false, committed_at = '2001-02-03' WHERE id = ANY($1)", [
      [delivery.id, back.id],
    ]);
    const shown = async () => {
      const layout = await layoutOf({ ...invoice(), parameters: { id } });
      const sums = only(layout, "code").map(({ text }) => /\|Sum=(\d+)/.exec(text)?.[1]);
      return [sums, only(layout, "text").map(({ text }) => text)] as const;
    };
    const returned = "Возвращено товаров на сумму: 500 руб.";
    expect(await shown()).toEqual([["50000"], expect.arrayContaining([returned])]);
    await addPayment(db, { orderId: id, amountRub: 1_000 });
    const due = ["Счёт оплачен полностью.", "К возврату покупателю: 500 руб."];
    expect(await shown()).toEqual([[], expect.arrayContaining([returned, ...due])]);
  });

  test("takes the next number of the year when it is first asked for, and keeps it", async () => {
    const { offer } = await addOffer(db, { offer: { quantity: 0 } });
    const numbers: string[] = [];
    for (const id of [
      (await addOrder(db, [{ offer, quantity: 1, priceRub: 10 }])).id,
      (await addOrder(db, [{ offer, quantity: 1, priceRub: 10 }])).id,
    ]) {
      for (let n = 0; n < 2; n++) {
        await db.transaction((tx) => invoiceKind.issue?.(tx, { id }) ?? Promise.resolve());
        numbers.push((await layoutOf({ ...invoice(), parameters: { id } })).title);
      }
    }
    const [first = ""] = numbers;
    const year = businessDay(new Date()).slice(0, 4);
    const next = `Счёт на оплату № ${year}-${Number(first.split("-")[1]) + 1}`;
    expect(numbers).toEqual([`Счёт на оплату № ${year}-${first.split("-")[1]}`, first, next, next]);
  });

  test("has none when there is nothing to pay", async () => {
    const { offer } = await addOffer(db, { offer: { priceRub: 0, superWholesalePriceRub: 0, quantity: 0 } });
    const { id } = await addOrder(db, [{ offer, quantity: 1, priceRub: 0 }]);
    expect(only(await layoutOf({ ...invoice(), parameters: { id } }), "code")).toEqual([]);
  });

  test("is refused where the settings do not say to whom it is paid, and another one when the account is another", async () => {
    await expect(sourceOf(db.manager, invoice(), { ...shop, payee: null })).rejects.toThrow("set PAYEE");
    const hashOf = async (one: Shop) => (await sourceOf(db.manager, invoice(), one)).hash;
    const moved = { ...shop, payee: { ...payee, account: "40802810700000054321" } };
    expect(await hashOf(moved)).not.toBe(await hashOf(shop));
    expect(await hashOf({ ...shop })).toBe(await hashOf(shop));
  });
});

describe("a waybill", () => {
  test.each([
    ["WAYBILL_OUT", "Расход", "проведена 22.11.2026", ["Отпустил", "Получил"]],
    ["WAYBILL_IN", "Приход", "не проведена", ["Сдал", "Принял на склад"]],
    ["WAYBILL_RETURN", "Возврат", "проведена 22.11.2026", ["Вернул", "Принял на склад"]],
  ] as const)("of the type %s says so, and who signs it", async (type, name, state, roles) => {
    const layout = await layoutOf({ kind: "waybill", format: "pdf", parameters: { id: ids.waybills[type] } });
    expect(only(layout, "text")[0]?.text).toMatch(new RegExp(`^${name}, от .*, ${state}$`));
    expect(only(layout, "signatures")[0]?.roles).toEqual(roles);
  });
});

describe("a stock report", () => {
  const report = { kind: "stock-report", format: "pdf", parameters: { day } } as const;

  test("has everything in stock at retail prices, sums by category and in all", async () => {
    const layout = await layoutOf(report);
    expect(await rowsOf(layout)).toEqual([
      [1, "Двигатель", "Фильтр <масляный>", "FORD", expect.any(String), "", 20, 717, 14_340],
      [2, "Тормоза", "Колодки передние «Ёлка»", "FORD", expect.any(String), "A1-02", 3, 1_500, 4_500],
    ]);
    expect(only(layout, "chart")[0]?.bars).toEqual([
      { label: "Двигатель", value: 14_340 },
      { label: "Тормоза", value: 4_500 },
    ]);
    expect(only(layout, "table")[0]?.totals?.map(({ value }) => value)).toEqual([23, 18_840]);
    expect(layout.rowCount).toBe(2);
  });

  test("is another one after a change that bears an older time", async () => {
    const hash = async () => (await sourceOf(db.manager, report, shop)).hash;
    const before = await hash();
    const { offer } = await addOffer(db, { category: "Поздняя", offer: { quantity: 1 } });
    // As a transaction would leave it that began before others which have committed since.
    await db.query("ALTER TABLE offers DISABLE TRIGGER USER");
    await db.query("UPDATE offers SET updated_at = '2020-01-01' WHERE id = $1", [offer.id]);
    await db.query("ALTER TABLE offers ENABLE TRIGGER USER");
    expect(await hash()).not.toBe(before);
    await db.manager.delete(Offer, offer.id);
  });
});

describe("a sales report", () => {
  const reportOf = (from: string, to: string) =>
    layoutOf({ kind: "sales-report", format: "pdf", parameters: { from, to } });

  test("counts the days by the shop's clock, and returns apart", async () => {
    const layout = await reportOf(day, day);
    expect(await rowsOf(layout)).toEqual([
      [1, "Тормоза", "Колодки передние «Ёлка»", "FORD", expect.any(String), 7, 10_500],
      [2, "Двигатель", "Фильтр <масляный>", "FORD", expect.any(String), 2, 1_434],
    ]);
    const values = only(layout, "fields")[0]?.fields.map(({ value }) => value.replaceAll("\u00a0", " "));
    expect(values).toEqual(["1", "9", "11 934 руб.", "11 934 руб.", "0 руб."]);
  });

  test("draws every day of a short period, and the months of a long one", async () => {
    const [days] = only(await reportOf("2026-11-21", "2026-11-24"), "chart");
    expect(days?.bars).toEqual([
      { label: "21.11", value: 0 },
      { label: "22.11", value: 11_934 },
      { label: "23.11", value: 11_934 },
      { label: "24.11", value: 0 },
    ]);
    const [months] = only(await reportOf("2026-01-01", "2026-12-31"), "chart");
    expect(months?.bars).toEqual([{ label: "11.2026", value: 23_868 }]);
  });
});
