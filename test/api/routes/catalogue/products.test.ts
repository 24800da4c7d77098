import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { NestedProductView } from "../../../../src/api/views/product.ts";
import { dropCatalogue } from "../../../../src/platform/cache-tags.ts";
import { placeholderUrl } from "../../../../src/services/catalogue/placeholder-url.ts";
import { type Body, useApi, useWorker } from "../../../support/api.ts";
import { addCategory, addOffer, addProduct, addSubCategory } from "../../../support/catalogue.ts";
import { type Page as PageOf, type SendOptions, send } from "../../../support/send.ts";
import { type FormSending, sendForm } from "../../../support/send-form.ts";

type ProductBody = NestedProductView & Pick<Body, "images" | "image_job" | "detail">;
type Page = PageOf<NestedProductView>;

describe("products", () => {
  const api = useApi();
  useWorker(api);

  const get = (path: string, options: SendOptions = {}) => send<Page>(api, "GET", path, { token: "", ...options });
  const read = (path: string) => send<ProductBody>(api, "GET", `/products/${path}`, { token: "" });
  const facets = async (path: string) =>
    (await send<Record<string, number>>(api, "GET", `/products/meta/facets/${path}`, { token: "" })).body;
  const change = (id: string, fields: Record<string, string>, options: FormSending = {}) =>
    sendForm<ProductBody>(api, "PATCH", `/products/${id}`, { fields, ...options });
  const namesOf = ({ body }: { body: Page }) => body.items.map(({ name }) => name);
  const idsOf = ({ body }: { body: Page }) => body.items.map(({ id }) => id);
  /** Rows that a test inserts directly are not announced to the cache. */
  const forget = () => dropCatalogue(api.context.cache, "category");
  const word = (start = "Word") => `${start}${randomUUID().replaceAll("-", "")}`;

  async function shelf(names: string[]) {
    const { id: subCategoryId } = await addSubCategory(api.db);
    for (const name of names) await addProduct(api.db, { subCategoryId, name });
    return subCategoryId;
  }

  describe("GET /products", () => {
    test("lists those of a sub-category by name, in pages, also past the end", async () => {
      const list = `/products?sub_category_id=${await shelf(["Втулка", "Амортизатор", "Болт"])}`;
      expect(namesOf(await get(list))).toEqual(["Амортизатор", "Болт", "Втулка"]);
      expect((await get(list)).body).toMatchObject({ total: 3, page: 1, size: 300, pages: 1 });
      const second = await get(`${list}&size=2&page=2&order_by=name`);
      expect(namesOf(second)).toEqual(["Втулка"]);
      expect(second.body).toMatchObject({ total: 3, page: 2, size: 2, pages: 2 });
      expect((await get(`${list}&size=2&page=9`)).body).toEqual({ items: [], total: 3, page: 9, size: 2, pages: 2 });
    });

    test("orders equal names by id", async () => {
      const subCategoryId = await shelf(["Гайка", "Гайка", "Гайка"]);
      const ids = idsOf(await get(`/products?sub_category_id=${subCategoryId}`));
      expect(ids).toEqual(ids.toSorted());
    });

    test("is an envelope for the warehouse too", async () => {
      const path = `/products?sub_category_id=${await shelf(["Один"])}`;
      expect((await get(`/warehouse${path}`)).body).toEqual((await get(path)).body);
    });

    test("shows all that both clients want of a product", async () => {
      const { id, subCategoryId, categoryId } = await addProduct(api.db, {
        crossNumber: "A 1, B 2",
        bitrixId: word(),
        imageUrl: "https://pictures.test/p.jpg",
      });
      const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
      const common = { name: expect.any(String), slug: expect.any(String), created_at: time, updated_at: time };
      const { body } = await get(`/products?sub_category_id=${subCategoryId}`);
      expect(body.items).toEqual([
        {
          id,
          ...common,
          cross_number: "A 1, B 2",
          bitrix_id: expect.any(String),
          sub_category_id: subCategoryId,
          is_deleted: false,
          image_url: "https://pictures.test/p.jpg",
          total_quantity: 0,
          min_price_rub: null,
          sub_category: {
            id: subCategoryId,
            ...common,
            category_id: categoryId,
            image_url: placeholderUrl,
            category: { id: categoryId, ...common, image_url: placeholderUrl },
          },
        },
      ]);
      const { images, thumbhash, image_job, ...detail } = (await read(id)).body as ProductBody & { thumbhash: null };
      expect(detail).toEqual(body.items[0]);
      expect([images, thumbhash, image_job]).toEqual([[], null, null]);
    });

    test("writes times to the millisecond, however many digits Postgres needs for them", async () => {
      const { id, subCategoryId } = await addProduct(api.db);
      for (const digits of ["", ".5", ".05", ".120", ".999999"]) {
        await api.db.query("UPDATE products SET created_at = $2 WHERE id = $1", [id, `2026-01-15 09:30:00${digits}Z`]);
        await forget();
        const { body } = await get(`/products?sub_category_id=${subCategoryId}`);
        expect(body.items).toMatchObject([{ created_at: `2026-01-15T09:30:00.${digits.slice(1, 4).padEnd(3, "0")}Z` }]);
        expect((await read(id)).body.created_at).toBe(body.items[0]?.created_at);
      }
    });

    test("adds up the offers that are not deleted, and shows the lowest price in stock", async () => {
      const { id, productId, subCategoryId } = await addOffer(api.db, { priceRub: 500, quantity: 3 });
      await addOffer(api.db, { productId, priceRub: 200, quantity: 0 });
      const dearest = await addOffer(api.db, { productId, priceRub: 900, quantity: 4 });
      await addOffer(api.db, { productId, priceRub: 100, quantity: 50, isDeleted: true });
      const { name } = (await read(productId)).body;
      const showsEverywhere = async (sums: object) => {
        const lists = [`?sub_category_id=${subCategoryId}`, `/search/wildcard?search_term=${encodeURIComponent(name)}`];
        for (const base of ["", "/warehouse"]) {
          expect((await get(`${base}/products/${productId}`)).body).toMatchObject(sums);
          for (const list of lists) expect((await get(`${base}/products${list}`)).body.items).toMatchObject([sums]);
          const { items } = (await get(`${base}/offers?product_id=${productId}`)).body;
          expect(items[0]).toMatchObject({ product: sums });
        }
      };
      await showsEverywhere({ total_quantity: 7, min_price_rub: 500 });
      await api.db.query("UPDATE offers SET quantity = 0 WHERE id = $1", [id]);
      await forget();
      await showsEverywhere({ total_quantity: 4, min_price_rub: 900 });
      await api.db.query("UPDATE offers SET quantity = 0 WHERE id = $1", [dearest.id]);
      await forget();
      await showsEverywhere({ total_quantity: 0, min_price_rub: 200 });
    });

    test("has the placeholder for a picture that is missing or empty", async () => {
      for (const imageUrl of [null, ""]) {
        const { id, subCategoryId } = await addProduct(api.db, { imageUrl });
        expect((await read(id)).body.image_url).toBe(placeholderUrl);
        const { body } = await get(`/products?sub_category_id=${subCategoryId}`);
        expect(body.items).toMatchObject([{ image_url: placeholderUrl }]);
      }
    });

    test("goes by the sub-category's slug too, but the id wins", async () => {
      const slug = word("slug-");
      const one = await addProduct(api.db, { subCategory: { slug } });
      const other = await addProduct(api.db);
      expect(idsOf(await get(`/products?sub_category_slug=${slug}`))).toEqual([one.id]);
      for (const any of [slug, "nowhere"]) {
        const found = await get(`/products?sub_category_slug=${any}&sub_category_id=${other.subCategoryId}`);
        expect(idsOf(found)).toEqual([other.id]);
      }
      for (const size of [300, 10_000]) {
        const unknown = await get(`/products?sub_category_slug=nowhere&size=${size}`);
        expect(unknown).toMatchObject({ status: 404, body: { detail: "SubCategory not found" } });
      }
      const empty = { status: 200, body: { items: [], total: 0, pages: 0 } };
      expect(await get(`/products?sub_category_id=${randomUUID()}`)).toMatchObject(empty);
    });

    test("lists either the deleted ones or the others", async () => {
      const { id, subCategoryId } = await addProduct(api.db);
      const deleted = await addProduct(api.db, { subCategoryId, isDeleted: true });
      const list = `/products?sub_category_id=${subCategoryId}`;
      expect(idsOf(await get(list))).toEqual([id]);
      expect(idsOf(await get(`${list}&is_deleted=yes`))).toEqual([deleted.id]);
      expect(idsOf(await get(`${list}&is_deleted=yes&size=10000`))).toEqual([deleted.id]);
    });

    test("has pages of ten thousand that are like the small ones", async () => {
      const names = Array.from({ length: 520 }, (_, n) => `Деталь ${String(n).padStart(3, "0")}`);
      const { id: subCategoryId } = await addSubCategory(api.db);
      await api.db.query(
        "INSERT INTO products (sub_category_id, name, slug) SELECT $1, name, gen_random_uuid()::text FROM unnest($2::text[]) name",
        [subCategoryId, names],
      );
      const list = `/products?sub_category_id=${subCategoryId}`;
      const { status, body, headers } = await get(`${list}&size=10000`);
      expect([status, headers.get("content-type")]).toEqual([200, "application/json"]);
      expect(namesOf({ body })).toEqual(names);
      expect(body).toMatchObject({ total: 520, page: 1, size: 10_000, pages: 1 });
      const [first, second] = [await get(`${list}&size=500`), await get(`${list}&size=500&page=2`)];
      expect(body.items).toEqual([...first.body.items, ...second.body.items]);
      expect(namesOf(await get(`${list}&size=501&page=2`))).toEqual(names.slice(501));
      const past = await get(`${list}&size=10000&page=2`);
      expect(past.body).toEqual({ items: [], total: 520, page: 2, size: 10_000, pages: 1 });
    });

    test.each([
      ["size=10001", "less_than_equal", "Input should be less than or equal to 10000"],
      ["size=0", "greater_than_equal", "Input should be greater than or equal to 1"],
      ["page=0", "greater_than_equal", "Input should be greater than or equal to 1"],
      ["size=abc", "int_parsing", "Input should be a valid integer, unable to parse string as an integer"],
      ["is_deleted=2", "bool_parsing", "Input should be a valid boolean, unable to interpret input"],
      ["sub_category_id=x", "uuid_parsing", undefined],
    ])("answers 422 to %s", async (query, type, msg) => {
      const [name, input] = query.split("=");
      const { status, body } = await get(`/products?${query}`);
      expect(status).toBe(422);
      expect(body.detail).toMatchObject([{ type, ...(msg && { msg }), loc: ["query", name], input }]);
    });

    test("answers 304 to a client that has the list already, and the new list after a change", async () => {
      const subCategoryId = await shelf(["Было"]);
      const path = `/products?sub_category_id=${subCategoryId}`;
      const first = await get(path);
      const headers = { "if-none-match": first.headers.get("etag") ?? "" };
      expect(await get(path, { headers })).toMatchObject({ status: 304, text: "" });
      await change(first.body.items[0]?.id ?? "", { name: word("Стало") });
      expect((await get(path, { headers })).status).toBe(200);
    });
  });

  describe("one product", () => {
    test("is found by id in any spelling, by slug and by its former id, for both profiles", async () => {
      const [slug, bitrixId] = [word("slug-"), word("bitrix-")];
      const { id } = await addProduct(api.db, { slug, bitrixId });
      const { body } = await read(id);
      expect(body).toMatchObject({ id, slug, bitrix_id: bitrixId });
      for (const path of [id.toUpperCase(), id.replaceAll("-", ""), `slug/${slug}`, `bitrix/${bitrixId}`]) {
        expect(await read(path), path).toMatchObject({ status: 200, body });
        expect((await get(`/warehouse/products/${path}`)).body, path).toEqual(body);
      }
    });

    test("is 404 when it is unknown", async () => {
      for (const path of [randomUUID(), "slug/nowhere", "bitrix/0"]) {
        expect(await read(path), path).toMatchObject({ status: 404, body: { detail: "Product not found" } });
      }
      expect(await read("x")).toMatchObject({
        status: 422,
        body: { detail: [{ type: "uuid_parsing", loc: ["path", "product_id"] }] },
      });
    });

    test("shows by slug at once what was changed of it and of its offers", async () => {
      const slug = word("slug-");
      const { id, productId } = await addOffer(api.db, { priceRub: 100, product: { slug } });
      expect((await read(`slug/${slug}`)).body).toMatchObject({ min_price_rub: 100, cross_number: null });
      await change(productId, { cross_number: "1, 2" });
      await send(api, "PATCH", `/offers/${id}`, { body: { price_rub: 50 } });
      expect((await read(`slug/${slug}`)).body).toMatchObject({ min_price_rub: 50, cross_number: "1, 2" });
    });
  });

  describe("GET /products/search/wildcard", () => {
    const search = (term: string, rest = "") =>
      get(`/products/search/wildcard?search_term=${encodeURIComponent(term)}${rest}`);

    test("finds a part of the name or of the numbers in any case; dots count nowhere", async () => {
      const mark = randomUUID().slice(0, 8);
      const { id } = await addProduct(api.db, {
        name: `Ёмкость А.Б.${mark}`,
        crossNumber: `12.34.${mark}, 99 Z${mark}`,
      });
      for (const term of [
        `ЁМКОСТЬ а.б.${mark}`,
        `аб${mark}`,
        `а.б${mark}.`,
        `1234${mark}`,
        `1.2.3.4.${mark}`,
        `99 z${mark}`,
      ]) {
        expect(idsOf(await search(term)), term).toEqual([id]);
      }
      expect(idsOf(await search(`ёмкость-аб${mark}`))).toEqual([]);
    });

    test.each(["%", "_", "\\"])("takes %s literally", async (sign) => {
      const mark = randomUUID().slice(0, 8);
      const { id } = await addProduct(api.db, { name: `${mark}10${sign}0` });
      await addProduct(api.db, { name: `${mark}10x0` });
      expect(idsOf(await search(`${mark}10${sign}`))).toEqual([id]);
    });

    test("has the highest id first, in pages, also past the end, for both profiles", async () => {
      const name = word();
      const ids: string[] = [];
      while (ids.length < 3) ids.push((await addProduct(api.db, { name })).id);
      ids.sort().reverse();
      expect(idsOf(await search(name))).toEqual(ids);
      expect(idsOf(await search(name, "&size=2&page=2"))).toEqual(ids.slice(2));
      expect((await search(name, "&size=2&page=7")).body).toEqual({ items: [], total: 3, page: 7, size: 2, pages: 2 });
      expect(idsOf(await get(`/warehouse/products/search/wildcard?search_term=${name}`))).toEqual(ids);
    });

    test("wants a term", async () => {
      const missing = [{ type: "missing", msg: "Field required", loc: ["query", "search_term"], input: null }];
      for (const kind of ["wildcard", "fts"]) {
        expect(await get(`/products/search/${kind}`)).toMatchObject({ status: 422, body: { detail: missing } });
        expect((await get(`/products/search/${kind}?search_term=a&size=501`)).status).toBe(422);
      }
    });
  });

  describe("GET /products/search/fts", () => {
    const search = (term: string, rest = "") =>
      get(`/products/search/fts?search_term=${encodeURIComponent(term)}${rest}`);

    test("finds similar names, the best first; numbers do not count", async () => {
      const name = word("Zq").slice(0, 14);
      const far = await addProduct(api.db, { name: `${name} передний левый усиленный` });
      const exact = await addProduct(api.db, { name });
      const close = await addProduct(api.db, { name: `${name}a` });
      await addProduct(api.db, { name: "Прочее", crossNumber: name });
      expect(idsOf(await search(name.toUpperCase()))).toEqual([exact.id, close.id, far.id]);
    });

    test("has the highest id first among equals, in pages", async () => {
      const name = word("Vx");
      const ids = [(await addProduct(api.db, { name })).id, (await addProduct(api.db, { name })).id].sort().reverse();
      expect(idsOf(await search(name))).toEqual(ids);
      expect(idsOf(await search(name, "&size=1&page=2"))).toEqual(ids.slice(1));
      expect((await search(name, "&size=1&page=5")).body).toMatchObject({ items: [], total: 2, pages: 2 });
    });

    test("finds nothing by an empty term", async () => {
      for (const term of ["", "  ", "%"]) {
        expect((await search(term)).body, term).toEqual({ items: [], total: 0, page: 1, size: 300, pages: 0 });
      }
    });
  });

  describe("counts and facets", () => {
    test("count all, those of a sub-category, and the deleted ones", async () => {
      const { subCategoryId } = await addProduct(api.db);
      await addProduct(api.db, { subCategoryId });
      await addProduct(api.db, { subCategoryId, isDeleted: true });
      await forget();
      const count = async (query: string) => (await get(`/products/meta/count?${query}`)).body;
      expect(await count(`sub_category_id=${subCategoryId}`)).toEqual({ count: 2 });
      expect(await count(`sub_category_id=${subCategoryId}&is_deleted=true`)).toEqual({ count: 1 });
      expect(await count(`sub_category_id=${randomUUID()}`)).toEqual({ count: 0 });
      expect(await count("")).toEqual({ count: (await get("/products?size=1")).body.total });
      expect((await get("/warehouse/products/meta/count")).body).toEqual(await count(""));
      expect((await get("/products/meta/count?sub_category_id=x")).status).toBe(422);
    });

    test("are by name, without the deleted and the empty, and sum sub-categories of one name", async () => {
      const [name, twin, single] = [word("Cat"), word("Twin"), word("Single")];
      const { id: categoryId } = await addCategory(api.db, { name });
      const { subCategoryId } = await addProduct(api.db, { subCategory: { categoryId, name: twin } });
      await addProduct(api.db, { subCategoryId });
      await addProduct(api.db, { subCategory: { categoryId, name: twin } });
      await addProduct(api.db, { subCategory: { categoryId, name: single } });
      await addProduct(api.db, { subCategoryId, isDeleted: true });
      const { id: emptyId } = await addCategory(api.db, { name: `${name} empty` });
      await addProduct(api.db, { subCategory: { categoryId: emptyId }, isDeleted: true });
      await forget();
      const all = await facets("categories");
      expect(all[name]).toBe(4);
      expect(Object.keys(all)).not.toContain(`${name} empty`);
      expect(await facets(`sub-categories?category_id=${categoryId}`)).toEqual({ [twin]: 3, [single]: 1 });
      for (const id of [emptyId, randomUUID()]) expect(await facets(`sub-categories?category_id=${id}`)).toEqual({});
      expect((await get("/warehouse/products/meta/facets/categories")).body).toEqual(all);
    });

    test("want a category where they are of its sub-categories", async () => {
      const { status, body } = await get("/products/meta/facets/sub-categories");
      expect([status, body.detail]).toMatchObject([422, [{ type: "missing", loc: ["query", "category_id"] }]]);
    });
  });
});
