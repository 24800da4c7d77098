import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { Waybill } from "../../../../src/db/entities/stock/waybill.ts";
import { WaybillOffer } from "../../../../src/db/entities/stock/waybill-offer.ts";
import { useApi, userIds } from "../../../support/api.ts";
import { addOffer } from "../../../support/catalogue.ts";
import { countStatements } from "../../../support/count-statements.ts";
import { brokenRules } from "../../../support/invariants.ts";
import { addOrder } from "../../../support/orders.ts";
import { type Shown, send } from "../../../support/send.ts";
import { addUser } from "../../../support/users.ts";
import { addWaybill } from "../../../support/waybills.ts";

interface Page {
  items: Shown[];
  total: number;
  page: number;
  size: number;
  pages: number;
}

describe("waybills", () => {
  const api = useApi({ relay: false });
  const unknownId = "6a0b7e0e-3c1d-4f6a-9b0e-2d4c5e6f7a81";

  const list = async (query: string, path = "") => (await send<Page>(api, "GET", `${path}/waybills?${query}`)).body;
  const idsOf = async (query: string) => (await list(query)).items.map(({ id }) => id);
  const create = (body: object) =>
    send(api, "POST", "/waybills", { body: { waybill_type: "WAYBILL_OUT", is_pending: true, ...body } });
  const stored = (id: string) => api.db.manager.findOneBy(Waybill, { id });
  const linesOf = (waybillId: string) =>
    api.db.manager.find(WaybillOffer, { where: { waybillId }, order: { id: "ASC" } });
  const committed = async (values: Parameters<typeof addWaybill>[1] = {}) => {
    const waybill = await addWaybill(api.db, { waybillType: "WAYBILL_IN", ...values });
    expect((await send(api, "POST", `/waybills/${waybill.id}/commit`)).status).toBe(201);
    return waybill;
  };

  describe("access", () => {
    const routes = [
      ["GET", "/waybills"],
      ["GET", "/waybills/meta/count"],
      ["GET", `/waybills/${unknownId}/offers`],
      ["POST", "/waybills"],
      ["PATCH", `/waybills/${unknownId}`],
      ["POST", `/waybills/${unknownId}/commit`],
      ["DELETE", `/waybills/${unknownId}`],
      ["POST", `/waybills/${unknownId}/offers`],
      ["PATCH", `/waybill-offers/${unknownId}`],
      ["DELETE", `/waybill-offers/${unknownId}`],
    ] as const;

    test.each(routes)("%s %s is for staff", async (method, path) => {
      const body = method === "POST" || method === "PATCH" ? { quantity: "none" } : undefined;
      const anonymous = await send(api, method, path, { body, token: "" });
      expect([anonymous.status, anonymous.body.detail]).toEqual([401, "Missing Authorization header"]);
      const customer = await send(api, method, path, { body, token: api.tokens.user });
      expect([customer.status, customer.body.detail]).toEqual([403, "Access denied: role USER is not allowed."]);
    });

    test("no waybill is shown without a token", async () => {
      expect((await send(api, "GET", `/waybills/${unknownId}`, { token: "" })).status).toBe(401);
    });
  });

  describe("GET /waybills", () => {
    test("lists the newest first, the greater id first of those made at once, a page at a time", async () => {
      const customer = await addUser(api.db, { lastName: "Порядков" });
      const at = (minute: number) => new Date(Date.UTC(2026, 0, 15, 9, minute));
      const add = (minute: number) => addWaybill(api.db, { customerId: customer.id, createdAt: at(minute) });
      const [first, second, third] = [await add(1), await add(2), await add(2)];
      const order = [...[second.id, third.id].sort().reverse(), first.id];

      const all = await list("search_term=Порядков");
      expect(all).toMatchObject({ total: 3, page: 1, size: 300, pages: 1 });
      expect(all.items.map(({ id }) => id)).toEqual(order);
      const last = await list("search_term=Порядков&page=2&size=2");
      expect(last).toMatchObject({ total: 3, page: 2, size: 2, pages: 2, items: [{ id: order[2] }] });
      expect(await list("search_term=Порядков&page=9&size=2")).toMatchObject({
        items: [],
        total: 3,
        page: 9,
        pages: 2,
      });
    });

    test("filters by type and by being pending, as the warehouse sends it", async () => {
      const customer = await addUser(api.db, { lastName: "Фильтров" });
      const values = { customerId: customer.id };
      const out = await addWaybill(api.db, values);
      const back = await addWaybill(api.db, { ...values, waybillType: "WAYBILL_RETURN" });
      const done = await committed(values);
      const find = (query: string) => idsOf(`search_term=Фильтров&${query}`);
      expect((await find("")).sort()).toEqual([out.id, back.id, done.id].sort());
      expect(await find("waybill_type=WAYBILL_RETURN")).toEqual([back.id]);
      expect((await find("is_pending=true")).sort()).toEqual([out.id, back.id].sort());
      expect(await find("is_pending=No")).toEqual([done.id]);
      expect(await find("is_pending=1&waybill_type=WAYBILL_IN")).toEqual([]);
      expect(await find("order_by=name&status=NEW&waybill_type=WAYBILL_OUT")).toEqual([out.id]);
    });

    test("finds what is part of the note or of who author and customer are, whatever its case", async () => {
      const values = { phone: "+79785550101", firstName: "Аглая", lastName: "Щукина", email: "aglaya@find.example" };
      const person = await addUser(api.db, values);
      const asAuthor = await addWaybill(api.db, { authorId: person.id });
      const asCustomer = await addWaybill(api.db, { customerId: person.id });
      const noted = await addWaybill(api.db, { note: "Привезти Щукиной до обеда" });
      const both = [asAuthor.id, asCustomer.id].sort();
      expect((await idsOf("search_term=Аглая")).sort()).toEqual(both);
      expect((await idsOf("search_term=5550101")).sort()).toEqual(both);
      expect((await idsOf("search_term=AGLAYA@FIND")).sort()).toEqual(both);
      expect((await idsOf("search_term=щукин")).sort()).toEqual([...both, noted.id].sort());
      expect(await idsOf("search_term=до%20обеда")).toEqual([noted.id]);
      expect((await list("search_term=&size=1")).total).toBe(await api.db.manager.count(Waybill));
    });

    test("takes %, _ and backslashes for themselves", async () => {
      const percent = await addWaybill(api.db, { note: "скидка 10% или a_b" });
      await addWaybill(api.db, { note: "скидка 100 или aXb" });
      const slash = await addWaybill(api.db, { note: String.raw`полка C:\7` });
      expect(await idsOf(`search_term=${encodeURIComponent("10%")}`)).toEqual([percent.id]);
      expect(await idsOf("search_term=a_b")).toEqual([percent.id]);
      expect(await idsOf(`search_term=${encodeURIComponent(String.raw`C:\7`)}`)).toEqual([slash.id]);
      expect(await idsOf(`search_term=${encodeURIComponent("';--")}`)).toEqual([]);
    });

    test.each([
      ["waybill_type=waybill_in", "enum", "Input should be 'WAYBILL_IN', 'WAYBILL_OUT' or 'WAYBILL_RETURN'"],
      ["is_pending=maybe", "bool_parsing", "Input should be a valid boolean, unable to interpret input"],
      ["size=501", "less_than_equal", "Input should be less than or equal to 500"],
      ["page=0", "greater_than_equal", "Input should be greater than or equal to 1"],
      ["search_term=a%00b", "value_error", "Value error, the text has control characters in it"],
    ])("answers 422 to %s", async (query, type, msg) => {
      const { status, body } = await send(api, "GET", `/waybills?${query}`);
      expect(status).toBe(422);
      expect(body.detail).toMatchObject([{ type, msg, loc: ["query", query.split("=", 1)[0]] }]);
    });

    test("shows whole users, and OTHER as shipping method only to the warehouse", async () => {
      const customer = await addUser(api.db, { lastName: "Представлений", shippingMethod: "OTHER", clerkId: "user_1" });
      const order = await addOrder(api.db, { userId: customer.id });
      await addWaybill(api.db, { customerId: customer.id, orderId: order.id, note: "срочно" });
      const [[shop], [warehouse]] = [
        (await list("search_term=Представлений")).items,
        (await list("search_term=Представлений", "/warehouse")).items,
      ];
      expect(Object.keys(shop ?? {}).sort()).toEqual(
        [
          "author",
          "created_at",
          "customer",
          "customer_id",
          "id",
          "is_pending",
          "note",
          "order_id",
          "paper_number",
          "return_of",
          "updated_at",
        ].concat("waybill_type"),
      );
      expect(shop).toMatchObject({
        order_id: order.id,
        customer_id: customer.id,
        waybill_type: "WAYBILL_OUT",
        is_pending: true,
        note: "срочно",
        author: { id: userIds.employee, role: "EMPLOYEE", clerk_id: "", balance_rub: 0 },
        customer: { id: customer.id, clerk_id: "user_1", shipping_method: null },
      });
      expect(shop?.created_at).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
      expect(warehouse).toMatchObject({ customer: { shipping_method: "OTHER" } });
    });

    test("takes as many statements for twenty waybills as for one", async () => {
      const customer = await addUser(api.db, { lastName: "Счётный" });
      const add = () => addWaybill(api.db, { customerId: customer.id });
      await add();
      const count = () => countStatements(api.db, () => list("search_term=Счётный"));
      const one = await count();
      for (let n = 1; n < 20; n++) await add();
      expect((await list("search_term=Счётный")).items).toHaveLength(20);
      // Who asks, the page, and how many there are in all.
      expect([one, await count()]).toEqual([3, 3]);
    });
  });

  describe("GET /waybills/meta/count", () => {
    test("counts by type and by being pending", async () => {
      const count = async (query = "") =>
        (await send(api, "GET", `/waybills/meta/count?${query}`)).body.count as number;
      const keys = [
        "",
        "waybill_type=WAYBILL_RETURN",
        "is_pending=true",
        "waybill_type=WAYBILL_RETURN&is_pending=false",
      ];
      const before = await Promise.all(keys.map(count));
      await addWaybill(api.db, { waybillType: "WAYBILL_RETURN" });
      await committed({ waybillType: "WAYBILL_RETURN" });
      const after = await Promise.all(keys.map(count));
      expect(after.map((n, at) => n - (before[at] ?? 0))).toEqual([2, 2, 1, 1]);
      expect((await send(api, "GET", "/waybills/meta/count?waybill_type=OUT")).status).toBe(422);
    });
  });

  describe("GET /waybills/{id}", () => {
    test("is for author, customer and staff; for others there is no such waybill", async () => {
      const author = await addUser(api.db);
      const { id } = await addWaybill(api.db, { authorId: author.id });
      const ask = (token: string, path = `/waybills/${id}`) => send(api, "GET", path, { token });
      for (const token of [
        api.tokens.admin,
        api.tokens.employee,
        api.tokens.user,
        await api.identity.token(author.id),
      ]) {
        expect(await ask(token)).toMatchObject({ status: 200, body: { id, author: { id: author.id } } });
      }
      const stranger = await api.identity.token((await addUser(api.db)).id);
      const [foreign, missing] = [await ask(stranger), await ask(stranger, `/waybills/${unknownId}`)];
      expect([foreign.status, foreign.body.detail]).toEqual([404, "Waybill not found"]);
      expect({ ...foreign.body, request_id: "" }).toEqual({ ...missing.body, request_id: "" });
    });

    test("answers 404 to an unknown id and 422 to what is no id, for staff too", async () => {
      const missing = await send(api, "GET", `/waybills/${unknownId}`);
      expect([missing.status, missing.body.detail]).toEqual([404, "Waybill not found"]);
      const wrong = await send(api, "GET", "/waybills/42");
      expect(wrong.status).toBe(422);
      expect(wrong.body.detail).toMatchObject([{ type: "uuid_parsing", loc: ["path", "waybill_id"], input: "42" }]);
      const { id } = await addWaybill(api.db);
      expect((await send(api, "GET", `/waybills/${id.replaceAll("-", "").toUpperCase()}`)).body.id).toBe(id);
    });
  });

  describe("POST /waybills", () => {
    test("makes a pending waybill of the caller with lines in the order in which they were sent", async () => {
      const offers = await Promise.all([1, 2, 3].map((n) => addOffer(api.db, { brand: `Марка ${n}` })));
      const { status, body } = await create({
        customer_id: userIds.user,
        note: "  для сервиса\n",
        waybill_offers: offers.map(({ id }, at) => ({ offer_id: id, quantity: at + 1 })),
      });
      expect(status).toBe(201);
      expect(body).toMatchObject({
        author: { id: userIds.employee },
        customer: { id: userIds.user },
        customer_id: userIds.user,
        order_id: null,
        is_pending: true,
        note: "для сервиса",
      });
      const lines = await linesOf(body.id);
      expect(lines.map(({ offerId, brand, quantity, priceRub }) => [offerId, brand, quantity, priceRub])).toEqual(
        offers.map(({ id }, at) => [id, `Марка ${at + 1}`, at + 1, 1_000]),
      );
    });

    test.each([
      ["USER_RETAIL", 100],
      ["USER_WHOLESALE", 77],
      ["USER_SUPER_WHOLESALE", 53],
    ] as const)("prices lines for a customer who is %s, not for the author", async (customerType, priceRub) => {
      const customer = await addUser(api.db, { customerType });
      const offer = await addOffer(api.db, { priceRub: 100, superWholesalePriceRub: 53 });
      const { body } = await create({
        customer_id: customer.id,
        waybill_offers: [{ offer_id: offer.id, quantity: 1 }],
      });
      expect(await linesOf(body.id)).toMatchObject([{ priceRub }]);
    });

    test("takes the author for the customer when none is named, with the author's prices", async () => {
      await api.db.query("UPDATE users SET customer_type = 'USER_SUPER_WHOLESALE' WHERE id = $1", [userIds.admin]);
      const offer = await addOffer(api.db);
      const { body } = await send(api, "POST", "/waybills", {
        token: api.tokens.admin,
        body: {
          waybill_type: "WAYBILL_IN",
          is_pending: "yes",
          customer_id: null,
          order_id: null,
          waybill_offers: [{ offer_id: offer.id, quantity: "2" }],
        },
      });
      expect(body).toMatchObject({ customer_id: userIds.admin, author: { id: userIds.admin }, note: null });
      expect(await linesOf(body.id)).toMatchObject([{ priceRub: 700, quantity: 2 }]);
    });

    test("takes brand, number and price from the offer, and ignores what no client may set", async () => {
      const offer = await addOffer(api.db, { brand: "Ford", manufacturerNumber: "1234567" });
      const line = { offer_id: offer.id, quantity: 1, brand: "Lada", manufacturer_number: "X", price_rub: 1 };
      const { status, body } = await create({
        id: unknownId,
        author_id: userIds.admin,
        author: { id: userIds.admin },
        created_at: "2001-01-01T00:00:00Z",
        committed_at: "2001-01-01T00:00:00Z",
        total: 5,
        __proto__: { note: "x" },
        waybill_offers: [{ ...line, id: unknownId, waybill_id: unknownId, offer: { id: userIds.admin } }],
      });
      expect(status).toBe(201);
      expect(body.id).not.toBe(unknownId);
      expect(await stored(body.id)).toMatchObject({ authorId: userIds.employee, committedAt: null, note: null });
      expect((await stored(body.id))?.createdAt.getFullYear()).toBeGreaterThan(2020);
      const [only] = await linesOf(body.id);
      expect(only).toMatchObject({ brand: "Ford", manufacturerNumber: "1234567", priceRub: 1_000, waybillId: body.id });
      expect(only?.id).not.toBe(unknownId);
    });

    test("refuses to make a committed one, and says how to commit it", async () => {
      const before = await api.db.manager.count(Waybill);
      const { status, body } = await create({ is_pending: false });
      expect(status).toBe(422);
      expect(body.detail).toMatchObject([{ type: "value_error", loc: ["body", "is_pending"], input: false }]);
      expect(JSON.stringify(body.detail)).toContain("POST /waybills/{id}/commit");
      expect(await api.db.manager.count(Waybill)).toBe(before);
    });

    test("answers 404 to an unknown offer and stores nothing, not even the lines before it", async () => {
      const offer = await addOffer(api.db);
      const before = [await api.db.manager.count(Waybill), await api.db.manager.count(WaybillOffer)];
      const lines = [offer.id, unknownId].map((offer_id) => ({ offer_id, quantity: 1 }));
      const { status, body } = await create({ waybill_offers: lines });
      expect([status, body.detail]).toEqual([404, "Offer not found"]);
      expect([await api.db.manager.count(Waybill), await api.db.manager.count(WaybillOffer)]).toEqual(before);
    });

    test("answers 409 to an unknown customer or order and names it", async () => {
      for (const key of ["customer_id", "order_id"]) {
        const { status, body } = await create({ [key]: unknownId });
        expect(status).toBe(409);
        expect(body.detail).toContain(`'${unknownId}'`);
      }
    });

    test("takes what is left of its order, and answers 409 to more than that", async () => {
      const offer = await addOffer(api.db);
      const order = await addOrder(api.db, {
        userId: userIds.user,
        lines: [{ offerId: offer.id, quantity: 3, priceRub: 700 }],
      });
      const take = (quantity: number) =>
        create({ order_id: order.id, waybill_offers: [{ offer_id: offer.id, quantity }] });
      const first = await take(2);
      expect(first).toMatchObject({ status: 201, body: { order_id: order.id, customer_id: userIds.user } });
      expect(await linesOf(first.body.id)).toMatchObject([{ quantity: 2, priceRub: 700 }]);
      const { status, body } = await take(2);
      expect([status, body.detail]).toEqual([
        409,
        `'2' pieces of offer '${offer.id}' are 1 more than order '${order.id}' has left; take what is left, or put more of it into the order first`,
      ]);
      expect((await take(1)).status).toBe(201);
    });

    test.each([
      ["no type", { waybill_type: undefined }, "missing", ["body", "waybill_type"]],
      ["a type that is null", { waybill_type: null }, "enum", ["body", "waybill_type"]],
      ["an unknown type", { waybill_type: "WAYBILL_GIFT" }, "enum", ["body", "waybill_type"]],
      ["no is_pending", { is_pending: undefined }, "missing", ["body", "is_pending"]],
      ["an is_pending of another kind", { is_pending: "perhaps" }, "bool_parsing", ["body", "is_pending"]],
      ["a customer that is no id", { customer_id: "me" }, "uuid_parsing", ["body", "customer_id"]],
      ["an order that is no id", { order_id: "" }, "uuid_parsing", ["body", "order_id"]],
      ["a note that is a number", { note: 5 }, "string_type", ["body", "note"]],
      ["lines that are no list", { waybill_offers: {} }, "list_type", ["body", "waybill_offers"]],
      [
        "a line without an offer",
        { waybill_offers: [{ quantity: 1 }] },
        "missing",
        ["body", "waybill_offers", 0, "offer_id"],
      ],
      ["a line that is no object", { waybill_offers: [1] }, "model_attributes_type", ["body", "waybill_offers", 0]],
      [
        "more lines than a waybill takes at once",
        { waybill_offers: Array.from({ length: 1_001 }, () => ({ offer_id: unknownId, quantity: 1 })) },
        "too_long",
        ["body", "waybill_offers"],
      ],
    ])("answers 422 to %s", async (_what, change, type, loc) => {
      const { status, body } = await create(change);
      expect(status).toBe(422);
      expect(body.detail).toMatchObject([{ type, loc }]);
    });

    test.each([
      [0, "greater_than"],
      [-1, "greater_than"],
      [1.5, "int_from_float"],
      ["1.5", "int_parsing"],
      [2 ** 52, "less_than_equal"],
      ["NaN", "int_parsing"],
      [null, "int_parsing"],
      [1_000_001, "less_than_equal"],
    ])("answers 422 to a quantity of %s", async (quantity, type) => {
      const offer = await addOffer(api.db);
      const { status, body } = await create({ waybill_offers: [{ offer_id: offer.id, quantity }] });
      expect(status).toBe(422);
      expect(body.detail).toMatchObject([{ type, loc: ["body", "waybill_offers", 0, "quantity"] }]);
    });

    test.each([
      '{"waybill_type":"WAYBILL_IN","is_pending":true,"waybill_offers":[{"quantity":1e309}]}',
      "{",
      "[]",
      "5",
    ])("answers 422 to the body %s", async (body) => {
      const headers = { "content-type": "application/json", authorization: `Bearer ${api.tokens.employee}` };
      expect((await fetch(`${api.url}/waybills`, { method: "POST", headers, body })).status).toBe(422);
    });

    test("does the same request under the same key once", async () => {
      const offer = await addOffer(api.db);
      const key = randomUUID();
      const body = {
        waybill_type: "WAYBILL_IN",
        is_pending: true,
        waybill_offers: [{ offer_id: offer.id, quantity: 1 }],
      };
      const headers = { "idempotency-key": key };
      const answers = await Promise.all([1, 2, 3, 4].map(() => send(api, "POST", "/waybills", { body, headers })));
      expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
      expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
      expect(await api.db.manager.countBy(WaybillOffer, { offerId: offer.id })).toBe(1);
    });

    test("takes as many statements for fifty lines as for two", async () => {
      const offers = [];
      for (let n = 0; n < 50; n++) offers.push(await addOffer(api.db));
      const lines = offers.map(({ id }) => ({ offer_id: id, quantity: 1 }));
      const count = (size: number) => countStatements(api.db, () => create({ waybill_offers: lines.slice(0, size) }));
      const two = await count(2);
      expect(await count(50)).toBe(two);
    });
  });

  describe("PATCH /waybills/{id}", () => {
    const patch = (id: string, body: object, options = {}) =>
      send(api, "PATCH", `/waybills/${id}`, { body, ...options });

    test("changes what is sent of a pending waybill and leaves the rest", async () => {
      const order = await addOrder(api.db, { userId: userIds.admin });
      const { id } = await addWaybill(api.db, { note: "старая" });
      expect(await patch(id, { note: "новая" })).toMatchObject({
        status: 200,
        body: { note: "новая", order_id: null },
      });
      expect(await patch(id, { waybill_type: "WAYBILL_IN" })).toMatchObject({
        status: 200,
        body: { waybill_type: "WAYBILL_IN", note: "новая", customer: { id: userIds.user } },
      });
      expect(
        await patch(id, { waybill_type: "WAYBILL_OUT", order_id: order.id, customer_id: userIds.admin }),
      ).toMatchObject({
        status: 200,
        body: { order_id: order.id, customer_id: userIds.admin, customer: { id: userIds.admin } },
      });
      expect(await patch(id, { order_id: null, customer_id: null, note: "" })).toMatchObject({
        status: 200,
        body: { order_id: null, customer_id: userIds.employee, note: null, is_pending: true },
      });
    });

    test("leaves the lines at their prices when the customer changes", async () => {
      const offer = await addOffer(api.db);
      const { id } = await addWaybill(api.db, { lines: [{ offerId: offer.id, priceRub: 700 }] });
      const customer = await addUser(api.db, { customerType: "USER_SUPER_WHOLESALE" });
      expect((await patch(id, { customer_id: customer.id })).status).toBe(200);
      expect(await linesOf(id)).toMatchObject([{ priceRub: 700 }]);
    });

    test("never commits and never reopens", async () => {
      const { id } = await addWaybill(api.db);
      expect(await patch(id, { is_pending: false })).toMatchObject({ status: 200, body: { is_pending: true } });
      const done = await committed();
      expect(await patch(done.id, { is_pending: true })).toMatchObject({ status: 200, body: { is_pending: false } });
    });

    test("takes the whole committed waybill back with another note, as the warehouse sends it", async () => {
      const done = await committed({ note: "до" });
      const { body: shown } = await send(api, "GET", `/warehouse/waybills/${done.id}`);
      const { status, body } = await patch(done.id, { ...shown, note: "после" });
      expect(status).toBe(200);
      expect(body).toEqual({ ...shown, note: "после", updated_at: body.updated_at });
    });

    test("does nothing to what is sent back as it was shown", async () => {
      const { id } = await addWaybill(api.db, { note: "как есть" });
      const { body: shown } = await send(api, "GET", `/waybills/${id}`);
      expect((await patch(id, shown)).body).toEqual(shown);
    });

    test("answers 409 to any other change of a committed waybill", async () => {
      const order = await addOrder(api.db);
      const done = await committed({ note: "до" });
      const before = await stored(done.id);
      const changes = [
        { waybill_type: "WAYBILL_OUT" },
        { customer_id: userIds.admin },
        { customer_id: null },
        { order_id: order.id },
        { order_id: unknownId, note: "нет" },
      ];
      for (const change of changes) {
        const { status, body } = await patch(done.id, change);
        expect([status, body.detail]).toEqual([409, `Waybill '${done.id}' is committed: only its note can be changed`]);
      }
      expect(await stored(done.id)).toEqual(before);
    });

    test("answers 409 to an unknown customer or order and to an order that has less", async () => {
      const order = await addOrder(api.db, { userId: userIds.user });
      const offer = await addOffer(api.db);
      const { id } = await addWaybill(api.db, { lines: [{ offerId: offer.id }] });
      for (const change of [{ customer_id: unknownId }, { order_id: unknownId }, { order_id: order.id }]) {
        const { status, body } = await patch(id, change);
        expect(status).toBe(409);
        expect(body.detail).toContain(`'${Object.values(change)[0]}'`);
      }
    });

    test("writes nothing but what may be written", async () => {
      const { id } = await addWaybill(api.db);
      const before = await stored(id);
      const forbidden = {
        id: unknownId,
        author_id: userIds.admin,
        author: { id: userIds.admin },
        committed_by: userIds.admin,
        committed_at: "2001-01-01T00:00:00Z",
        created_at: "2001-01-01T00:00:00Z",
        updated_at: "2001-01-01T00:00:00Z",
      };
      expect((await patch(id, { ...forbidden, note: "x" })).status).toBe(200);
      const after = await stored(id);
      expect(after).toEqual({ ...before, note: "x", updatedAt: after?.updatedAt });
      expect(await patch(id, forbidden)).toMatchObject({
        status: 400,
        body: { detail: "No data provided for update" },
      });
    });

    test("answers 404 to an unknown waybill, whatever else is wrong", async () => {
      for (const body of [{ note: "x" }, { is_pending: true }, { order_id: unknownId }]) {
        expect(await patch(unknownId, body)).toMatchObject({ status: 404, body: { detail: "Entity not found" } });
      }
    });

    test.each([
      ["a type that is null", { waybill_type: null }, "enum"],
      ["a customer that is a number", { customer_id: 5 }, "string_type"],
      ["an order that is no id", { order_id: "x" }, "uuid_parsing"],
      ["a note that is a list", { note: ["x"] }, "string_type"],
      ["a note that is too long", { note: "x".repeat(5_001) }, "string_too_long"],
      ["an is_pending of another kind", { is_pending: "later" }, "bool_parsing"],
    ])("answers 422 to %s", async (_what, body, type) => {
      const { id } = await addWaybill(api.db);
      const answer = await patch(id, body);
      expect(answer.status).toBe(422);
      expect(answer.body.detail).toMatchObject([{ type, loc: ["body", Object.keys(body)[0]] }]);
    });

    test("heeds If-Match", async () => {
      const { id } = await addWaybill(api.db);
      const { headers } = await send(api, "GET", `/waybills/${id}`);
      const ifMatch = { headers: { "if-match": headers.get("etag") ?? "" } };
      expect((await patch(id, { note: "первый" }, ifMatch)).status).toBe(200);
      expect((await patch(id, { note: "второй" }, ifMatch)).status).toBe(412);
      expect(await stored(id)).toMatchObject({ note: "первый" });
    });
  });

  describe("DELETE /waybills/{id}", () => {
    const remove = (id: string) => send(api, "DELETE", `/waybills/${id}`);

    test("deletes a pending waybill with its lines, and its order can have another one", async () => {
      const offer = await addOffer(api.db);
      const order = await addOrder(api.db, { userId: userIds.user, lines: [{ offerId: offer.id }] });
      const { id } = await addWaybill(api.db, { orderId: order.id, lines: [{ offerId: offer.id }] });
      expect(await remove(id)).toMatchObject({ status: 204, text: "" });
      expect([await stored(id), await linesOf(id)]).toEqual([null, []]);
      expect((await create({ order_id: order.id })).status).toBe(201);
      expect(await remove(id)).toMatchObject({ status: 404, body: { detail: "Waybill not found" } });
    });

    test("refuses to delete a committed one", async () => {
      const offer = await addOffer(api.db);
      const { id } = await committed({ lines: [{ offerId: offer.id }] });
      const { status, body } = await remove(id);
      expect(status).toBe(409);
      expect(body.detail).toBe(
        `Waybill '${id}' is committed: it and its lines stay as they are; correct it by another one`,
      );
      expect(await linesOf(id)).toHaveLength(1);
    });
  });

  describe("POST /waybills/{id}/commit", () => {
    const commit = (id: string, options = {}) => send(api, "POST", `/waybills/${id}/commit`, options);
    const balance = async (id: string) =>
      Number((await api.db.query("SELECT balance_rub FROM users WHERE id = $1", [id]))[0].balance_rub);
    const quantity = async (id: string) =>
      (await api.db.query("SELECT quantity FROM offers WHERE id = $1", [id]))[0].quantity as number;

    test.each([
      ["WAYBILL_OUT", 6, -4_000],
      ["WAYBILL_IN", 14, 4_000],
      ["WAYBILL_RETURN", 14, 4_000],
    ] as const)("of a %s moves stock and balance", async (waybillType, pieces, rub) => {
      const [offer, customer] = [await addOffer(api.db), await addUser(api.db)];
      const lines = [{ offerId: offer.id, quantity: 4 }];
      const { id } = await addWaybill(api.db, { customerId: customer.id, waybillType, lines });
      const { status, body } = await commit(id);
      expect(status).toBe(201);
      expect(body).toMatchObject({ id, is_pending: false, waybill_type: waybillType, customer: { balance_rub: rub } });
      expect([await quantity(offer.id), await balance(customer.id)]).toEqual([pieces, rub]);
      expect(await brokenRules(api.db)).toEqual({});
    });

    test("a second time answers the same and changes nothing", async () => {
      const offer = await addOffer(api.db);
      const { id } = await committed({ lines: [{ offerId: offer.id }] });
      const before = [await quantity(offer.id), await balance(userIds.user), await stored(id)];
      const again = await commit(id, { token: api.tokens.admin });
      expect(again).toMatchObject({ status: 201, body: { id, is_pending: false } });
      expect([await quantity(offer.id), await balance(userIds.user), await stored(id)]).toEqual(before);
      expect(await brokenRules(api.db)).toEqual({});
    });

    test("refuses to take more than there is, names every short offer, and changes nothing", async () => {
      const [few, none, enough] = [
        await addOffer(api.db, { quantity: 3, manufacturerNumber: "FEW-1" }),
        await addOffer(api.db, { quantity: 0, manufacturerNumber: "NONE-1" }),
        await addOffer(api.db, { quantity: 5, manufacturerNumber: "ENOUGH-1" }),
      ];
      const customer = await addUser(api.db);
      const lines = [
        { offerId: few.id, quantity: 2 },
        { offerId: enough.id, quantity: 5 },
        { offerId: none.id, quantity: 1 },
        { offerId: few.id, quantity: 2 },
      ];
      const { id } = await addWaybill(api.db, { customerId: customer.id, lines });
      const { status, body } = await commit(id);
      expect(status).toBe(409);
      expect(body.detail).toContain(`'ACME FEW-1' (offer '${few.id}'): 4 wanted, 3 available`);
      expect(body.detail).toContain(`'ACME NONE-1' (offer '${none.id}'): 1 wanted, 0 available`);
      expect(body.detail).not.toContain("ENOUGH");
      expect([await quantity(few.id), await quantity(enough.id), await balance(customer.id)]).toEqual([3, 5, 0]);
      expect(await stored(id)).toMatchObject({ isPending: true, committedAt: null });

      await api.db.query("UPDATE offers SET quantity = 4 WHERE id = $1", [few.id]);
      await api.db.query("UPDATE offers SET quantity = 1 WHERE id = $1", [none.id]);
      expect((await commit(id)).status).toBe(201);
      expect([await quantity(few.id), await quantity(none.id), await quantity(enough.id)]).toEqual([0, 0, 0]);
      expect(await brokenRules(api.db)).toEqual({});
    });

    test("takes an empty waybill, a JSON body that says nothing, and no body", async () => {
      const { id } = await addWaybill(api.db);
      expect(await commit(id, { body: {} })).toMatchObject({ status: 201, body: { is_pending: false } });
      expect((await commit(id)).status).toBe(201);
    });

    test("answers 404 to an unknown waybill", async () => {
      expect(await commit(unknownId)).toMatchObject({ status: 404, body: { detail: "Waybill not found" } });
    });

    test("shows the new stock at once to a client that has read the old one", async () => {
      const offer = await addOffer(api.db);
      const lines = [{ offerId: offer.id, quantity: 4 }];
      const { id } = await addWaybill(api.db, { lines });
      const shownQuantity = async () => {
        const { body } = await send<{ offer: { quantity: number; product: { total_quantity: number } } }[]>(
          api,
          "GET",
          `/waybills/${id}/offers`,
        );
        return [body[0]?.offer.quantity, body[0]?.offer.product.total_quantity];
      };
      expect(await shownQuantity()).toEqual([10, 10]);
      await commit(id);
      expect(await shownQuantity()).toEqual([6, 6]);
    });

    test("is entered in the audit log once, with its outcome", async () => {
      const { id } = await addWaybill(api.db);
      await commit(id);
      await commit(id);
      const rows = await api.db.query("SELECT method, status FROM audit_log WHERE endpoint LIKE $1", [`%${id}/commit`]);
      expect(rows).toEqual(Array.from({ length: 2 }, () => ({ method: "POST", status: 201 })));
    });

    test("answers 503 while another transaction holds the waybill for long, and does it later", async () => {
      const offer = await addOffer(api.db);
      const { id } = await addWaybill(api.db, { lines: [{ offerId: offer.id }] });
      const other = api.db.createQueryRunner();
      await other.startTransaction();
      await other.query("SELECT 1 FROM waybills WHERE id = $1 FOR UPDATE", [id]);
      const waiting = await commit(id);
      await other.rollbackTransaction();
      await other.release();
      expect([waiting.status, waiting.headers.get("retry-after")]).toEqual([503, "5"]);
      expect(await quantity(offer.id)).toBe(10);
      expect((await commit(id)).status).toBe(201);
      expect(await quantity(offer.id)).toBe(9);
    });
  });
});
