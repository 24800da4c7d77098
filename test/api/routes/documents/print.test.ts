import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { businessDay } from "../../../../src/services/business-day.ts";
import { type TestApi, useApi, userIds, useWorker } from "../../../support/api.ts";
import { addOffer, addOrder, addWaybill } from "../../../support/goods.ts";
import { readCsv, readDocx, readXlsx } from "../../../support/office.ts";
import { readPdf } from "../../../support/pdf.ts";

async function get(api: TestApi, path: string, headers: Record<string, string> = {}) {
  const answer = await fetch(api.url + path, { headers });
  return { status: answer.status, headers: answer.headers, bytes: Buffer.from(await answer.arrayBuffer()) };
}

describe("printing from an allowed network", () => {
  const api = useApi({ printers: ["127.0.0.0/8"] });
  useWorker(api);
  const addLine = async () => [{ offer: (await addOffer(api.db)).offer, quantity: 2, priceRub: 717 }];

  test("gives an order as a Word document", async () => {
    const { id } = await addOrder(api.db, await addLine());
    const { status, headers, bytes } = await get(api, `/print/orders/${id}`);
    expect(status).toBe(200);
    expect(headers.get("content-type")).toBe("application/vnd.openxmlformats-officedocument.wordprocessingml.document");
    expect(headers.get("content-disposition")).toBe(
      `attachment; filename="order_${id}.docx"; filename*=UTF-8''order_${id}.docx`,
    );
    expect(readDocx(bytes).paragraphs).toContain(`Заказ № ${id}`);
  });

  test.each([
    ["", "docx", (bytes: Buffer) => readDocx(bytes).tables[1]?.at(-1)?.at(-1)],
    ["?format=docx", "docx", (bytes: Buffer) => readDocx(bytes).tables[1]?.at(-1)?.at(-1)],
    [
      "?format=xlsx",
      "xlsx",
      (bytes: Buffer) =>
        `${readXlsx(bytes)
          .find((row) => row[1] === "Итого")
          ?.at(-1)} руб.`,
    ],
    ["?format=pdf", "pdf", (bytes: Buffer) => /Итого\n(.*)/.exec(String(readPdf(bytes).pages[0]))?.[1]],
  ])("gives a waybill%s as %s", async (query, extension, totalOf) => {
    const owner = { authorId: userIds.employee, customerId: userIds.user };
    const { id } = await addWaybill(api.db, await addLine(), owner);
    const { status, headers, bytes } = await get(api, `/print/waybills/${id}${query}`);
    expect(status).toBe(200);
    expect(headers.get("content-disposition")).toContain(`waybill_${id}.${extension}`);
    expect(totalOf(bytes)).toBe("1434 руб.");
  });

  test("sends a waybill of an order to the customer who ordered", async () => {
    const line = await addLine();
    const order = await addOrder(api.db, line, { firstName: "Гость", lastName: "Дорогой" });
    const owner = { authorId: userIds.employee, customerId: userIds.employee, orderId: order.id };
    const { id } = await addWaybill(api.db, line, owner);
    const { bytes } = await get(api, `/print/waybills/${id}`);
    expect(readDocx(bytes).tables[0]).toEqual([
      ["ФИО", "Дорогой Гость"],
      ["Телефон", "+79780424666"],
      ["Город", "Севастополь"],
      ["Доставка", "Транспортная компания, CDEK"],
    ]);
  });

  test("prints what is true now, not what was printed before", async () => {
    const { id } = await addOrder(api.db, await addLine());
    const total = async () =>
      readDocx((await get(api, `/print/orders/${id}`)).bytes)
        .tables[1]?.at(-1)
        ?.at(-1);
    expect(await total()).toBe("1434 руб.");
    await api.db.query("UPDATE order_offers SET quantity = 3 WHERE order_id = $1", [id]);
    expect(await total()).toBe("2151 руб.");
  });

  test.each(["/print/prices", "/print/price"])(
    "%s gives the wholesale list, sorted and without what is deleted",
    async (path) => {
      const category = `Система ${path}`;
      const add = (name: string, more: { isDeleted?: boolean; brand?: string } = {}) =>
        addOffer(api.db, {
          category,
          subCategory: "Подсистема",
          product: { name, isDeleted: more.isDeleted ?? false },
          offer: { brand: more.brand ?? "FORD" },
        });
      await add("Б");
      await add("А", { brand: "ZF" });
      await add("А", { brand: "ATE" });
      await add("В", { isDeleted: true });
      const { status, headers, bytes } = await get(api, path);
      expect(status).toBe(200);
      expect(headers.get("content-disposition")).toContain('filename="priceList.xlsx"');
      const rows = readXlsx(bytes);
      expect(rows[0]).toContain("Цена супер-опт");
      expect(rows.filter((row) => row[1] === category).map((row) => [row[3], row[4]])).toEqual(
        expect.arrayContaining([
          ["А", "ATE"],
          ["А", "ZF"],
          ["Б", "FORD"],
        ]),
      );
      expect(rows.filter((row) => row[1] === category).map((row) => row[3])).toEqual(["А", "А", "Б"]);
    },
  );

  test.each(["xlsx", "csv"])("the retail list as %s has no wholesale price in it", async (ext) => {
    await addOffer(api.db, { offer: { priceRub: 70_717, superWholesalePriceRub: 50_573 } });
    const { bytes } = await get(api, `/print/prices?type=retail&ext=${ext}`);
    const rows = ext === "csv" ? readCsv(bytes) : readXlsx(bytes);
    expect(rows[0]).toHaveLength(9);
    const text = JSON.stringify(rows);
    expect(text).toContain("70717");
    for (const secret of ["50573", String((70_717 + 50_573) / 2), "опт"]) expect(text).not.toContain(secret);
  });

  test("the list as CSV says the same as the workbook", async () => {
    const [csv, xlsx] = [await get(api, "/print/prices?ext=csv"), await get(api, "/print/prices?ext=xlsx")];
    expect(csv.headers.get("content-type")).toBe("text/csv; charset=utf-8");
    const [titles = [], ...rows] = readXlsx(xlsx.bytes).map((row) => row.map(String));
    const told = titles.map((title) => title.replace(/^Номер .*/, "$& (открывать как текст)"));
    expect(readCsv(csv.bytes)).toEqual([told, ...rows]);
  });

  test.each([
    ["/print/waybills/:id?format=odt", 422],
    ["/print/prices?type=secret", 422],
    ["/print/prices?ext=pdf", 422],
    ["/print/orders/x", 422],
    ["/print/orders/:id", 404],
    ["/print/waybills/:id", 404],
  ])("answers %s with %d", async (path, status) => {
    const answer = await get(api, path.replace(":id", randomUUID()));
    expect(answer.status).toBe(status);
    expect(answer.headers.get("content-type")).toBe("application/json");
  });
});

describe("printing from elsewhere", () => {
  const api = useApi({ relay: false });

  test("needs a token of staff", async () => {
    const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
    const statusOf = async (headers: Record<string, string>) =>
      (await get(api, `/print/orders/${randomUUID()}`, headers)).status;
    expect(await statusOf({})).toBe(401);
    expect(await statusOf(bearer(api.tokens.user))).toBe(403);
    expect(await statusOf(bearer(api.tokens.employee))).toBe(404);
  });

  test("answers 202 with the job to a caller who does not want to wait", async () => {
    const headers = { authorization: `Bearer ${api.tokens.employee}` };
    const { status, headers: answered } = await get(api, "/print/prices", { ...headers, prefer: "wait=0" });
    expect(status).toBe(202);
    expect(answered.get("location")).toMatch(/^https:\/\/api\.test\/jobs\//);
  });

  test("names a list after the shop's day", async () => {
    const [{ parameters } = {}] = await api.db.query("SELECT parameters FROM documents");
    expect(parameters).toEqual({ type: "wholesale", day: businessDay(new Date()) });
  });
});
