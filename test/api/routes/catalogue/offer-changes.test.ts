import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { NestedOfferView } from "../../../../src/api/views/offer.ts";
import { Offer } from "../../../../src/db/entities/catalogue/offer.ts";
import { dropCatalogue } from "../../../../src/platform/cache-tags.ts";
import { placeholderUrl } from "../../../../src/services/catalogue/placeholder-url.ts";
import { type Body, objectKeys, useApi, userIds, useWorker } from "../../../support/api.ts";
import { addOffer, addProduct } from "../../../support/catalogue.ts";
import { redPng } from "../../../support/images.ts";
import { type Page as PageOf, type SendOptions, send } from "../../../support/send.ts";
import { type FormSending, sendForm } from "../../../support/send-form.ts";

type OfferBody = NestedOfferView & Pick<Body, "images" | "image_job" | "detail">;
type Page = PageOf<NestedOfferView>;

describe("changes of offers", () => {
  const api = useApi();
  useWorker(api);

  const get = (path: string, options: SendOptions = {}) => send<Page>(api, "GET", path, { token: "", ...options });
  const show = (id: string, options: SendOptions = {}) =>
    send<OfferBody>(api, "GET", `/offers/${id}`, { token: "", ...options });
  const create = (body: object, options: SendOptions = {}) =>
    send<OfferBody>(api, "POST", "/offers", { body, ...options });
  const change = (id: string, body: object, options: SendOptions = {}) =>
    send<OfferBody>(api, "PATCH", `/offers/${id}`, { body, ...options });
  const remove = (id: string) => send(api, "DELETE", `/offers/${id}`, { token: api.tokens.admin });
  const byIds = (body: unknown, query = "") => send<Page>(api, "POST", `/offers/by-ids${query}`, { body, token: "" });
  const idsOf = ({ body }: { body: Page }) => body.items.map(({ id }) => id);
  /** Rows that a test inserts directly are not announced to the cache. */
  const forget = () => dropCatalogue(api.context.cache, "category");

  const values = (product_id: string) => ({
    product_id,
    brand: "BOSCH",
    manufacturer_number: "0 986 479 C19",
    price_rub: 717,
    super_wholesale_price_rub: 573,
  });

  describe("POST /offers", () => {
    test("makes an offer of JSON as the warehouse sends it", async () => {
      const { id: productId } = await addProduct(api.db, { imageUrl: "https://pictures.test/p.jpg" });
      const body = { ...values(productId), address_id: "", internal_description: null };
      const { status, body: made } = await send<OfferBody>(api, "POST", "/warehouse/offers", { body });
      expect(status).toBe(201);
      const stock = { quantity: 0, is_deleted: false, sku: null, address_id: null, internal_description: null };
      expect(made).toMatchObject({ ...values(productId), ...stock, wholesale_price_rub: 645 });
      expect(made).toMatchObject({ image_url: "https://pictures.test/p.jpg", image_job: null });
      expect((await show(made.id)).body).toEqual(made);
      expect(await api.db.manager.findOneByOrFail(Offer, { id: made.id })).toMatchObject({
        imageUrl: null,
        imageId: null,
      });
    });

    test("makes one of a form too, multipart or urlencoded", async () => {
      const { id: productId } = await addProduct(api.db);
      const fields = { ...values(productId), price_rub: "717", super_wholesale_price_rub: "573.0", sku: "B-2" };
      const multipart = await sendForm<OfferBody>(api, "POST", "/offers", { fields });
      const headers = {
        authorization: `Bearer ${api.tokens.employee}`,
        "content-type": "application/x-www-form-urlencoded",
      };
      const body = new URLSearchParams(fields).toString();
      const urlencoded = await fetch(`${api.url}/offers`, { method: "POST", body, headers });
      for (const made of [multipart, { status: urlencoded.status, body: (await urlencoded.json()) as OfferBody }]) {
        expect(made).toMatchObject({ status: 201, body: { ...values(productId), sku: "B-2", address_id: "B-2" } });
      }
    });

    test.each([
      [{ address_id: "C-3" }, "C-3"],
      [{ address_id: "C-3", sku: "D-4" }, "D-4"],
      [{ address_id: "C-3", sku: null }, null],
      [{ address_id: "C-3", sku: "" }, null],
      [{ address_id: null }, null],
      [{ address_id: "  " }, null],
      [{}, null],
    ])("takes %j as the shelf address %s", async (given, sku) => {
      const { id } = await addProduct(api.db);
      expect((await create({ ...values(id), ...given })).body).toMatchObject({ sku, address_id: sku });
    });

    test("ignores the stock and other fields that no caller may set", async () => {
      const { id } = await addProduct(api.db);
      const given = { id: userIds.admin, quantity: 500, is_deleted: true, image_url: "https://evil.test/x.png" };
      const { body } = await create({ ...values(id), ...given });
      expect(body).toMatchObject({ quantity: 0, is_deleted: false, image_url: placeholderUrl });
      expect(body.id).not.toBe(userIds.admin);
    });

    test("lets a product have the same brand and number twice", async () => {
      const { id } = await addProduct(api.db);
      expect((await create(values(id))).status).toBe(201);
      expect((await create(values(id))).status).toBe(201);
      expect((await get(`/offers?product_id=${id}`)).body.total).toBe(2);
    });

    test.each([
      ["price_rub", -5, "greater_than_equal"],
      ["super_wholesale_price_rub", -1, "greater_than_equal"],
      ["price_rub", 100.75, "int_from_float"],
      ["price_rub", "abc", "int_parsing"],
      ["brand", "   ", "string_too_short"],
      ["manufacturer_number", 5, "string_type"],
      ["product_id", "x", "uuid_parsing"],
      ["brand", "", "missing"],
    ])("answers 422 to the %s %j", async (field, value, type) => {
      const { id } = await addProduct(api.db);
      const { status, body } = await create({ ...values(id), [field]: value });
      expect(status).toBe(422);
      expect(body.detail).toMatchObject([{ type, loc: ["body", field] }]);
    });

    test("answers 422 to missing fields, 401 to a caller without a token, 403 to a customer, 409 to an unknown or deleted product", async () => {
      const { status, body } = await create({});
      expect(status).toBe(422);
      const fields = ["product_id", "brand", "manufacturer_number", "price_rub", "super_wholesale_price_rub"];
      expect(body.detail).toMatchObject(fields.map((name) => ({ type: "missing", loc: ["body", name] })));
      expect((await create({}, { token: "" })).status).toBe(401);
      const customer = await create({}, { token: api.tokens.user });
      expect(customer).toMatchObject({ status: 403, body: { detail: "Access denied: role USER is not allowed." } });
      for (const id of [randomUUID(), (await addProduct(api.db, { isDeleted: true })).id]) {
        const detail = `Product '${id}' does not exist or is deleted; choose another one`;
        expect(await create(values(id))).toMatchObject({ status: 409, body: { detail } });
      }
    });

    test("twice under one Idempotency-Key makes one offer", async () => {
      const { id } = await addProduct(api.db);
      const headers = { "idempotency-key": randomUUID() };
      const first = await create(values(id), { headers });
      const second = await create(values(id), { headers });
      expect([second.status, second.body]).toEqual([201, first.body]);
      expect((await get(`/offers?product_id=${id}`)).body.total).toBe(1);
    });

    test("shows in every cached list and count at once", async () => {
      const { id } = await addProduct(api.db);
      await addOffer(api.db, { productId: id, quantity: 0 });
      await forget();
      const brand = `Fresh${randomUUID()}`;
      const paths = [
        `/offers?product_id=${id}`,
        `/offers/meta/count?product_id=${id}`,
        `/offers/search/wildcard?search_term=${brand}`,
      ];
      const read = async () =>
        (await Promise.all(paths.map((path) => get(path)))).map(({ body }) => body.total ?? body.count);
      expect(await read()).toEqual([1, 1, 0]);
      await create({ ...values(id), brand });
      expect(await read()).toEqual([2, 2, 1]);
      expect(await send(api, "GET", `/products/${id}`)).toMatchObject({ body: { min_price_rub: 717 } });
    });
  });

  describe("PATCH /offers/{offer_id}", () => {
    test.each([
      [{ brand: "LUK" }],
      [{ manufacturer_number: "X-9" }],
      [{ price_rub: 5 }],
      [{ super_wholesale_price_rub: 0 }],
      [{ internal_description: "кривая коробка" }],
      [{ internal_description: null }],
      [{ sku: "Z-1", price_rub: 3 }],
      [{ sku: null }],
    ])("changes %j and nothing else", async (given) => {
      const { id } = await addOffer(api.db, { sku: "A-1", internalDescription: "note", offerBitrixId: "1" });
      const { updated_at: _then, wholesale_price_rub: _price, product: _product, ...before } = (await show(id)).body;
      const { status, body } = await change(id, given);
      expect(status).toBe(200);
      expect(body).toMatchObject({ ...before, ...given, ...("sku" in given && { address_id: given.sku }) });
      expect((await show(id)).body).toEqual(body);
    });

    test("takes address_id for sku where sku is absent; empty is null", async () => {
      const { id } = await addOffer(api.db, { sku: "A-1" });
      expect((await change(id, { address_id: "B-2" })).body).toMatchObject({ sku: "B-2", address_id: "B-2" });
      expect((await change(id, { address_id: "C-3", sku: "D-4" })).body).toMatchObject({ sku: "D-4" });
      expect((await change(id, { address_id: "" })).body).toMatchObject({ sku: null, address_id: null });
    });

    test("takes a whole offer back, as the warehouse does, with one thing changed", async () => {
      const { id } = await addOffer(api.db, { sku: "A-1", quantity: 7 });
      const { body: whole } = await send<OfferBody>(api, "GET", `/warehouse/offers/${id}`);
      const { sku: _sku, ...known } = whole;
      const body = { ...known, address_id: "E-5", price_rub: 1_234, quantity: 900, is_deleted: true, id: randomUUID() };
      const answer = await send<OfferBody>(api, "PATCH", `/warehouse/offers/${id}`, { body });
      expect(answer.status).toBe(200);
      expect(answer.body).toMatchObject({ id, sku: "E-5", price_rub: 1_234, quantity: 7, is_deleted: false });
    });

    test("takes a form too, and ignores what it does not know", async () => {
      const { id } = await addOffer(api.db, { quantity: 4 });
      const fields = {
        brand: "SKF",
        price_rub: "12",
        product: "[object Object]",
        quantity: "99",
        image_url: "x",
        id: "x",
      };
      const { status, body } = await sendForm<OfferBody>(api, "PATCH", `/offers/${id}`, { fields });
      expect([status, body.brand, body.price_rub, body.quantity]).toEqual([200, "SKF", 12, 4]);
    });

    test("moves an offer to another product, but not to one that is unknown or deleted", async () => {
      const { id } = await addOffer(api.db);
      const { id: other } = await addProduct(api.db);
      const moved = await change(id, { product_id: other });
      expect(moved).toMatchObject({ status: 200, body: { product_id: other, product: { id: other } } });
      for (const product_id of [randomUUID(), (await addProduct(api.db, { isDeleted: true })).id]) {
        expect(await change(id, { product_id })).toMatchObject({ status: 409 });
      }
    });

    test("answers 400 to nothing, 404 to an unknown or deleted offer, 422 to bad values", async () => {
      const { id } = await addOffer(api.db);
      const nothing = { status: 400, body: { detail: "No data provided for update" } };
      expect(await change(id, {})).toMatchObject(nothing);
      expect(await change(id, { quantity: 5, id, product: {} })).toMatchObject(nothing);
      expect(await sendForm(api, "PATCH", `/offers/${id}`, { fields: { quantity: "5" } })).toMatchObject(nothing);
      for (const gone of [randomUUID(), (await addOffer(api.db, { isDeleted: true })).id]) {
        expect(await change(gone, { brand: "X" })).toMatchObject({ status: 404, body: { detail: "Entity not found" } });
      }
      for (const bad of [{ price_rub: -1 }, { super_wholesale_price_rub: 1.5 }, { brand: "" }, { brand: null }]) {
        expect((await change(id, bad)).status, JSON.stringify(bad)).toBe(422);
      }
      expect((await change(id, { brand: "X" }, { token: api.tokens.user })).status).toBe(403);
    });

    test("happens only in the state that If-Match names", async () => {
      const { id } = await addOffer(api.db);
      const headers = { "if-match": (await show(id)).headers.get("etag") ?? "" };
      expect((await change(id, { price_rub: 1 }, { headers })).status).toBe(200);
      expect((await change(id, { price_rub: 2 }, { headers })).status).toBe(412);
      expect((await show(id)).body.price_rub).toBe(1);
    });
  });

  describe("uploads", () => {
    const upload = (method: "POST" | "PATCH", path: string, options: FormSending) =>
      sendForm<OfferBody>(api, method, path, { headers: { prefer: "wait=10" }, ...options });

    test("give an offer a picture of its own, and a new one a new address", async () => {
      const { id: productId } = await addProduct(api.db, { imageUrl: "https://pictures.test/p.jpg" });
      const fields = { ...values(productId), price_rub: "1", super_wholesale_price_rub: "1" };
      const first = await upload("POST", "/offers", { fields, image: await redPng(400, 300) });
      expect(first).toMatchObject({ status: 201, body: { image_job: { status: "succeeded" } } });
      expect(first.body.images.map(({ width, type }) => `${width} ${type}`)).toEqual([
        "320 image/webp",
        "400 image/webp",
        "400 image/avif",
      ]);
      expect((await fetch(first.body.image_url)).headers.get("cache-control")).toContain("immutable");
      expect((await get(`/offers?product_id=${productId}`)).body.items).toMatchObject([
        { image_url: first.body.image_url, product: { image_url: "https://pictures.test/p.jpg" } },
      ]);
      const second = await upload("PATCH", `/offers/${first.body.id}`, { image: await redPng(330, 300) });
      expect(second).toMatchObject({ status: 200, body: { brand: "BOSCH", image_job: { status: "succeeded" } } });
      expect(second.body.image_url).not.toBe(first.body.image_url);
      expect(second.body.images.map(({ width }) => width)).toEqual([320, 330, 330]);
      expect(await objectKeys(api.s3, "staged/")).toEqual([]);
    });

    test("are refused when the content is no picture, and leave nothing behind", async () => {
      const { id: productId } = await addProduct(api.db);
      const fields = { ...values(productId), price_rub: "1", super_wholesale_price_rub: "1" };
      const before = await objectKeys(api.s3);
      const refused = await upload("POST", "/offers", { fields, image: Buffer.from("<svg/>") });
      expect(refused.status).toBe(415);
      expect(refused.body.detail).toMatch(/^File contents don’t match the file extension: Invalid file type: /);
      expect(await upload("POST", "/offers", { fields: { ...fields, image_blob: "text" } })).toMatchObject({
        status: 422,
        body: { detail: [{ type: "value_error", loc: ["body", "image_blob"] }] },
      });
      expect((await get(`/offers?product_id=${productId}`)).body.total).toBe(0);
      expect(await objectKeys(api.s3)).toEqual(before);
    });
  });

  describe("DELETE /offers/{offer_id}", () => {
    test("hides an offer everywhere but by its id", async () => {
      const brand = `Gone${randomUUID().replaceAll("-", "")}`;
      const { id, productId } = await addOffer(api.db, { brand, priceRub: 10, quantity: 3 });
      await addOffer(api.db, { productId, priceRub: 20, quantity: 4 });
      const product = async () => (await send(api, "GET", `/products/${productId}`)).body;
      expect(await product()).toMatchObject({ total_quantity: 7, min_price_rub: 10 });
      const searches = ["wildcard", "fts", "text_search"].map((kind) => `/offers/search/${kind}?search_term=${brand}`);
      for (const path of searches) expect(idsOf(await get(path)), path).toEqual([id]);

      expect(await remove(id)).toMatchObject({ status: 204, text: "" });
      expect(await remove(id)).toMatchObject({ status: 404, body: { detail: "Offer not found" } });
      for (const path of searches) expect(idsOf(await get(path)), path).toEqual([]);
      expect((await byIds([id])).body.items).toEqual([]);
      expect((await get(`/offers?product_id=${productId}`)).body.total).toBe(1);
      expect(idsOf(await get(`/offers?product_id=${productId}&is_deleted=true`))).toEqual([id]);
      expect((await get(`/offers/meta/count?product_id=${productId}`)).body).toEqual({ count: 1 });
      expect(await product()).toMatchObject({ total_quantity: 4, min_price_rub: 20 });
      expect(await show(id)).toMatchObject({ status: 200, body: { id, is_deleted: true, brand } });
      expect(await change(id, { brand: "X" })).toMatchObject({ status: 404 });
    });

    test("needs an admin and a known id", async () => {
      const { id } = await addOffer(api.db);
      const employee = await send(api, "DELETE", `/offers/${id}`);
      expect(employee).toMatchObject({ status: 403, body: { detail: "Access denied: role EMPLOYEE is not allowed." } });
      expect((await send(api, "DELETE", `/offers/${id}`, { token: "" })).status).toBe(401);
      expect(await remove(randomUUID())).toMatchObject({ status: 404, body: { detail: "Offer not found" } });
      expect((await remove("x")).status).toBe(422);
    });
  });
});
