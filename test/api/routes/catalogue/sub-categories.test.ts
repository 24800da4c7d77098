import { randomUUID } from "node:crypto";
import { describe, expect, test, vi } from "vitest";
import type { NestedSubCategoryView } from "../../../../src/api/views/category.ts";
import { dropCatalogue } from "../../../../src/platform/cache-tags.ts";
import { placeholderUrl } from "../../../../src/services/catalogue/placeholder-url.ts";
import { type Body, objectKeys, sendCategory, useApi, userIds, useWorker } from "../../../support/api.ts";
import { addCategory, addProduct, addSubCategory } from "../../../support/catalogue.ts";
import { redPng } from "../../../support/images.ts";
import { type SendOptions, send } from "../../../support/send.ts";
import { type FormSending, sendForm } from "../../../support/send-form.ts";

type SubCategoryBody = NestedSubCategoryView & Pick<Body, "images" | "thumbhash" | "image_job" | "detail">;
interface Page {
  items: NestedSubCategoryView[];
  total: number;
  detail: unknown;
}

describe("sub-categories", () => {
  const api = useApi();
  useWorker(api);

  const get = (query: string, options: SendOptions = {}) =>
    send<Page>(api, "GET", `/sub-categories${query}`, { token: "", ...options });
  const whole = (query: string) =>
    send<NestedSubCategoryView[]>(api, "GET", `/warehouse/sub-categories${query}`, { token: "" });
  const read = (path: string) => send<SubCategoryBody>(api, "GET", `/sub-categories/${path}`, { token: "" });
  const create = async (fields: Record<string, string>, options: FormSending = {}) =>
    sendForm<SubCategoryBody>(api, "POST", "/sub-categories", { fields, image: await redPng(), ...options });
  const change = (id: string, fields: Record<string, string>, options: FormSending = {}) =>
    sendForm<SubCategoryBody>(api, "PATCH", `/sub-categories/${id}`, { fields, ...options });
  const remove = (id: string, token = api.tokens.admin) => send(api, "DELETE", `/sub-categories/${id}`, { token });
  const namesOf = (items: NestedSubCategoryView[]) => items.map(({ name }) => name);
  /** Rows that a test inserts directly are not announced to the cache. */
  const forget = () => dropCatalogue(api.context.cache, "category");
  const word = (start = "Word") => `${start}${randomUUID().replaceAll("-", "")}`;

  async function shelf(names: string[]) {
    const { id: categoryId } = await addCategory(api.db, { slug: word("shelf-") });
    for (const name of names) await addSubCategory(api.db, { categoryId, name });
    await forget();
    return categoryId;
  }

  describe("GET /sub-categories", () => {
    test("lists those of a category by name, in pages, also past the end", async () => {
      const list = `?category_id=${await shelf(["Втулки", "Амортизаторы", "Болты"])}&order_by=name`;
      const all = await get(list);
      expect(namesOf(all.body.items)).toEqual(["Амортизаторы", "Болты", "Втулки"]);
      expect(all.body).toMatchObject({ total: 3, page: 1, size: 300, pages: 1 });
      const second = await get(`${list}&size=2&page=2`);
      expect(namesOf(second.body.items)).toEqual(["Втулки"]);
      expect(second.body).toMatchObject({ total: 3, page: 2, size: 2, pages: 2 });
      expect((await get(`${list}&size=2&page=9`)).body).toEqual({ items: [], total: 3, page: 9, size: 2, pages: 2 });
    });

    test("lists all by name and then id, whatever else is asked", async () => {
      await shelf(["Гайки", "Гайки"]);
      const { items, total } = (await get("?status=NEW&order_by=slug")).body;
      expect(items).toHaveLength(total);
      const twins = items.filter(({ name }) => name === "Гайки").map(({ id }) => id);
      expect(twins).toEqual(twins.toSorted());
      expect(twins).toHaveLength(2);
    });

    test("is a bare array of all for the warehouse, at the very same address", async () => {
      const query = `?category_id=${await shelf(["Два", "Один"])}&order_by=name`;
      const { status, body } = await whole(query);
      expect(status).toBe(200);
      expect(body).toEqual((await get(query)).body.items);
      expect(namesOf((await whole(`${query}&size=1&page=7`)).body)).toEqual(["Два", "Один"]);
      expect((await whole("")).body).toHaveLength((await get("")).body.total);
      expect((await whole(`?category_id=${randomUUID()}`)).body).toEqual([]);
    });

    test("shows all that both clients want of a sub-category and its category", async () => {
      const imageUrl = "https://pictures.test/s.jpg";
      const { id, categoryId } = await addSubCategory(api.db, { imageUrl, category: { imageUrl: "" } });
      await forget();
      const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
      const common = { name: expect.any(String), slug: expect.any(String), created_at: time, updated_at: time };
      const { items } = (await get(`?category_id=${categoryId}`)).body;
      const category = { id: categoryId, ...common, image_url: placeholderUrl };
      expect(items).toEqual([{ id, ...common, category_id: categoryId, image_url: imageUrl, category }]);
      expect((await read(id)).body).toEqual({ ...items[0], images: [], thumbhash: null, image_job: null });
    });

    test.each([null, ""])("has the placeholder for a picture that is %j", async (imageUrl) => {
      const { id, categoryId } = await addSubCategory(api.db, { imageUrl });
      await forget();
      expect((await get(`?category_id=${categoryId}`)).body.items).toMatchObject([{ image_url: placeholderUrl }]);
      expect((await read(id)).body.image_url).toBe(placeholderUrl);
    });

    test("goes by the category's slug too, but the id wins", async () => {
      const slug = word("slug-");
      const one = await addSubCategory(api.db, { category: { slug } });
      const other = await addSubCategory(api.db);
      await forget();
      expect((await get(`?category_slug=${slug}`)).body.items).toMatchObject([{ id: one.id }]);
      expect((await whole(`?category_slug=${slug}`)).body).toMatchObject([{ id: one.id }]);
      for (const any of [slug, "nowhere"]) {
        const { items } = (await get(`?category_slug=${any}&category_id=${other.categoryId}`)).body;
        expect(items).toMatchObject([{ id: other.id }]);
      }
      const unknown = { status: 404, body: { detail: "Category not found" } };
      expect(await get("?category_slug=nowhere")).toMatchObject(unknown);
      expect(await whole("?category_slug=nowhere")).toMatchObject(unknown);
      const empty = { status: 200, body: { items: [], total: 0, pages: 0 } };
      expect(await get(`?category_id=${randomUUID()}`)).toMatchObject(empty);
    });

    test.each([
      ["size=501", "less_than_equal", "Input should be less than or equal to 500"],
      ["size=0", "greater_than_equal", "Input should be greater than or equal to 1"],
      ["page=0", "greater_than_equal", "Input should be greater than or equal to 1"],
      ["size=abc", "int_parsing", "Input should be a valid integer, unable to parse string as an integer"],
      ["category_id=x", "uuid_parsing", undefined],
    ])("answers 422 to %s", async (query, type, msg) => {
      const [name, input] = query.split("=");
      const { status, body } = await get(`?${query}`);
      expect(status).toBe(422);
      expect(body.detail).toMatchObject([{ type, ...(msg && { msg }), loc: ["query", name], input }]);
    });

    test("answers 304 to a client that has the list already, and the new list after a change", async () => {
      const { id, categoryId } = await addSubCategory(api.db);
      await forget();
      for (const path of ["/sub-categories", "/warehouse/sub-categories"]) {
        const list = (headers = {}) => send(api, "GET", `${path}?category_id=${categoryId}`, { token: "", headers });
        const headers = { "if-none-match": (await list()).headers.get("etag") ?? "" };
        expect(await list(headers)).toMatchObject({ status: 304, text: "" });
        await change(id, { name: word() });
        expect((await list(headers)).status).toBe(200);
      }
    });
  });

  describe("one sub-category", () => {
    test("is found by id in any spelling and by slug, for both profiles", async () => {
      const slug = word("slug-");
      const { id } = await addSubCategory(api.db, { slug });
      const { body } = await read(id);
      expect(body).toMatchObject({ id, slug });
      for (const path of [id.toUpperCase(), id.replaceAll("-", ""), `slug/${slug}`]) {
        expect(await read(path), path).toMatchObject({ status: 200, body });
        expect((await whole(`/${path}`)).body, path).toEqual(body);
      }
    });

    test("is 404 when it is unknown", async () => {
      for (const path of [randomUUID(), "slug/nowhere"]) {
        expect(await read(path), path).toMatchObject({ status: 404, body: { detail: "Sub Category not found" } });
      }
      expect(await read("x")).toMatchObject({
        status: 422,
        body: { detail: [{ type: "uuid_parsing", loc: ["path", "sub_category_id"] }] },
      });
    });
  });

  describe("POST /sub-categories", () => {
    test("makes a sub-category whose picture is processed by the worker", async () => {
      const { id: category_id } = await addCategory(api.db);
      const mark = word();
      const options = { headers: { prefer: "wait=10" }, image: await redPng(400, 300) };
      const { status, body } = await create({ name: `Тормозные диски ${mark}`, category_id }, options);
      expect(status).toBe(201);
      const slug = `tormoznye-diski-${mark.toLowerCase()}`;
      expect(body).toMatchObject({ category_id, category: { id: category_id }, slug });
      expect(body.image_job?.status).toBe("succeeded");
      expect(body.images.map(({ width, type }) => `${width} ${type}`)).toEqual([
        "320 image/webp",
        "400 image/webp",
        "400 image/avif",
      ]);
      expect((await fetch(body.image_url)).headers.get("cache-control")).toContain("immutable");
      expect((await read(`slug/${slug}`)).body).toEqual(body);
      expect((await get(`?category_id=${category_id}`)).body.items).toMatchObject([{ image_url: body.image_url }]);
    });

    test("ignores fields that no caller may set", async () => {
      const { id: category_id } = await addCategory(api.db);
      const extra = { id: userIds.admin, slug: "mine", image_url: "x", category: "[object Object]" };
      const { status, body } = await create({ name: word(), category_id, ...extra });
      expect(status).toBe(201);
      expect(body.id).not.toBe(userIds.admin);
      expect(body.slug).not.toBe("mine");
    });

    test("answers 409 to a taken slug and to an unknown category", async () => {
      const { id: category_id } = await addCategory(api.db);
      const name = word("taken");
      await create({ name, category_id });
      const detail = `A sub-category with the slug '${name.toLowerCase()}' exists already; choose another name`;
      expect(await create({ name, category_id })).toMatchObject({ status: 409, body: { detail } });
      const unknown = randomUUID();
      expect(await create({ name: word(), category_id: unknown })).toMatchObject({
        status: 409,
        body: { detail: `Category '${unknown}' does not exist; choose one that does` },
      });
    });

    test("answers 422 to missing fields and to a name without letters, 415 to no picture, 401 and 403", async () => {
      const { id: category_id } = await addCategory(api.db);
      const before = await objectKeys(api.s3, "images/sub-categories/");
      const empty = await sendForm(api, "POST", "/sub-categories", { fields: { name: "", category_id: "" } });
      const missing = ["name", "category_id", "image_blob"].map((name) => ({ type: "missing", loc: ["body", name] }));
      expect([empty.status, empty.body.detail]).toMatchObject([422, missing]);
      const json = await send(api, "POST", "/sub-categories", { body: { name: "x", category_id } });
      expect([json.status, json.body.detail]).toMatchObject([422, missing]);
      expect((await create({ name: "…", category_id })).status).toBe(422);
      expect((await create({ name: word(), category_id: "x" })).status).toBe(422);
      expect((await create({ name: word(), category_id }, { image: Buffer.from("<svg/>") })).status).toBe(415);
      expect((await create({ name: word(), category_id }, { token: "" })).status).toBe(401);
      const customer = await create({ name: word(), category_id }, { token: api.tokens.user });
      expect(customer).toMatchObject({ status: 403, body: { detail: "Access denied: role USER is not allowed." } });
      expect((await get(`?category_id=${category_id}`)).body.total).toBe(0);
      expect(await objectKeys(api.s3, "images/sub-categories/")).toEqual(before);
      // Pictures of other tests may still be waiting for the worker.
      await vi.waitFor(async () => expect(await objectKeys(api.s3, "staged/")).toEqual([]), 10_000);
    });

    test("twice under one Idempotency-Key makes one sub-category", async () => {
      const { id: category_id } = await addCategory(api.db);
      const headers = { "idempotency-key": randomUUID() };
      const fields = { name: word(), category_id };
      const [first, second] = [await create(fields, { headers }), await create(fields, { headers })];
      expect([second.status, second.body.id]).toEqual([201, first.body.id]);
      expect((await get(`?category_id=${category_id}`)).body.total).toBe(1);
    });

    test("shows in the cached lists of both profiles at once, as does its end", async () => {
      const category_id = await shelf([word()]);
      const lengths = async () => [
        (await get(`?category_id=${category_id}`)).body.total,
        (await whole(`?category_id=${category_id}`)).body.length,
      ];
      expect(await lengths()).toEqual([1, 1]);
      const { body } = await create({ name: word(), category_id });
      expect(await lengths()).toEqual([2, 2]);
      expect((await remove(body.id)).status).toBe(204);
      expect(await lengths()).toEqual([1, 1]);
    });
  });

  describe("PATCH /sub-categories/{sub_category_id}", () => {
    test("changes the slug with the name only", async () => {
      const [name, slug] = [word("Name"), word("legacy-")];
      const { id } = await addSubCategory(api.db, { name, slug });
      const { id: category_id } = await addCategory(api.db);
      expect((await change(id, { name, category_id })).body).toMatchObject({ name, slug, category_id });
      const renamed = word("Renamed");
      const { status, body } = await change(id, { name: renamed });
      expect([status, body]).toMatchObject([200, { name: renamed, slug: renamed.toLowerCase(), category_id }]);
      expect((await read(`slug/${slug}`)).status).toBe(404);
    });

    test("takes a whole sub-category back, as the warehouse does", async () => {
      const { id } = await addSubCategory(api.db, { imageUrl: "https://pictures.test/s.jpg" });
      const { body: before } = await read(id);
      const { id: category_id } = await addCategory(api.db);
      const extra = { id: randomUUID(), slug: "mine", image_url: "https://evil.test/x", category: "[object Object]" };
      const fields = { ...extra, name: before.name, category_id };
      const answer = await sendForm<SubCategoryBody>(api, "PATCH", `/warehouse/sub-categories/${id}`, { fields });
      expect(answer.status).toBe(200);
      const { id: _id, name, slug, image_url } = before;
      expect(answer.body).toMatchObject({ id, name, slug, image_url, category_id, category: { id: category_id } });
    });

    test("gives a new picture a new address, and lists show it", async () => {
      const { id, categoryId } = await addSubCategory(api.db, { imageUrl: "https://pictures.test/old.jpg" });
      await forget();
      await get(`?category_id=${categoryId}`);
      const headers = { prefer: "wait=10" };
      const { status, body } = await change(id, {}, { image: await redPng(330, 300), headers });
      expect([status, body]).toMatchObject([200, { image_job: { status: "succeeded" } }]);
      expect(body.images.map(({ width }) => width)).toEqual([320, 330, 330]);
      const { items } = (await get(`?category_id=${categoryId}`)).body;
      expect(items).toMatchObject([{ image_url: body.image_url }]);
    });

    test("answers 400 to nothing, 404 to an unknown one, 409 and 422 to bad values", async () => {
      const { id } = await addSubCategory(api.db);
      const nothing = { status: 400, body: { detail: "No data provided for update" } };
      expect(await change(id, {})).toMatchObject(nothing);
      expect(await change(id, { slug: "mine", category: "[object Object]" })).toMatchObject(nothing);
      const missing = { status: 404, body: { detail: "Entity not found" } };
      expect(await change(randomUUID(), { name: word() })).toMatchObject(missing);
      const name = word("taken");
      await addSubCategory(api.db, { name, slug: name });
      expect((await change(id, { name })).status).toBe(409);
      expect((await change(id, { category_id: randomUUID() })).status).toBe(409);
      for (const bad of [{ name: "" }, { name: "…" }, { category_id: "x" }]) {
        expect((await change(id, bad)).status, JSON.stringify(bad)).toBe(422);
      }
      expect((await change(id, { name: "x" }, { token: api.tokens.user })).status).toBe(403);
    });

    test("happens only in the state that If-Match names", async () => {
      const { id } = await addSubCategory(api.db);
      const headers = { "if-match": (await read(id)).headers.get("etag") ?? "" };
      const [first, second] = [word("First"), word("Second")];
      expect((await change(id, { name: first }, { headers })).status).toBe(200);
      expect((await change(id, { name: second }, { headers })).status).toBe(412);
      expect((await read(id)).body.name).toBe(first);
    });
  });

  describe("DELETE /sub-categories/{sub_category_id}", () => {
    test("needs an admin, and finds nothing the second time", async () => {
      const { id, categoryId } = await addSubCategory(api.db);
      await forget();
      const denied = { status: 403, body: { detail: "Access denied: role EMPLOYEE is not allowed." } };
      expect(await remove(id, api.tokens.employee)).toMatchObject(denied);
      expect((await remove(id, "")).status).toBe(401);
      expect(await remove(id)).toMatchObject({ status: 204, text: "" });
      expect(await remove(id)).toMatchObject({ status: 404, body: { detail: "Sub Category not found" } });
      expect((await read(id)).status).toBe(404);
      expect((await whole(`?category_id=${categoryId}`)).body).toEqual([]);
      expect((await remove("x")).status).toBe(422);
    });

    test.each([false, true])("refuses while it has products, deleted or not: %s", async (isDeleted) => {
      const { subCategoryId } = await addProduct(api.db, { isDeleted });
      const detail = expect.stringContaining(`Sub-category '${subCategoryId}' still has 1 product: `);
      expect(await remove(subCategoryId)).toMatchObject({ status: 409, body: { detail } });
      expect((await read(subCategoryId)).status).toBe(200);
    });
  });

  test("a renamed category shows in the cached lists of its sub-categories at once", async () => {
    const categoryId = await shelf([word()]);
    const name = word("Category");
    await Promise.all([get(`?category_id=${categoryId}`), whole(`?category_id=${categoryId}`)]);
    await sendCategory(api, { method: "PATCH", path: `/categories/${categoryId}`, name });
    expect((await get(`?category_id=${categoryId}`)).body.items).toMatchObject([{ category: { name } }]);
    expect((await whole(`?category_id=${categoryId}`)).body).toMatchObject([{ category: { name } }]);
  });
});
