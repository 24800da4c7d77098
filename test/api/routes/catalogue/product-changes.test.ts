import { randomUUID } from "node:crypto";
import { describe, expect, test, vi } from "vitest";
import type { NestedProductView } from "../../../../src/api/views/product.ts";
import { dropCatalogue } from "../../../../src/platform/cache-tags.ts";
import { type Body, objectKeys, useApi, userIds, useWorker } from "../../../support/api.ts";
import { addOffer, addProduct, addSubCategory } from "../../../support/catalogue.ts";
import { redPng } from "../../../support/images.ts";
import { type Page as PageOf, type SendOptions, send } from "../../../support/send.ts";
import { type FormSending, sendForm } from "../../../support/send-form.ts";

type ProductBody = NestedProductView & Pick<Body, "images" | "image_job" | "detail">;
type Page = PageOf<NestedProductView>;

describe("changes of products", () => {
  const api = useApi();
  useWorker(api);

  const get = (path: string, options: SendOptions = {}) => send<Page>(api, "GET", path, { token: "", ...options });
  const read = (path: string) => send<ProductBody>(api, "GET", `/products/${path}`, { token: "" });
  const facets = async (path: string) =>
    (await send<Record<string, number>>(api, "GET", `/products/meta/facets/${path}`, { token: "" })).body;
  const create = async (fields: Record<string, string>, options: FormSending = {}) =>
    sendForm<ProductBody>(api, "POST", "/products", { fields, image: await redPng(), ...options });
  const change = (id: string, fields: Record<string, string>, options: FormSending = {}) =>
    sendForm<ProductBody>(api, "PATCH", `/products/${id}`, { fields, ...options });
  const remove = (id: string) => send(api, "DELETE", `/products/${id}`, { token: api.tokens.admin });
  const idsOf = ({ body }: { body: Page }) => body.items.map(({ id }) => id);
  /** Rows that a test inserts directly are not announced to the cache. */
  const forget = () => dropCatalogue(api.context.cache, "category");
  const word = (start = "Word") => `${start}${randomUUID().replaceAll("-", "")}`;

  describe("POST /products", () => {
    test("makes a product whose picture is processed by the worker", async () => {
      const { id: sub_category_id } = await addSubCategory(api.db);
      const name = word("Шаровая опора ");
      const options = { headers: { prefer: "wait=10" }, image: await redPng(400, 300) };
      const { status, body } = await create({ name, sub_category_id, cross_number: " 1, 2 " }, options);
      expect(status).toBe(201);
      expect(body).toMatchObject({ name, sub_category_id, cross_number: "1, 2", bitrix_id: null, is_deleted: false });
      expect(body).toMatchObject({ total_quantity: 0, min_price_rub: null, image_job: { status: "succeeded" } });
      expect(body.slug).toMatch(/^sharovaia-opora-/);
      expect(body.images.map(({ width }) => width)).toEqual([320, 400, 400]);
      expect((await read(`slug/${body.slug}`)).body).toEqual(body);
      const { items } = (await get(`/products?sub_category_id=${sub_category_id}`)).body;
      expect(items).toMatchObject([{ image_url: body.image_url }]);
    });

    test("ignores fields that no caller may set; an empty cross number is none", async () => {
      const { id: sub_category_id } = await addSubCategory(api.db);
      const extra = {
        id: userIds.admin,
        slug: "mine",
        bitrix_id: "1",
        is_deleted: "true",
        sub_category: "[object Object]",
      };
      const { status, body } = await create({ name: word(), sub_category_id, cross_number: "", ...extra });
      expect([status, body]).toMatchObject([201, { cross_number: null, bitrix_id: null, is_deleted: false }]);
      expect([body.id, body.slug]).not.toEqual([userIds.admin, "mine"]);
    });

    test("answers 409 to a taken slug and to an unknown sub-category", async () => {
      const { id: sub_category_id } = await addSubCategory(api.db);
      const name = word("taken");
      await create({ name, sub_category_id });
      const detail = `A product with the slug '${name.toLowerCase()}' exists already; choose another name`;
      expect(await create({ name, sub_category_id })).toMatchObject({ status: 409, body: { detail } });
      const unknown = randomUUID();
      expect(await create({ name: word(), sub_category_id: unknown })).toMatchObject({
        status: 409,
        body: { detail: `Sub-category '${unknown}' does not exist; choose one that does` },
      });
    });

    test("answers 422 to missing fields and to a name without letters, 415 to no picture, 401 and 403", async () => {
      const { id: sub_category_id } = await addSubCategory(api.db);
      const before = await objectKeys(api.s3, "images/products/");
      const empty = await sendForm(api, "POST", "/products", { fields: { name: "" } });
      expect(empty.status).toBe(422);
      expect(empty.body.detail).toMatchObject(
        ["name", "sub_category_id", "image_blob"].map((name) => ({ type: "missing", loc: ["body", name] })),
      );
      const json = await send(api, "POST", "/products", { body: { name: "x", sub_category_id } });
      expect([json.status, (json.body.detail as unknown[]).length]).toEqual([422, 3]);
      expect((await create({ name: "…", sub_category_id })).status).toBe(422);
      expect((await create({ name: word(), sub_category_id }, { image: Buffer.from("<svg/>") })).status).toBe(415);
      expect((await create({ name: word(), sub_category_id }, { token: "" })).status).toBe(401);
      const customer = await create({ name: word(), sub_category_id }, { token: api.tokens.user });
      expect(customer).toMatchObject({ status: 403, body: { detail: "Access denied: role USER is not allowed." } });
      expect((await get(`/products?sub_category_id=${sub_category_id}`)).body.total).toBe(0);
      expect(await objectKeys(api.s3, "images/products/")).toEqual(before);
      // Pictures of other tests may still be waiting for the worker.
      await vi.waitFor(async () => expect(await objectKeys(api.s3, "staged/")).toEqual([]), 10_000);
    });

    test("twice under one Idempotency-Key makes one product", async () => {
      const { id: sub_category_id } = await addSubCategory(api.db);
      const headers = { "idempotency-key": randomUUID() };
      const fields = { name: word(), sub_category_id };
      const [first, second] = [await create(fields, { headers }), await create(fields, { headers })];
      expect([second.status, second.body.id]).toEqual([201, first.body.id]);
      expect((await get(`/products?sub_category_id=${sub_category_id}`)).body.total).toBe(1);
    });

    test("shows in every cached list, count, facet and search at once", async () => {
      const [name, category] = [word("New"), word("Cat")];
      const { id: sub_category_id, categoryId } = await addSubCategory(api.db, { name, category: { name: category } });
      await addProduct(api.db, { subCategoryId: sub_category_id });
      await forget();
      const read = async () => [
        (await get(`/products?sub_category_id=${sub_category_id}`)).body.total,
        (await get(`/products/meta/count?sub_category_id=${sub_category_id}`)).body.count,
        (await facets("categories"))[category],
        (await facets(`sub-categories?category_id=${categoryId}`))[name],
        (await get(`/products/search/wildcard?search_term=${name}`)).body.total,
        (await get(`/products/search/fts?search_term=${name}`)).body.total,
      ];
      expect(await read()).toEqual([1, 1, 1, 1, 0, 0]);
      const { body } = await create({ name, sub_category_id });
      expect(await read()).toEqual([2, 2, 2, 2, 1, 1]);
      await remove(body.id);
      expect(await read()).toEqual([1, 1, 1, 1, 0, 0]);
    });
  });

  describe("PATCH /products/{product_id}", () => {
    test("changes the slug with the name only", async () => {
      const [name, slug] = [word("Name"), word("legacy-")];
      const { id } = await addProduct(api.db, { name, slug });
      expect((await change(id, { name, cross_number: "1" })).body).toMatchObject({ name, slug, cross_number: "1" });
      const renamed = word("Renamed");
      expect((await change(id, { name: renamed })).body).toMatchObject({ name: renamed, slug: renamed.toLowerCase() });
      expect((await read(`slug/${slug}`)).status).toBe(404);
    });

    test("leaves what is not sent; an empty cross number is none", async () => {
      const { id } = await addProduct(api.db, { crossNumber: "A 1", bitrixId: word() });
      const { updated_at: _then, ...before } = (await read(id)).body;
      const { id: sub_category_id } = await addSubCategory(api.db);
      const moved = await change(id, { sub_category_id });
      expect(moved).toMatchObject({ status: 200, body: { sub_category_id, cross_number: "A 1", name: before.name } });
      expect(moved.body.sub_category.id).toBe(sub_category_id);
      expect((await change(id, { cross_number: "" })).body).toMatchObject({ cross_number: null, slug: before.slug });
      expect((await read(id)).body.bitrix_id).toBe(before.bitrix_id);
    });

    test("takes a whole product back, as the warehouse does, with one thing changed", async () => {
      const { productId } = await addOffer(api.db, { product: { crossNumber: "A 1" } });
      const { body: whole } = await read(productId);
      const fields = Object.fromEntries(Object.entries(whole).map(([key, value]) => [key, String(value)]));
      const sent = { ...fields, id: randomUUID(), slug: "mine", total_quantity: "99", cross_number: "B 2" };
      const { status, body } = await sendForm(api, "PATCH", `/warehouse/products/${productId}`, { fields: sent });
      expect(status).toBe(200);
      expect(body).toEqual({ ...whole, cross_number: "B 2", updated_at: expect.any(String) });
    });

    test("gives a new picture a new address", async () => {
      const { id } = await addProduct(api.db, { imageUrl: "https://pictures.test/old.jpg" });
      const headers = { prefer: "wait=10" };
      const { status, body } = await change(id, {}, { image: await redPng(330, 300), headers });
      expect([status, body]).toMatchObject([200, { image_job: { status: "succeeded" } }]);
      expect(body.images.map(({ width }) => width)).toEqual([320, 330, 330]);
      expect((await fetch(body.image_url)).status).toBe(200);
    });

    test("answers 400 to nothing, 404 to an unknown or deleted product, 409 and 422 to bad values", async () => {
      const { id } = await addProduct(api.db);
      const nothing = { status: 400, body: { detail: "No data provided for update" } };
      expect(await change(id, {})).toMatchObject(nothing);
      expect(await change(id, { slug: "mine", image_url: "x" })).toMatchObject(nothing);
      for (const gone of [randomUUID(), (await addProduct(api.db, { isDeleted: true })).id]) {
        expect(await change(gone, { name: word() })).toMatchObject({
          status: 404,
          body: { detail: "Entity not found" },
        });
      }
      const { body: other } = await read((await addProduct(api.db, { name: word("b"), slug: word("b") })).id);
      await change(other.id, { name: `${other.name}2` });
      expect((await change(id, { name: `${other.name}2` })).status).toBe(409);
      expect((await change(id, { sub_category_id: randomUUID() })).status).toBe(409);
      for (const bad of [{ name: "" }, { name: "…" }, { sub_category_id: "x" }]) {
        expect((await change(id, bad)).status, JSON.stringify(bad)).toBe(422);
      }
      expect((await change(id, { name: "x" }, { token: api.tokens.user })).status).toBe(403);
    });

    test("happens only in the state that If-Match names", async () => {
      const { id } = await addProduct(api.db);
      const headers = { "if-match": (await read(id)).headers.get("etag") ?? "" };
      expect((await change(id, { cross_number: "1" }, { headers })).status).toBe(200);
      expect((await change(id, { cross_number: "2" }, { headers })).status).toBe(412);
      expect((await read(id)).body.cross_number).toBe("1");
    });
  });

  describe("DELETE /products/{product_id}", () => {
    test("hides a product and its offers everywhere but by id, slug and former id", async () => {
      const [name, slug, bitrixId] = [word("Gone"), word("gone-"), word()];
      const offer = await addOffer(api.db, { product: { name, slug, bitrixId } });
      const { id: offerId, productId, subCategoryId, categoryId } = offer;
      const hidden = [
        `/products?sub_category_id=${subCategoryId}`,
        `/products?sub_category_id=${subCategoryId}&size=10000`,
        `/products/search/wildcard?search_term=${name}`,
        `/products/search/fts?search_term=${name}`,
        `/offers?product_id=${productId}`,
        `/offers/search/wildcard?search_term=${name}`,
        `/offers/search/fts?search_term=${name}`,
      ];
      for (const path of hidden) expect((await get(path)).body.total, path).toBe(1);
      expect(await remove(productId)).toMatchObject({ status: 204, text: "" });
      expect(await remove(productId)).toMatchObject({ status: 404, body: { detail: "Product not found" } });
      for (const path of hidden) expect((await get(path)).body, path).toMatchObject({ items: [], total: 0 });
      expect((await send<Page>(api, "POST", "/offers/by-ids", { body: [offerId] })).body.items).toEqual([]);
      expect((await get(`/products/meta/count?sub_category_id=${subCategoryId}`)).body).toEqual({ count: 0 });
      expect((await get(`/offers/meta/count?product_id=${productId}`)).body).toEqual({ count: 0 });
      expect(await facets(`sub-categories?category_id=${categoryId}`)).toEqual({});
      expect(idsOf(await get(`${hidden[0]}&is_deleted=true`))).toEqual([productId]);
      expect(idsOf(await get(`${hidden[4]}&is_deleted=true`))).toEqual([offerId]);
      for (const path of [productId, `slug/${slug}`, `bitrix/${bitrixId}`]) {
        expect(await read(path), path).toMatchObject({ status: 200, body: { id: productId, is_deleted: true } });
      }
      expect(await get(`/offers/${offerId}`)).toMatchObject({ status: 200, body: { is_deleted: true } });
    });

    test("needs an admin and a known id", async () => {
      const { id } = await addProduct(api.db);
      const employee = await send(api, "DELETE", `/products/${id}`);
      expect(employee).toMatchObject({ status: 403, body: { detail: "Access denied: role EMPLOYEE is not allowed." } });
      expect((await send(api, "DELETE", `/products/${id}`, { token: "" })).status).toBe(401);
      expect(await remove(randomUUID())).toMatchObject({ status: 404, body: { detail: "Product not found" } });
      expect((await remove("x")).status).toBe(422);
    });
  });
});
