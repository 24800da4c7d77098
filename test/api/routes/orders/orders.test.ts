import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { Address } from "../../../../src/db/entities/accounts/address.ts";
import { User } from "../../../../src/db/entities/accounts/user.ts";
import { AuditEntry } from "../../../../src/db/entities/audit/audit-entry.ts";
import { Offer } from "../../../../src/db/entities/catalogue/offer.ts";
import { Product } from "../../../../src/db/entities/catalogue/product.ts";
import { Order } from "../../../../src/db/entities/orders/order.ts";
import { OrderOffer } from "../../../../src/db/entities/orders/order-offer.ts";
import { dropCatalogue } from "../../../../src/platform/cache-tags.ts";
import { useApi, userIds } from "../../../support/api.ts";
import { addOffer } from "../../../support/catalogue.ts";
import { readAs } from "../../../support/clients/client-call.ts";
import { storefrontCalls } from "../../../support/clients/storefront.ts";
import { warehouseCalls } from "../../../support/clients/warehouse.ts";
import { countStatements } from "../../../support/count-statements.ts";
import { addWaybillOf } from "../../../support/deliveries.ts";
import { addManyOffers } from "../../../support/many-offers.ts";
import { addOrder, addPayment } from "../../../support/orders.ts";
import { guest, lineOf, type Sending, send } from "../../../support/shop.ts";

/** The warehouse sends this one whatever it orders. */
const hardCodedAddress = "356f1d6f-0514-4e40-aad5-d59b91674320";

describe("orders", () => {
  const api = useApi({ relay: false });
  const { user: userId, employee: employeeId, admin: adminId } = userIds;
  const otherId = randomUUID();
  let otherToken = "";
  const user = () => ({ token: api.tokens.user });
  const employee = () => ({ token: api.tokens.employee });
  const admin = () => ({ token: api.tokens.admin });
  const other = () => ({ token: otherToken });

  beforeAll(async () => {
    const name = { firstName: "Other", lastName: "Test" };
    await api.db.manager.insert(User, { id: otherId, email: "other@test.example", ...name });
    otherToken = await api.identity.token(otherId);
  });

  const post = (body: object, options?: Sending) => send(api, "POST", "/orders", body, options);
  const get = (path: string, options?: Sending) => send(api, "GET", path, undefined, options);
  const patch = (id: string, body: object, options: Sending = employee()) =>
    send(api, "PATCH", `/orders/${id}`, body, options);
  const stored = async () => [await api.db.manager.count(Order), await api.db.manager.count(OrderOffer)];
  const setUser = (id: string, change: Partial<User>) => api.db.manager.update(User, { id }, change);

  describe("POST by a guest", () => {
    test("is taken as the storefront sends it and answered as it reads it", async () => {
      const offer = await addOffer(api.db, { priceRub: 1_500, superWholesalePriceRub: 1_201, quantity: 7 });
      const { status, body } = await post({ ...guest, order_offers: [lineOf(offer.id, 2)] });
      expect(status).toBe(201);
      readAs(storefrontCalls.S15, body);
      expect(body).toMatchObject({
        ...{ status: "NEW", address: guest.address, address_id: null, country: "RUS", city: "Севастополь" },
        ...{ shipping_method: "CARGO", shipping_company: "CDEK", first_name: "Иван", email: guest.email },
        ...{ phone: "+79780000000", user: null, waybill: null, total_sum: 3_000, note: null },
      });
      expect(body.order_offers).toHaveLength(1);
      expect(body.order_offers[0]).toMatchObject({ offer_id: offer.id, quantity: 2, price_rub: 1_500, brand: "ACME" });
      const read = await get(`/orders/${body.id}`);
      readAs(storefrontCalls.S16, read.body);
      expect(read.body).toEqual(body);
    });

    test("of a self-pickup has neither address nor carrier", async () => {
      const offer = await addOffer(api.db);
      const nothing = { address: null, country: null, city: null, shipping_company: null };
      const order = { ...guest, ...nothing, shipping_method: "SELF_PICKUP", order_offers: [lineOf(offer.id)] };
      const { status, body } = await post(order);
      expect(status).toBe(201);
      expect(readAs(storefrontCalls.S15, body)).toMatchObject({ ...nothing, shipping_method: "SELF_PICKUP" });
    });

    test("needs nothing but status, contact, shipping method and lines", async () => {
      const { status, first_name, last_name, email, phone, shipping_method } = guest;
      const least = { status, first_name, last_name, email, phone, shipping_method, order_offers: [] };
      expect((await post(least)).status).toBe(201);
      for (const key of Object.keys(least)) {
        const answer = await post({ ...least, [key]: undefined });
        expect(answer.status, key).toBe(422);
        const [violation] = answer.body.detail as { type: string; loc: string[]; msg: string; input: object }[];
        expect(violation, key).toMatchObject({ type: "missing", loc: ["body", key], msg: "Field required" });
        expect(Object.keys(violation?.input ?? {}), key).not.toContain(key);
        if (key !== "order_offers") expect((await post({ ...least, [key]: null })).status, `${key}: null`).toBe(422);
      }
    });

    test("is NEW, costs what the shop says and takes brand and number from the offer, whatever is sent", async () => {
      const offer = await addOffer(api.db, { brand: "Bosch", manufacturerNumber: "0 986", priceRub: 700, quantity: 9 });
      const forged = {
        id: randomUUID(),
        total_sum: 1,
        total: 1,
        price: 1,
        role: "ADMIN",
        created_at: "2000-01-01T00:00:00Z",
      };
      const line = { ...lineOf(offer.id, 3), price_rub: "free", id: randomUUID(), order_id: randomUUID() };
      const { body } = await post({ ...guest, ...forged, status: "COMPLETED", order_offers: [line] });
      expect(body).toMatchObject({ status: "NEW", total_sum: 2_100 });
      expect(body.id).not.toBe(forged.id);
      expect(body.created_at).not.toBe(forged.created_at);
      expect(body.order_offers[0]).toMatchObject({ brand: "Bosch", manufacturer_number: "0 986", price_rub: 700 });
      expect(body.order_offers[0]?.id).not.toBe(line.id);
    });

    test("goes to the account that it names when that has the same e-mail, at retail prices, and shows nothing of it", async () => {
      await setUser(otherId, { customerType: "USER_SUPER_WHOLESALE" });
      const offer = await addOffer(api.db, { priceRub: 1_000, superWholesalePriceRub: 700 });
      const order_offers = [lineOf(offer.id)];
      const { status, body } = await post({ ...guest, user_id: otherId, email: "OTHER@Test.example", order_offers });
      expect([status, body.user, body.total_sum]).toEqual([201, null, 1_000]);
      const seen = await get(`/orders/${body.id}`, other());
      expect(seen.body.user).toMatchObject({ id: otherId, email: "other@test.example" });
      await setUser(otherId, { customerType: "USER_RETAIL" });
    });

    test.each([
      ["another e-mail", { user_id: userIds.user, email: "another@else.example" }],
      ["an unknown account", { user_id: "0198f6b0-0000-7000-8000-000000000000", email: "user@test.example" }],
      ["a deactivated account", { user_id: userIds.inactive, email: "inactive@test.example" }],
    ])("belongs to no account with %s", async (_why, claim) => {
      const { body } = await post({ ...guest, ...claim, order_offers: [] });
      expect((await get(`/orders/${body.id}`, employee())).body.user).toBeNull();
    });

    test("with a token that is no good is refused", async () => {
      const { status, body } = await post({ ...guest, order_offers: [] }, { token: "x.y.z" });
      expect([status, body.detail]).toEqual([401, "Malformed JWT header"]);
    });
  });

  describe("POST with a token", () => {
    test("belongs to its user, at that customer's prices", async () => {
      const offer = await addOffer(api.db, { priceRub: 717, superWholesalePriceRub: 574 });
      const order = { ...guest, user_id: adminId, status: "COMPLETED", order_offers: [lineOf(offer.id, 2)] };
      const prices = { USER_RETAIL: 717, USER_WHOLESALE: 646, USER_SUPER_WHOLESALE: 574 } as const;
      for (const [customerType, price] of Object.entries(prices)) {
        await setUser(userId, { customerType: customerType as keyof typeof prices });
        const { status, body } = await post(order, user());
        expect(status).toBe(201);
        readAs(storefrontCalls.S16, body);
        expect(body).toMatchObject({ status: "NEW", total_sum: 2 * price, user: { id: userId } });
        expect(body.order_offers[0]?.price_rub, customerType).toBe(price);
      }
      await setUser(userId, { customerType: "USER_RETAIL" });
    });

    test("has any status when it is of staff", async () => {
      const { body } = await post({ ...guest, status: "SHIPPING", order_offers: [] }, employee());
      expect(body).toMatchObject({ status: "SHIPPING", user: { id: employeeId } });
    });

    test("needs no lines", async () => {
      const { status, body } = await post({ ...guest, order_offers: undefined }, user());
      expect([status, body.order_offers, body.total_sum]).toEqual([201, [], 0]);
    });

    test("needs the contact unless it names an address", async () => {
      const { status, body } = await post({ status: "NEW", note: null, order_offers: [] }, employee());
      expect(status).toBe(422);
      const missing = (body.detail as { loc: string[] }[]).map(({ loc }) => loc[1]);
      expect(missing).toEqual(["shipping_method", "first_name", "last_name", "email", "phone"]);
    });
  });

  describe("POST by the warehouse", () => {
    const order = (extra: object = {}) => ({
      ...{ address_id: hardCodedAddress, status: "NEW", note: null, order_offers: [] },
      ...extra,
    });
    const fromWarehouse = (body: object, options = employee()) => send(api, "POST", "/warehouse/orders", body, options);

    async function addAddress(owner: string) {
      const id = randomUUID();
      const name = { firstName: "Склад", lastName: "Главный" };
      const place = { city: "Ялта", street: "ул. Кирова, 1", postalCode: "298600" };
      await api.db.manager.insert(Address, { id, userId: owner, ...name, ...place, isDefault: false });
      return id;
    }

    test("takes contact and shipping from the caller when the address is unknown", async () => {
      const offer = await addOffer(api.db);
      await setUser(employeeId, { phone: null, city: "Симферополь", shippingMethod: null, shippingCompany: "KIT" });
      const { status, body } = await fromWarehouse(order({ order_offers: [lineOf(offer.id)] }));
      expect(status).toBe(201);
      readAs(warehouseCalls.W23, body);
      expect(body).toMatchObject({
        ...{ first_name: "employee", last_name: "Test", email: "employee@test.example", phone: "—" },
        ...{ city: "Симферополь", shipping_method: "OTHER", shipping_company: "KIT", user: { id: employeeId } },
        address_id: body.id,
        address: { id: body.id, user_id: employeeId, city: "Симферополь", street: "—", postal_code: "—", phone: "—" },
      });
    });

    test.each(["", "not an id", "{}"])("does not fail on the address '%s'", async (address_id) => {
      expect((await fromWarehouse(order({ address_id }))).status).toBe(201);
    });

    test("takes them from the stored address, and shows it", async () => {
      const address = {
        ...{ id: hardCodedAddress, userId: employeeId, firstName: "Склад", lastName: "Главный", phone: null },
        ...{ city: "Ялта", street: "ул. Кирова, 1", postalCode: "298600", shippingMethod: "CARGO" as const },
        ...{ shippingCompany: "CDEK", isDefault: true },
      };
      await api.db.manager.insert(Address, address);
      await setUser(employeeId, { phone: "+79781112233" });
      const { status, body } = await fromWarehouse(order());
      expect(status).toBe(201);
      readAs(warehouseCalls.W23, body);
      expect(body.phone).toBe("+79781112233");
      expect(body.address).toEqual({
        ...{ id: hardCodedAddress, user_id: employeeId, first_name: "Склад", last_name: "Главный", phone: "—" },
        ...{ city: "Ялта", street: "ул. Кирова, 1", postal_code: "298600", shipping_method: "CARGO" },
        ...{ shipping_company: "CDEK", is_default: true },
      });
      const { body: shop } = await get(`/orders/${body.id}`, employee());
      expect(shop).toMatchObject({ address: "ул. Кирова, 1, 298600", address_id: null, city: "Ялта" });
      const { body: stranger } = await get(`/warehouse/orders/${body.id}`);
      expect(stranger).toMatchObject({
        address_id: body.id,
        address: { user_id: "00000000-0000-0000-0000-000000000000" },
      });
    });

    test("by a customer does not reveal the address of another user", async () => {
      const address_id = await addAddress(employeeId);
      const { body } = await fromWarehouse(order({ address_id }), user());
      expect(body).toMatchObject({ first_name: "user", city: null, address_id: body.id });
      const own = await fromWarehouse(order({ address_id: await addAddress(userId) }), user());
      expect(own.body).toMatchObject({ first_name: "Склад", city: "Ялта" });
    });

    test("lets what is sent win over the address", async () => {
      const address_id = await addAddress(employeeId);
      const { body } = await fromWarehouse(order({ address_id, first_name: "Пётр", phone: "89780424666", city: null }));
      expect(body).toMatchObject({ first_name: "Пётр", last_name: "Главный", phone: "+79780424666", city: "Ялта" });
    });
  });

  describe("POST of any kind", () => {
    test("stores nothing when an offer is unknown or deleted, or its product is", async () => {
      const good = await addOffer(api.db);
      const deleted = await addOffer(api.db, { isDeleted: true });
      const orphan = await addOffer(api.db);
      await api.db.manager.update(Product, { id: orphan.productId }, { isDeleted: true });
      const before = await stored();
      for (const id of [randomUUID(), deleted.id, orphan.id]) {
        const { status, body } = await post({ ...guest, order_offers: [lineOf(good.id), lineOf(id)] });
        expect([status, body.detail]).toEqual([404, "Offer not found"]);
      }
      expect(await stored()).toEqual(before);
    });

    test("is refused when all lines together want more of an offer than there is, and names it", async () => {
      const offer = await addOffer(api.db, { brand: "SKF", manufacturerNumber: "6205", quantity: 5 });
      const before = await stored();
      const { status, body } = await post({ ...guest, order_offers: [lineOf(offer.id, 3), lineOf(offer.id, 3)] });
      expect(status).toBe(409);
      expect(body.detail).toBe(
        `There is too little in stock of 'SKF 6205' (offer '${offer.id}'): '6' wanted, 5 available. Lower the quantity`,
      );
      expect(await stored()).toEqual(before);
      const all = await post({ ...guest, order_offers: [lineOf(offer.id, 2), lineOf(offer.id, 3)] });
      expect([all.status, all.body.order_offers.map(({ quantity }) => quantity)]).toEqual([201, [2, 3]]);
      expect(await api.db.manager.findOneByOrFail(Offer, { id: offer.id })).toMatchObject({ quantity: 5 });
    });

    test("is made once the advice of a refusal was followed: a smaller quantity, and nothing that is sold out", async () => {
      const [few, none] = [await addOffer(api.db, { quantity: 2 }), await addOffer(api.db, { quantity: 0 })];
      const refused = await post({ ...guest, order_offers: [lineOf(few.id, 3), lineOf(none.id)] });
      expect([refused.status, String(refused.body.detail)]).toEqual([
        409,
        expect.stringMatching(/\. Lower the quantity\. Leave out what is sold out$/),
      ]);
      expect((await post({ ...guest, order_offers: [lineOf(few.id, 2)] })).status).toBe(201);
    });

    test("keeps its lines in their order, up to 200 of them, in as many statements as one line takes", async () => {
      const offers = await addManyOffers(api.db, 200);
      await dropCatalogue(api.context.cache, "category");
      const order = (count: number) => ({ ...guest, order_offers: offers.slice(0, count).map((id) => lineOf(id)) });
      // Into the cache with the categories of all offers.
      await get("/orders", employee());
      const few = await countStatements(api.db, () => post(order(1)));
      let answer = await post(order(1));
      const many = await countStatements(api.db, async () => {
        answer = await post(order(200));
      });
      expect(answer.body.order_offers.map(({ manufacturer_number }) => manufacturer_number)).toEqual(
        offers.map((_, n) => `N-${n}`),
      );
      // One to begin and one to end, offers held; order, lines and event entered; to answer: order, waybills, lines, offers, products.
      expect([few, many]).toEqual([11, 11]);
      const tooMany = await post({ ...guest, order_offers: [...order(200).order_offers, lineOf(offers[0] ?? "")] });
      expect(tooMany.status).toBe(422);
      expect(tooMany.body.detail).toMatchObject([{ type: "too_long", loc: ["body", "order_offers"] }]);
    });

    test.each([
      [0, "greater_than"],
      [-1, "greater_than"],
      [1.5, "int_from_float"],
      ["1.5", "int_parsing"],
      ["many", "int_parsing"],
      [2 ** 53, "less_than_equal"],
      [1_000_001, "less_than_equal"],
      [null, "int_parsing"],
      [true, "int_parsing"],
      [undefined, "missing"],
    ])("refuses the quantity %j", async (quantity, type) => {
      const { status, body } = await post({ ...guest, order_offers: [{ ...lineOf(randomUUID()), quantity }] });
      expect(status).toBe(422);
      const [violation] = body.detail as object[];
      expect(violation).toMatchObject({ type, loc: ["body", "order_offers", 0, "quantity"] });
    });

    test("refuses a quantity that no number holds", async () => {
      const text = JSON.stringify({ ...guest, order_offers: [lineOf(randomUUID(), 7)] }).replace(
        '"quantity":7',
        '"quantity":1e309',
      );
      const init = { method: "POST", body: text, headers: { "content-type": "application/json" } };
      expect((await fetch(`${api.url}/orders`, init)).status).toBe(422);
    });

    test('takes "2" for a number', async () => {
      const offer = await addOffer(api.db);
      const { body } = await post({ ...guest, order_offers: [{ offer_id: offer.id.toUpperCase(), quantity: "2" }] });
      expect(body.order_offers[0]).toMatchObject({ offer_id: offer.id, quantity: 2 });
    });

    test.each([
      [
        "offer_id",
        { order_offers: [{ offer_id: "x", quantity: 1 }] },
        "uuid_parsing",
        ["body", "order_offers", 0, "offer_id"],
      ],
      ["order_offers", { order_offers: "all" }, "list_type", ["body", "order_offers"]],
      ["status", { status: "DONE" }, "enum", ["body", "status"]],
      ["shipping_method", { shipping_method: "DRONE" }, "enum", ["body", "shipping_method"]],
      ["first_name", { first_name: "" }, "string_too_short", ["body", "first_name"]],
      ["last_name", { last_name: 5 }, "string_type", ["body", "last_name"]],
      ["user_id", { user_id: "me" }, "uuid_parsing", ["body", "user_id"]],
      ["city", { city: "a\u0000b" }, "value_error", ["body", "city"]],
      ["note", { note: "x".repeat(5_001) }, "string_too_long", ["body", "note"]],
    ])("says what is wrong with %s", async (_key, wrong, type, loc) => {
      const { status, body } = await post({ ...guest, order_offers: [], ...wrong });
      expect(status).toBe(422);
      expect(body.detail).toMatchObject([{ type, loc }]);
    });

    test.each([
      ["89780424666", "+79780424666"],
      ["9780424666", "+79780424666"],
      ["tel:+7-978-042-46-66", "+79780424666"],
      [" +7 (978) 042-46-66 ", "+79780424666"],
      ["+375 29 123-45-67", "+375291234567"],
    ])("stores the phone '%s' as %s", async (phone, expected) => {
      expect((await post({ ...guest, phone, order_offers: [] })).body.phone).toBe(expected);
    });

    test.each(["", "123456", "abcdef", "+7", "—", "call 89780424666"])("refuses the phone '%s'", async (phone) => {
      const { status, body } = await post({ ...guest, phone, order_offers: [] });
      expect(status).toBe(422);
      expect(body.detail).toEqual([
        {
          type: "value_error",
          loc: ["body", "phone"],
          msg: "value is not a valid phone number",
          input: phone,
        },
      ]);
    });

    test.each([
      ...["", "a", "a@localhost", "a@b.c", "иван@почта.рф", "a@b.ru, c@d.ru", "a@b.ru\r\nBcc: c@d.ru", "<a@b.ru>"],
      ...["a b@c.ru", '"a b"@c.ru', "a..b@c.ru", ".a@c.ru", "G: a@x.ru;", `${"a".repeat(250)}@b.ru`],
    ])("refuses the e-mail %j", async (email) => {
      const { status, body } = await post({ ...guest, email, order_offers: [] });
      expect(status).toBe(422);
      const [violation] = body.detail as { type: string; msg: string; ctx: { reason: string } }[];
      expect(violation?.type).toBe("value_error");
      expect(violation?.msg).toMatch(/^value is not a valid email address: /);
      expect(violation?.ctx.reason).toBeTruthy();
    });
  });

  describe("GET by id", () => {
    test("is whole for its owner and staff, and without account and waybill for everybody else", async () => {
      const offer = await addOffer(api.db);
      const { id } = await addOrder(api.db, { userId, lines: [{ offerId: offer.id, quantity: 2, priceRub: 500 }] });
      await addWaybillOf(api, { orderId: id });
      const path = `/orders/${id}`;
      const [owner, staff, stranger, guest] = [
        await get(path, user()),
        await get(path, employee()),
        await get(path, other()),
        await get(path),
      ];
      expect(owner.body).toMatchObject({ user: { id: userId }, waybill: { is_pending: false }, total_sum: 1_000 });
      expect(staff.body).toEqual(owner.body);
      expect(stranger.body).toEqual({ ...owner.body, user: null, waybill: null });
      expect(guest.body).toEqual(stranger.body);
      for (const { body } of [owner, guest]) readAs(storefrontCalls.S16, body);
      expect(guest.headers.get("cache-control")).toBe("no-store");
    });

    test("of an unknown one names it", async () => {
      const id = randomUUID();
      const { status, body } = await get(`/orders/${id}`);
      expect([status, body.detail]).toEqual([404, `Order with id ${id} not found.`]);
      expect((await get("/orders/x")).status).toBe(422);
    });

    test("shows the storefront only what it knows, and the warehouse everything", async () => {
      const values = { country: "Армения", shippingCompany: "Boxberry", shippingMethod: "OTHER" as const, city: "" };
      const parts = { street: "ул. Ленина", house: "5", postalCode: "299011" };
      const { id } = await addOrder(api.db, { ...values, ...parts });
      const shop = await get(`/orders/${id}`, employee());
      readAs(storefrontCalls.S16, shop.body);
      const narrowed = { country: null, shipping_company: null, shipping_method: "CARGO" };
      expect(shop.body).toMatchObject({ ...narrowed, address: "ул. Ленина, 5, 299011", address_id: null });
      const warehouse = await get(`/warehouse/orders/${id}`, employee());
      readAs(warehouseCalls.W20, warehouse.body);
      expect(warehouse.body).toMatchObject({
        ...{ country: "Армения", shipping_company: "Boxberry", shipping_method: "OTHER", address_id: id },
        address: { city: "—", street: "ул. Ленина, 5", postal_code: "299011", shipping_company: "Boxberry" },
      });
    });

    test.each([
      [{ address: "Где-то, 1" }, "Где-то, 1", "Где-то, 1"],
      [{ street: "ул. Ленина", house: null }, "ул. Ленина", "ул. Ленина"],
      [{ postalCode: "299011" }, "299011", "—"],
      [{}, null, "—"],
    ])("joins what there is of the address %j", async (parts, address, street) => {
      const { id } = await addOrder(api.db, parts);
      expect((await get(`/orders/${id}`)).body.address).toBe(address);
      expect((await get(`/warehouse/orders/${id}`)).body.address).toMatchObject({ street });
    });

    test("has a stand-in for a guest in the warehouse", async () => {
      const { id, createdAt } = await addOrder(api.db, { city: "Керчь", firstName: "", lastName: "Сидоров" });
      const { body } = await get(`/warehouse/orders/${id}`, employee());
      readAs(warehouseCalls.W20, body);
      const at = createdAt.toISOString();
      expect(body.user).toEqual({
        ...{ id: "00000000-0000-0000-0000-000000000000", clerk_id: "", first_name: "", last_name: "Сидоров" },
        ...{
          email: "buyer@test.example",
          is_active: false,
          role: "USER",
          customer_type: "USER_RETAIL",
          mailing: false,
          language: "ru",
        },
        ...{ balance_rub: 0, balance_usd: 0, balance_eur: 0, balance_try: 0, phone: "+79780000000", city: "Керчь" },
        ...{ note: null, shipping_method: null, shipping_company: null, created_at: at, updated_at: at },
      });
      expect(body.address).toEqual({
        ...{ id, user_id: "00000000-0000-0000-0000-000000000000", first_name: "—", last_name: "Сидоров" },
        ...{ phone: "+79780000000", city: "Керчь", street: "—", postal_code: "—", shipping_method: "SELF_PICKUP" },
        ...{ shipping_company: null, is_default: false },
      });
    });
  });

  describe("GET of the list", () => {
    const ids = (answer: { body: { items: { id: string }[] } }) => answer.body.items.map(({ id }) => id);

    test("has a customer's own orders only, newest first", async () => {
      await addOrder(api.db);
      await addOrder(api.db, { userId });
      const mine = [await addOrder(api.db, { userId: otherId }), await addOrder(api.db, { userId: otherId })];
      const { status, body } = await get("/orders", other());
      expect(status).toBe(200);
      readAs(storefrontCalls.S17, body);
      expect(body.items.every((order) => order.user?.id === otherId)).toBe(true);
      expect(ids({ body }).slice(0, 2)).toEqual([mine[1]?.id, mine[0]?.id]);
      expect(ids(await get(`/orders?user_id=${otherId}`, other()))).toEqual(ids({ body }));
      expect(ids(await get("/orders?filter[user]=x&unknown=1", other()))).toEqual(ids({ body }));
    });

    test("is refused to a customer who wants those of another user", async () => {
      for (const query of [`user_id=${adminId}`, `user_id=${otherId}&user_id=${adminId}`]) {
        const { status, body } = await get(`/orders?${query}`, other());
        expect([status, body.detail]).toEqual([
          403,
          "Access denied: role USER is not allowed to list the orders of another user.",
        ]);
      }
    });

    test("has everybody's for staff, and takes filters", async () => {
      const note = `mark ${randomUUID()}`;
      const one = await addOrder(api.db, { userId, note, status: "SHIPPING" });
      const two = await addOrder(api.db, { note, status: "NEW" });
      const search = `search_term=${encodeURIComponent(note)}`;
      const all = await get(`/orders?${search}`, employee());
      expect([ids(all), all.body.total]).toEqual([[two.id, one.id], 2]);
      expect(ids(await get(`/orders?${search}&user_id=${userId}`, employee()))).toEqual([one.id]);
      expect(ids(await get(`/orders?${search}&status=NEW`, employee()))).toEqual([two.id]);
      expect(ids(await get(`/orders?${search}&order_status=SHIPPING&status=NEW`, employee()))).toEqual([one.id]);
      const page = await get(`/orders?${search}&size=1&page=2`, employee());
      expect(page.body).toMatchObject({ total: 2, page: 2, size: 1, pages: 2 });
      expect(ids(page)).toEqual([one.id]);
      expect((await get(`/orders?${search}&page=9`, employee())).body).toMatchObject({ items: [], total: 2 });
      const warehouse = await get(`/warehouse/orders?${search}`, employee());
      readAs(warehouseCalls["W19.all"], warehouse.body);
      expect(ids(warehouse)).toEqual([two.id, one.id]);
    });

    test("finds text of the account, the contact and the note, and takes % and _ as they are", async () => {
      const word = randomUUID().slice(0, 8);
      await setUser(otherId, { lastName: `Account-${word}`, phone: `+7${word}` });
      const byAccount = await addOrder(api.db, { userId: otherId });
      const byContact = await addOrder(api.db, { email: `contact-${word}@test.example`, firstName: `100%_${word}` });
      const byNote = await addOrder(api.db, { note: `Позвонить: ${word}\\` });
      const find = async (term: string) =>
        ids(await get(`/orders?search_term=${encodeURIComponent(term)}`, employee()));
      expect(await find(`ACCOUNT-${word}`)).toContain(byAccount.id);
      expect(await find(`+7${word}`)).toContain(byAccount.id);
      expect(await find(`contact-${word}`)).toEqual([byContact.id]);
      expect(await find(`100%_${word}`)).toEqual([byContact.id]);
      expect(await find(`позвонить: ${word}\\`)).toEqual([byNote.id]);
      expect(await find(`_${word}`)).toEqual([byContact.id]);
      expect(await find(`%${word}%`)).toEqual([]);
    });

    test.each(["size=0", "size=501", "page=0", "status=DONE", "order_status=new", "user_id=1", "search_term=%00"])(
      "refuses %s",
      async (query) => expect((await get(`/orders?${query}`, employee())).status).toBe(422),
    );

    test("with thousands of lines goes out in pieces, and says what small pages say", async () => {
      const offers = await addManyOffers(api.db, 200);
      const note = `large ${randomUUID()}`;
      // As many lines as one piece may have, none, and more.
      const counts = [...Array(10).fill(200), ...Array(15).fill(0), 150];
      for (const count of counts) {
        await addOrder(api.db, { note, lines: offers.slice(0, count).map((offerId) => ({ offerId })) });
      }
      const list = (query: string) =>
        get(`/warehouse/orders?search_term=${encodeURIComponent(note)}&${query}`, employee());
      const large = await list("size=26");
      expect(large.headers.get("etag"), "made as a whole").toBeNull();
      expect(large.headers.get("content-type")).toBe("application/json");
      const small = [await list("size=13"), await list("size=13&page=2")];
      for (const page of small) expect(page.headers.get("etag")).not.toBeNull();
      readAs(warehouseCalls["W19.all"], large.body);
      expect(large.body).toEqual({
        ...{ total: 26, page: 1, size: 26, pages: 1 },
        items: small.flatMap(({ body }) => body.items),
      });
      expect(large.body.items.map((order) => order.order_offers.length)).toEqual(counts.toReversed());
    });

    test("takes as many statements for twenty orders as for one", async () => {
      const offers = [await addOffer(api.db), await addOffer(api.db)];
      const note = `count ${randomUUID()}`;
      const add = async () => {
        const lines = offers.map(({ id: offerId }) => ({ offerId }));
        const { id: orderId } = await addOrder(api.db, { userId, note, lines });
        await addWaybillOf(api, { orderId });
      };
      await add();
      await dropCatalogue(api.context.cache, "category");
      const list = () => get(`/orders?search_term=${encodeURIComponent(note)}`, employee());
      await list();
      const one = await countStatements(api.db, list);
      for (let n = 1; n < 20; n++) await add();
      const twenty = await countStatements(api.db, async () => expect((await list()).body.items).toHaveLength(20));
      // The caller, a page, the count, waybills, lines, offers, products.
      expect([one, twenty]).toEqual([7, 7]);
    });

    test("counts them for staff", async () => {
      const status = "CANCELED";
      const { count: before } = (await get(`/orders/meta/count?status=${status}`, employee())).body;
      await addOrder(api.db, { status, userId: otherId });
      const after = await get(`/orders/meta/count?order_status=${status}`, employee());
      expect(after.body).toEqual({ count: before + 1 });
      expect((await get(`/orders/meta/count?status=${status}&user_id=${otherId}`, employee())).body.count).toBe(1);
      expect((await get("/orders/meta/count", user())).status).toBe(403);
    });
  });

  describe("PATCH", () => {
    test("changes what is sent and leaves the rest", async () => {
      const { id } = await addOrder(api.db, { userId, note: "old", city: "Ялта" });
      const { status, body } = await patch(id, {
        status: "COMPLETED",
        phone: "89780424666",
        email: " new@test.example ",
      });
      expect(status).toBe(200);
      expect(body).toMatchObject({
        status: "COMPLETED",
        phone: "+79780424666",
        email: "new@test.example",
        city: "Ялта",
      });
      expect((await patch(id, { note: "", city: null, address: "Новая, 1" })).body).toMatchObject({
        ...{ note: null, city: null, address: "Новая, 1", status: "COMPLETED" },
      });
      expect((await patch(id, { status: "NEW" })).body.status).toBe("NEW");
    });

    test("takes the whole order of the warehouse with a new status, and writes nothing but that", async () => {
      const { id } = await addOrder(api.db, { userId, phone: "—", street: "ул. Ленина", house: "5" });
      const { body: before } = await get(`/warehouse/orders/${id}`, employee());
      const sent = {
        ...before,
        status: "IN_PROGRESS",
        total_sum: 1,
        created_at: "2000-01-01T00:00:00Z",
        user_id: adminId,
      };
      const { status, body } = await send(api, "PATCH", `/warehouse/orders/${id}`, sent, employee());
      expect(status).toBe(200);
      readAs(warehouseCalls.W25, body);
      expect(body).toEqual({ ...before, status: "IN_PROGRESS", updated_at: body.updated_at });
      expect(body.updated_at > before.updated_at).toBe(true);
    });

    test("refuses what is no change and what is no order", async () => {
      const { id } = await addOrder(api.db);
      for (const body of [{}, { id: randomUUID(), user_id: adminId, total_sum: 5, address: {} }]) {
        const answer = await patch(id, body);
        expect([answer.status, answer.body.detail]).toEqual([400, "No data provided for update"]);
      }
      const unknown = await patch(randomUUID(), { note: "x" });
      expect([unknown.status, unknown.body.detail]).toEqual([404, "Entity not found"]);
    });

    test.each([
      { status: "DONE" },
      { status: null },
      { email: "x" },
      { phone: "1" },
      { first_name: null },
      { shipping_method: null },
    ])("refuses %j", async (body) => {
      const { id } = await addOrder(api.db);
      expect((await patch(id, body)).status).toBe(422);
    });

    test("happens only in the state that If-Match names", async () => {
      const { id } = await addOrder(api.db);
      const etag = (await get(`/orders/${id}`, employee())).headers.get("etag") ?? "";
      const headers = { "if-match": etag };
      expect((await patch(id, { note: "a" }, { ...employee(), headers })).status).toBe(200);
      expect((await patch(id, { note: "b" }, { ...employee(), headers })).status).toBe(412);
      expect((await get(`/orders/${id}`)).body.note).toBe("a");
    });

    test("is entered in the audit log without anything that looks like data of a card", async () => {
      const { id } = await addOrder(api.db);
      await patch(id, { note: "x", card_number: "4111111111111111", payment: { cvv: "123", bank: "A" } });
      const rows = await api.db.manager.findBy(AuditEntry, { endpoint: `https://api.test/orders/${id}` });
      expect(rows.map(({ payload, status }) => [payload, status])).toEqual([
        [{ note: "x", payment: { bank: "A" } }, 200],
      ]);
    });
  });

  describe("DELETE", () => {
    const remove = (id: string) => send(api, "DELETE", `/orders/${id}`, undefined, admin());

    test("takes the lines and failed payments with it", async () => {
      const offer = await addOffer(api.db);
      const { id } = await addOrder(api.db, { lines: [{ offerId: offer.id }] });
      await addPayment(api.db, { orderId: id, amountRub: 5, state: "failed" });
      expect((await remove(id)).status).toBe(204);
      expect(await api.db.manager.countBy(OrderOffer, { orderId: id })).toBe(0);
      const again = await remove(id);
      expect([again.status, again.body.detail]).toEqual([404, "Order not found"]);
    });

    test("is refused while it has a pending waybill, which can be deleted as advised", async () => {
      const { id } = await addOrder(api.db);
      const waybillId = await addWaybillOf(api, { orderId: id, isPending: true });
      const { status, body } = await remove(id);
      const advice = `Order '${id}' has pending waybill '${waybillId}'; delete that one first`;
      expect([status, body.detail]).toEqual([409, advice]);
      expect((await send(api, "DELETE", `/waybills/${waybillId}`, undefined, admin())).status).toBe(204);
      expect((await remove(id)).status).toBe(204);
    });

    test("is refused for good when a waybill is committed, and it can be canceled as advised", async () => {
      const { id } = await addOrder(api.db);
      await addWaybillOf(api, { orderId: id, isPending: true });
      const committedId = await addWaybillOf(api, { orderId: id, isPending: false });
      const { id: paymentId } = await addPayment(api.db, { orderId: id, amountRub: 5, state: "paid" });
      const why = `Order '${id}' has committed waybills: '${committedId}' and payments that have not failed: '${paymentId}' (paid); it has to be kept`;
      const { status, body } = await remove(id);
      expect([status, body.detail]).toEqual([409, `${why}: set its status to CANCELED instead`]);
      expect((await patch(id, { status: "CANCELED" })).status).toBe(200);
      expect((await remove(id)).body.detail).toBe(why);
    });

    test.each(["pending", "authorized", "paid", "refunded"] as const)(
      "is refused while a payment is %s",
      async (state) => {
        const offer = await addOffer(api.db);
        const { id } = await addOrder(api.db, { lines: [{ offerId: offer.id }] });
        await addPayment(api.db, { orderId: id, amountRub: 5, state });
        await addPayment(api.db, { orderId: id, amountRub: 5, state: "failed" });
        const { status, body } = await remove(id);
        expect(status).toBe(409);
        expect(body.detail).toContain(`(${state})`);
        expect(await api.db.query("SELECT count(*)::int AS n FROM payments WHERE order_id = $1", [id])).toEqual([
          { n: 2 },
        ]);
      },
    );
  });
});

describe("orders of those who are no staff", () => {
  const api = useApi({
    relay: false,
    limits: { orders: { points: 3, seconds: 60 } },
    exempt: ["203.0.113.0/24"],
    trustProxy: 0,
  });
  const post = (options?: Sending) => send(api, "POST", "/orders", { ...guest, order_offers: [] }, options);

  test("are limited by address, whatever that says of itself, and by customer", async () => {
    const answers = [];
    for (let n = 0; n < 5; n++) answers.push(await post({ headers: { "x-forwarded-for": `203.0.113.${n}` } }));
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 429, 429]);
    const refused = answers[4];
    expect(refused?.body.detail).toMatch(/^Too many orders: 3 in 60 s are allowed; try again in \d+ s$/);
    expect(Number(refused?.headers.get("retry-after"))).toBeGreaterThan(0);
    const statuses = async (token: string) => {
      const own = [];
      for (let n = 0; n < 5; n++) own.push((await post({ token })).status);
      return own;
    };
    expect(await statuses(api.tokens.user)).toEqual([201, 201, 201, 429, 429]);
    expect(await statuses(api.tokens.employee)).toEqual([201, 201, 201, 201, 201]);
  });
});
