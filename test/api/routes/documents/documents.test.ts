import { createHash, randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { DocumentBody } from "../../../../src/api/views/document.ts";
import { documents } from "../../../../src/db/dao/documents/documents.ts";
import { businessDay, formatDay } from "../../../../src/services/business-day.ts";
import { publicPriceList } from "../../../../src/services/documents/kinds/index.ts";
import { type Answer, apiKey, call, objectKeys, useApi, userIds, useWorker } from "../../../support/api.ts";
import { addOffer, addOrder, addWaybill } from "../../../support/goods.ts";
import { readDocx, readXlsx } from "../../../support/office.ts";
import { readPdf } from "../../../support/pdf.ts";
import { addUser } from "../../../support/users.ts";

const lines = async () => [
  { offer: (await addOffer(api.db, { product: { name: "Фильтр масляный" } })).offer, quantity: 2, priceRub: 717 },
  { offer: (await addOffer(api.db, { product: { name: "Свеча & <катушка>" } })).offer, quantity: 1, priceRub: 66 },
];
const api = useApi();
useWorker(api);

interface Sent extends Omit<Answer, "body"> {
  body: DocumentBody & { detail: unknown; items: DocumentBody[]; total: number; url: string };
}

async function send(
  path: string,
  { token = api.tokens.employee, body, headers = {}, redirect = "follow" }: SendOptions = {},
): Promise<Sent> {
  const init = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  const authorization: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
  const answer = await call(api.url + path, {
    ...init,
    redirect,
    headers: { "content-type": "application/json", ...authorization, ...headers },
  });
  return answer as unknown as Sent;
}

interface SendOptions {
  token?: string;
  body?: unknown;
  headers?: Record<string, string>;
  redirect?: "manual" | "follow";
}

async function download(id: string, token = api.tokens.employee) {
  const answer = await fetch(`${api.url}/documents/${id}/download`, { headers: { authorization: `Bearer ${token}` } });
  return { answer, bytes: Buffer.from(await answer.arrayBuffer()) };
}

/** As `GET /users/{user_id}/export` enters it for a user about whom much is stored. */
async function exportOf(userId: string, requestedBy: string, withGuestOrders: boolean) {
  const id = randomUUID();
  const row = { id, kind: "personal-data", format: "json", parameters: { userId, withGuestOrders } } as const;
  await documents.insert(api.db.manager, { ...row, requestedBy, fileName: "x.json", sourceHash: id });
  return id;
}

const addOwnOrder = async (userId: string | null = userIds.user) => addOrder(api.db, await lines(), { userId });

describe("POST /documents", () => {
  test("answers with the document when it is made", async () => {
    const { id } = await addOwnOrder();
    const { status, body, headers } = await send("/documents", {
      body: { kind: "order", format: "pdf", parameters: { id } },
    });
    expect(status).toBe(201);
    expect(headers.get("location")).toBe(`https://api.test/documents/${body.id}`);
    expect(body).toMatchObject({
      kind: "order",
      format: "pdf",
      parameters: { id },
      file_name: `Заказ ${id}.pdf`,
      content_type: "application/pdf",
      download_url: `https://api.test/documents/${body.id}/download`,
      public_url: null,
      job: { status: "succeeded", url: `https://api.test/jobs/${body.job?.id}` },
    });
    const { answer, bytes } = await download(body.id);
    expect(answer.status).toBe(200);
    expect(bytes.length).toBe(body.bytes);
    expect(createHash("sha256").update(bytes).digest("hex")).toBe(body.sha256);
    const [page = ""] = readPdf(bytes).pages;
    for (const text of [
      `Заказ № ${id}`,
      "Ковалёва Анна",
      "Фильтр масляный",
      "Свеча & <катушка>",
      "1434 руб.",
      "1500 руб.",
    ])
      expect(page.replaceAll(/\s+/g, " ")).toContain(text);
  });

  test.each(["docx", "xlsx", "pdf"] as const)("makes a waybill as %s with the same total and words", async (format) => {
    const owner = { authorId: userIds.employee, customerId: userIds.user };
    const { id } = await addWaybill(api.db, await lines(), owner);
    const { status, body } = await send("/documents", { body: { kind: "waybill", format, parameters: { id } } });
    expect(status).toBe(201);
    const { bytes } = await download(body.id);
    const text = {
      docx: () => JSON.stringify(readDocx(bytes)),
      xlsx: () => JSON.stringify(readXlsx(bytes)),
      pdf: () => readPdf(bytes).pages.join(" ").replaceAll(/\s+/g, " "),
    }[format]();
    for (const part of [`Запись № ${id}`, "Test user", "Фильтр масляный", "Свеча & <катушка>", "Итого", "1500"])
      expect(text).toContain(part);
  });

  test("gives the document that is there as long as its data are the same, and another one when they are not", async () => {
    const { id } = await addOwnOrder();
    const body = { kind: "order", format: "docx", parameters: { id } };
    const [first, second] = [await send("/documents", { body }), await send("/documents", { body })];
    expect(second.body).toEqual(first.body);
    await api.db.query("UPDATE order_offers SET quantity = quantity + 1 WHERE order_id = $1", [id]);
    const third = await send("/documents", { body });
    expect(third.status).toBe(201);
    expect(third.body.id).not.toBe(first.body.id);
    expect(third.body.sha256).not.toBe(first.body.sha256);
  });

  test("makes the same bytes of the same data again, and stores them once", async () => {
    const { id } = await addOwnOrder();
    const body = { kind: "order", format: "docx", parameters: { id } };
    const first = await send("/documents", { body });
    // As if it had been made before hashes were kept.
    await api.db.query("UPDATE documents SET source_hash = NULL WHERE id = $1", [first.body.id]);
    const second = await send("/documents", { body });
    expect(second.body.id).not.toBe(first.body.id);
    expect(second.body.sha256).toBe(first.body.sha256);
    expect(await objectKeys(api.s3, `documents/${first.body.sha256}/`)).toEqual([
      `documents/${first.body.sha256}/order_${id}.docx`,
    ]);
  });

  test("answers at once when told so, and the job says when it is made", async () => {
    const { id } = await addOwnOrder();
    const { status, body, headers } = await send("/documents", {
      body: { kind: "order", format: "xlsx", parameters: { id } },
      headers: { prefer: "respond-async" },
    });
    expect(status).toBe(202);
    expect(headers.get("location")).toBe(body.job?.url);
    expect(body).toMatchObject({ download_url: null, bytes: null, ready_at: null });
    await expect
      .poll(async () => (await send(`/documents/${body.id}`)).body.ready_at, { timeout: 10_000 })
      .toBeTruthy();
    expect((await send(`/jobs/${body.job?.id}`)).status).toBe(200);
  });

  test("does a repeated request once", async () => {
    const { id } = await addOwnOrder();
    const headers = { "idempotency-key": randomUUID() };
    const body = { kind: "order", format: "docx", parameters: { id } };
    const first = await send("/documents", { body, headers });
    const second = await send("/documents", { body, headers });
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.body).toEqual(first.body);
    expect(second.headers.get("idempotency-replayed")).toBe("true");
  });

  test("gives customers their own orders and waybills, and nothing else", async () => {
    const token = api.tokens.user;
    const own = await addOwnOrder();
    const foreign = await addOwnOrder(userIds.employee);
    const guests = await addOwnOrder(null);
    const order = (id: string) =>
      send("/documents", { token, body: { kind: "order", format: "pdf", parameters: { id } } });
    expect((await order(own.id)).status).toBe(201);
    const unknown = await order(randomUUID());
    for (const { id } of [foreign, guests]) {
      const { status, body } = await order(id);
      expect({ status, detail: body.detail }).toEqual({ status: 404, detail: "Order not found" });
    }
    expect(unknown.body.detail).toBe("Order not found");

    const waybillOf = async (authorId: string, customerId: string) => {
      const { id } = await addWaybill(api.db, await lines(), { authorId, customerId });
      return send("/documents", { token, body: { kind: "waybill", format: "docx", parameters: { id } } });
    };
    expect((await waybillOf(userIds.employee, userIds.user)).status).toBe(201);
    expect((await waybillOf(userIds.employee, userIds.admin)).status).toBe(404);

    const list = { kind: "price-list", format: "csv", parameters: { type: "retail" } };
    expect((await send("/documents", { token, body: list })).status).toBe(403);
  });

  test.each([
    ["no kind", { format: "pdf", parameters: { id: randomUUID() } }],
    ["an unknown kind", { kind: "contract", format: "pdf", parameters: { id: randomUUID() } }],
    ["a format of another kind", { kind: "order", format: "csv", parameters: { id: randomUUID() } }],
    ["no id", { kind: "order", format: "pdf", parameters: {} }],
    ["an object as an id", { kind: "order", format: "pdf", parameters: { id: { formula: "1+1" } } }],
    ["a list type that is none", { kind: "price-list", format: "xlsx", parameters: { type: "secret" } }],
    ["an empty body", {}],
  ])("refuses %s", async (_what, body) => {
    const { status, body: answer } = await send("/documents", { body });
    expect(status).toBe(422);
    expect(answer.detail).toEqual(expect.arrayContaining([expect.objectContaining({ loc: expect.any(Array) })]));
  });

  test("says which kinds there are to a caller who names none or another one", async () => {
    const [none, other] = [
      await send("/documents", { body: {} }),
      await send("/documents", { body: { kind: "deed" } }),
    ];
    expect(none.body.detail).toEqual([{ type: "missing", loc: ["body", "kind"], msg: "Field required", input: {} }]);
    const expected = expect.stringMatching(/^'order', 'invoice', .* or 'feed'$/);
    expect(other.body.detail).toMatchObject([
      { type: "enum", loc: ["body", "kind"], input: "deed", ctx: { expected } },
    ]);
  });

  test("needs a token, and an order that is there", async () => {
    const body = { kind: "order", format: "pdf", parameters: { id: randomUUID() } };
    expect((await send("/documents", { body, token: "" })).status).toBe(401);
    expect((await send("/documents", { body })).status).toBe(404);
  });
});

describe("GET /documents", () => {
  test("shows customers their own documents, and staff all", async () => {
    const { id } = await addOwnOrder();
    const body = { kind: "order", format: "docx", parameters: { id } };
    const own = await send("/documents", { body, token: api.tokens.user });
    const staffs = await send("/documents", { body });

    const shown = await send("/documents?size=500", { token: api.tokens.user });
    const ids = shown.body.items.map((one) => one.id);
    expect(ids).toContain(own.body.id);
    expect(ids).not.toContain(staffs.body.id);
    const all = (await send("/documents?size=500")).body.items.map((one) => one.id);
    expect(all).toEqual(expect.arrayContaining([own.body.id, staffs.body.id]));

    for (const path of [`/documents/${staffs.body.id}`, `/documents/${staffs.body.id}/download`]) {
      const foreign = await send(path, { token: api.tokens.user });
      const missing = await send(path.replace(staffs.body.id, randomUUID()), { token: api.tokens.user });
      expect([foreign.status, foreign.body.detail]).toEqual([404, missing.body.detail]);
    }
    expect((await send(`/documents/${own.body.id}`)).body).toEqual(own.body);
  });

  test("takes from who was staff what they ordered as such, and leaves them what is their own", async () => {
    const { id: own } = await addUser(api.db, { role: "ADMIN" });
    const token = await api.identity.token(own);
    const order = async (parameters: object, kind = "order") =>
      (await send("/documents", { token, body: { kind, format: "pdf", parameters } })).body.id;
    const theirs = await order({ id: (await addOwnOrder(own)).id });
    const waybillFor = async (customerId: string) => {
      const { id } = await addWaybill(api.db, await lines(), { authorId: userIds.employee, customerId });
      return order({ id }, "waybill");
    };
    const bought = await waybillFor(own);
    const others = [
      await order({ id: (await addOwnOrder()).id }),
      await waybillFor(userIds.user),
      await order({}, "stock-report"),
      await exportOf(userIds.user, own, true),
      await exportOf(own, own, true),
    ];
    const exported = await exportOf(own, own, false);
    const seen = async (id: string) => {
      const { status } = await send(`/documents/${id}`, { token });
      const { items, total } = (await send("/documents?size=500", { token })).body;
      expect(items, "as many as it says").toHaveLength(total);
      expect(
        items.some((one) => one.id === id),
        "listed, if it is shown",
      ).toBe(status === 200);
      return status;
    };
    for (const id of [theirs, bought, ...others, exported]) expect(await seen(id)).toBe(200);
    await api.db.query("UPDATE users SET role = 'USER' WHERE id = $1", [own]);
    expect(await Promise.all(others.map(seen))).toEqual([404, 404, 404, 404, 404]);
    for (const id of others) expect((await download(id, token)).answer.status).toBe(404);
    expect([await seen(theirs), await seen(bought), await seen(exported)]).toEqual([200, 200, 200]);
    await api.db.query("UPDATE users SET role = 'EMPLOYEE' WHERE id = $1", [own]);
    expect(await Promise.all(others.map(seen))).toEqual([200, 200, 200, 404, 404]);
  });

  test("leads to a file under a Cyrillic name, for five minutes", async () => {
    const { id } = await addOwnOrder();
    const { body } = await send("/documents", { body: { kind: "order", format: "docx", parameters: { id } } });
    const { status, headers } = await send(`/documents/${body.id}/download`, { redirect: "manual" });
    expect(status).toBe(302);
    expect(headers.get("cache-control")).toBe("no-store");
    const link = new URL(String(headers.get("location")));
    expect(link.href.startsWith(`${api.s3.publicUrl}/documents/${body.sha256}/`)).toBe(true);
    expect(link.searchParams.get("X-Amz-Expires")).toBe("300");
    const answer = await fetch(link);
    await answer.body?.cancel();
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      "content-type": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
      "content-disposition": `attachment; filename="order_${id}.docx"; filename*=UTF-8''%D0%97%D0%B0%D0%BA%D0%B0%D0%B7%20${id}.docx`,
      "content-length": String(body.bytes),
    });
    link.searchParams.set("response-content-disposition", "inline");
    expect((await fetch(link)).status).toBe(403);
  });

  test("says that a file is gone, and makes it again when it is ordered again", async () => {
    const { id } = await addOwnOrder();
    const body = { kind: "order", format: "docx", parameters: { id } };
    const first = await send("/documents", { body });
    await api.context.store.remove(`documents/${first.body.sha256}/order_${id}.docx`);
    const gone = await send(`/documents/${first.body.id}/download`, { redirect: "manual" });
    expect([gone.status, gone.body.detail]).toEqual([404, "The file has expired; order the document again"]);
    const second = await send("/documents", { body });
    expect((await download(second.body.id)).answer.status).toBe(200);
  });

  test("says that a document is not made yet", async () => {
    const { id } = await addOwnOrder();
    const row = {
      id: randomUUID(),
      kind: "order",
      format: "pdf",
      parameters: { id },
      fileName: "x",
      requestedBy: null,
      sourceHash: null,
    };
    await documents.insert(api.db.manager, row);
    expect((await send(`/documents/${row.id}/download`)).status).toBe(409);
  });

  test("leaves the bucket closed to a visitor who knows the key", async () => {
    const { id } = await addOwnOrder();
    const { body } = await send("/documents", { body: { kind: "order", format: "pdf", parameters: { id } } });
    const key = `documents/${body.sha256}/order_${id}.pdf`;
    expect(await objectKeys(api.s3, key)).toEqual([key]);
    expect((await fetch(`${api.s3.publicUrl}/${key}`)).status).toBe(403);
  });
});

describe("POST /documents/price", () => {
  const order = (headers: Record<string, string> = { "api-key": apiKey }) =>
    send("/documents/price", { body: {}, token: "", headers });

  test("publishes the wholesale list of today where the warehouse looks for it", async () => {
    await addOffer(api.db, {
      category: "Тормоза",
      subCategory: "Колодки",
      product: { name: "Колодки передние", bitrixId: "4711", crossNumber: "A1, B2" },
      offer: { brand: "TRW", manufacturerNumber: "GDB1583", priceRub: 100, superWholesalePriceRub: 51, quantity: 3 },
    });
    const { status, body } = await order();
    expect(status).toBe(200);
    const day = formatDay(businessDay(new Date()), "_");
    expect(body).toEqual({ url: `${api.s3.publicUrl}/tmp/price_list_${day}.xlsx` });

    const list = await fetch(body.url);
    expect(list.status).toBe(200);
    expect(list.headers.get("content-type")).toBe("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet");
    const rows = readXlsx(Buffer.from(await list.arrayBuffer()));
    const titles = ["bitrix_id", "Система", "Подсистема", "Название", "Бренд", "Номер производителя", "Кроссы"];
    expect(rows[0]).toEqual([...titles, "Цена", "Цена опт", "Цена супер-опт", "Остаток"]);
    expect(rows).toContainEqual([
      "4711",
      "Тормоза",
      "Колодки",
      "Колодки передние",
      "TRW",
      "GDB1583",
      "A1, B2",
      100,
      76,
      51,
      3,
    ]);
  });

  test("puts a newer list of the same day in its place", async () => {
    const { offer } = await addOffer(api.db, { product: { name: "Новинка дня" } });
    const { url } = (await order()).body;
    const names = async () => readXlsx(Buffer.from(await (await fetch(url)).arrayBuffer())).map((row) => row[3]);
    expect(await names()).toContain("Новинка дня");
    await api.db.query("UPDATE offers SET is_deleted = true WHERE id = $1", [offer.id]);
    await order();
    expect(await names()).not.toContain("Новинка дня");
  });

  test("leaves the list that is there when that has newer data", async () => {
    const { url } = (await order()).body;
    const bytes = async () => Buffer.from(await (await fetch(url)).arrayBuffer());
    const before = await bytes();
    await addOffer(api.db);
    const id = randomUUID();
    await api.db.query(
      `INSERT INTO documents (id, kind, format, parameters, file_name, object_key, ready_at)
       VALUES ($1, 'price-list', 'xlsx', $2, 'x', 'k', now() + interval '1 hour')`,
      [id, publicPriceList(businessDay(new Date())).parameters],
    );
    expect((await order()).status).toBe(200);
    expect(await bytes()).toEqual(before);
    await api.db.query("DELETE FROM documents WHERE id = $1", [id]);
    await addOffer(api.db);
    expect((await order()).status).toBe(200);
    expect(await bytes()).not.toEqual(before);
  });

  test("answers with the job when told not to wait", async () => {
    await addOffer(api.db);
    const { status, body, headers } = await order({ "api-key": apiKey, prefer: "respond-async" });
    expect(status).toBe(202);
    expect(headers.get("location")).toBe(body.url);
    expect(body).toMatchObject({ url: `https://api.test/jobs/${body.id}` });
  });

  test.each([
    [{}, "Not authenticated", "APIKey"],
    [{ "api-key": "wrong" }, "Invalid credentials", "Bearer"],
  ])("refuses %j", async (headers, detail, scheme) => {
    const answer = await order(headers as Record<string, string>);
    expect([answer.status, answer.body.detail]).toEqual([401, detail]);
    expect(answer.headers.get("www-authenticate")).toBe(scheme);
  });

  test("is no public door to the list of retail prices or of other days", async () => {
    await send("/documents", { body: { kind: "price-list", format: "xlsx", parameters: { type: "retail" } } });
    expect((await objectKeys(api.s3, "tmp/")).filter((key) => key.includes("retail"))).toEqual([]);
    expect((await fetch(`${api.s3.publicUrl}/?list-type=2&prefix=tmp/`)).status).toBe(403);
  });
});
