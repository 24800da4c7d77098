import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { NestedOfferView } from "../../../../src/api/views/offer.ts";
import { dropCatalogue } from "../../../../src/platform/cache-tags.ts";
import { placeholderUrl } from "../../../../src/services/catalogue/placeholder-url.ts";
import { type Body, useApi, useWorker } from "../../../support/api.ts";
import { addOffer, addSubCategory } from "../../../support/catalogue.ts";
import { type Page as PageOf, type SendOptions, send } from "../../../support/send.ts";
import { sendForm } from "../../../support/send-form.ts";

type OfferBody = NestedOfferView & Pick<Body, "images" | "image_job" | "detail">;
type Page = PageOf<NestedOfferView>;

describe("offers", () => {
  const api = useApi();
  useWorker(api);

  const get = (path: string, options: SendOptions = {}) => send<Page>(api, "GET", path, { token: "", ...options });
  const show = (id: string, options: SendOptions = {}) =>
    send<OfferBody>(api, "GET", `/offers/${id}`, { token: "", ...options });
  const change = (id: string, body: object, options: SendOptions = {}) =>
    send<OfferBody>(api, "PATCH", `/offers/${id}`, { body, ...options });
  const remove = (id: string) => send(api, "DELETE", `/offers/${id}`, { token: api.tokens.admin });
  const byIds = (body: unknown, query = "") => send<Page>(api, "POST", `/offers/by-ids${query}`, { body, token: "" });
  const idsOf = ({ body }: { body: Page }) => body.items.map(({ id }) => id);
  /** Rows that a test inserts directly are not announced to the cache. */
  const forget = () => dropCatalogue(api.context.cache, "category");

  async function addOffers(count: number, productId?: string) {
    const first = await addOffer(api.db, productId === undefined ? {} : { productId });
    const ids = [first.id];
    while (ids.length < count) ids.push((await addOffer(api.db, { productId: first.productId })).id);
    return { productId: first.productId, ids: ids.sort().reverse() };
  }

  describe("GET /offers", () => {
    test("lists those of a product with the highest id first, in pages, also past the end", async () => {
      const { productId, ids } = await addOffers(5);
      const list = `/offers?product_id=${productId}`;
      expect(idsOf(await get(list))).toEqual(ids);
      expect((await get(list)).body).toMatchObject({ total: 5, page: 1, size: 300, pages: 1 });
      const second = await get(`${list}&size=2&page=2`);
      expect(idsOf(second)).toEqual(ids.slice(2, 4));
      expect(second.body).toMatchObject({ total: 5, page: 2, size: 2, pages: 3 });
      expect((await get(`${list}&size=2&page=9`)).body).toEqual({ items: [], total: 5, page: 9, size: 2, pages: 3 });
    });

    test("is an envelope for the warehouse too, with the shelf address under both names", async () => {
      const { productId } = await addOffer(api.db, { sku: "A-1-3" });
      const { body } = await get(`/warehouse/offers?product_id=${productId}`);
      expect(body).toEqual((await get(`/offers?product_id=${productId}`)).body);
      expect(body.items[0]).toMatchObject({ sku: "A-1-3", address_id: "A-1-3" });
    });

    test("shows all that both clients want of an offer and of everything above it", async () => {
      const { id, productId, subCategoryId, categoryId } = await addOffer(api.db, {
        offerBitrixId: "4711",
        internalDescription: "на складе слева",
        quantity: 3,
        product: { crossNumber: "A 1, B 2", bitrixId: "815" },
      });
      const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
      const times = { created_at: time, updated_at: time };
      const text = expect.any(String);
      const { body } = await get(`/offers?product_id=${productId}`);
      expect(body.items).toEqual([
        {
          id,
          product_id: productId,
          sku: null,
          address_id: null,
          offer_bitrix_id: "4711",
          brand: "ACME",
          manufacturer_number: "AC-100",
          internal_description: "на складе слева",
          price_rub: 1_000,
          super_wholesale_price_rub: 700,
          wholesale_price_rub: 850,
          quantity: 3,
          is_deleted: false,
          image_url: placeholderUrl,
          ...times,
          product: {
            id: productId,
            name: text,
            slug: text,
            cross_number: "A 1, B 2",
            bitrix_id: "815",
            sub_category_id: subCategoryId,
            is_deleted: false,
            image_url: placeholderUrl,
            total_quantity: 3,
            min_price_rub: 1_000,
            ...times,
            sub_category: {
              id: subCategoryId,
              name: text,
              slug: text,
              category_id: categoryId,
              image_url: placeholderUrl,
              ...times,
              category: { id: categoryId, name: text, slug: text, image_url: placeholderUrl, ...times },
            },
          },
        },
      ]);
    });

    test("goes by slug too, but the id wins; an unknown slug is 404, an unknown id an empty page", async () => {
      const slug = `kolodki-${randomUUID()}`;
      const one = await addOffer(api.db, { product: { slug } });
      const other = await addOffer(api.db);
      expect(idsOf(await get(`/offers?product_slug=${slug}`))).toEqual([one.id]);
      expect(idsOf(await get(`/offers?product_slug=${slug}&product_id=${other.productId}`))).toEqual([other.id]);
      expect(idsOf(await get(`/offers?product_slug=nowhere&product_id=${other.productId}`))).toEqual([other.id]);
      expect(await get("/offers?product_slug=nowhere")).toMatchObject({
        status: 404,
        body: { detail: "Product not found" },
      });
      expect(await get(`/offers?product_id=${randomUUID()}`)).toMatchObject({
        status: 200,
        body: { items: [], total: 0, pages: 0 },
      });
    });

    test("lists either the deleted ones or the others", async () => {
      const { id, productId } = await addOffer(api.db);
      const deleted = await addOffer(api.db, { productId, isDeleted: true });
      expect(idsOf(await get(`/offers?product_id=${productId}`))).toEqual([id]);
      for (const yes of ["true", "1", "YES", "on", "t", "y"]) {
        expect(idsOf(await get(`/offers?product_id=${productId}&is_deleted=${yes}`)), yes).toEqual([deleted.id]);
      }
      expect(idsOf(await get(`/offers?product_id=${productId}&is_deleted=Off`))).toEqual([id]);
    });

    test("ignores parameters that it does not know", async () => {
      const { id, productId } = await addOffer(api.db);
      expect(idsOf(await get(`/offers?product_id=${productId}&order_by=name&status=NEW`))).toEqual([id]);
    });

    test.each([
      ["size=501", "less_than_equal", "Input should be less than or equal to 500"],
      ["size=10000", "less_than_equal", "Input should be less than or equal to 500"],
      ["size=0", "greater_than_equal", "Input should be greater than or equal to 1"],
      ["page=0", "greater_than_equal", "Input should be greater than or equal to 1"],
      ["is_deleted=maybe", "bool_parsing", "Input should be a valid boolean, unable to interpret input"],
      ["product_id=x", "uuid_parsing", /^Input should be a valid UUID/],
    ])("answers 422 to %s", async (query, type, msg) => {
      const [name, input] = query.split("=");
      const { status, body } = await get(`/offers?${query}`);
      expect(status).toBe(422);
      const message = typeof msg === "string" ? msg : expect.stringMatching(msg);
      expect(body.detail).toMatchObject([{ type, msg: message, loc: ["query", name], input }]);
    });

    test("answers 304 to a client that has the list already, and the new list after a change", async () => {
      const { id, productId } = await addOffer(api.db);
      const path = `/offers?product_id=${productId}`;
      const headers = { "if-none-match": (await get(path)).headers.get("etag") ?? "" };
      expect(await get(path, { headers })).toMatchObject({ status: 304, text: "" });
      await change(id, { price_rub: 999 });
      const after = await get(path, { headers });
      expect(after).toMatchObject({ status: 200, body: { items: [{ price_rub: 999 }] } });
    });
  });

  describe("prices", () => {
    test.each([
      [717, 573, 645],
      [100, 51, 76],
      [100, 53, 77],
      [0, 0, 0],
      [1, 0, 1],
    ])("%i and %i make a wholesale price of %i in lists, details and searches", async (price, low, wholesale) => {
      const brand = `Brand${randomUUID()}`;
      const prices = { priceRub: price, superWholesalePriceRub: low };
      const { id, productId } = await addOffer(api.db, { brand, ...prices });
      const shown = { price_rub: price, super_wholesale_price_rub: low, wholesale_price_rub: wholesale };
      expect((await show(id)).body).toMatchObject(shown);
      for (const list of [`/offers?product_id=${productId}`, `/offers/search/wildcard?search_term=${brand}`]) {
        expect((await get(list)).body.items, list).toMatchObject([shown]);
      }
      expect((await byIds([id])).body.items).toMatchObject([shown]);
    });
  });

  describe("pictures", () => {
    const [own, products] = ["https://pictures.test/offer.jpg", "https://pictures.test/product.jpg"];

    test.each([
      ["its own", own, products, own],
      ["its product's when it has none", null, products, products],
      ["its product's when its own is empty", "", products, products],
      ["the placeholder when neither has one", null, null, placeholderUrl],
      ["the placeholder when both are empty", "", "", placeholderUrl],
    ])("are %s", async (_case, imageUrl, productImageUrl, expected) => {
      const { id, productId } = await addOffer(api.db, { imageUrl, product: { imageUrl: productImageUrl } });
      expect((await show(id)).body).toMatchObject({ image_url: expected, images: [], image_job: null });
      expect((await get(`/offers?product_id=${productId}`)).body.items).toMatchObject([{ image_url: expected }]);
    });
  });

  describe("GET /offers/{offer_id}", () => {
    test("finds an offer in any spelling of its id, for the warehouse too", async () => {
      const { id } = await addOffer(api.db);
      for (const spelling of [id, id.toUpperCase(), id.replaceAll("-", ""), encodeURIComponent(`{${id}}`)]) {
        expect(await show(spelling)).toMatchObject({ status: 200, body: { id } });
      }
      expect((await get(`/warehouse/offers/${id}`)).body).toEqual((await show(id)).body);
    });

    test("answers 404 to an unknown id and 422 to what is none", async () => {
      expect(await show(randomUUID())).toMatchObject({ status: 404, body: { detail: "Offer not found" } });
      expect(await show("x")).toMatchObject({
        status: 422,
        body: { detail: [{ type: "uuid_parsing", loc: ["path", "offer_id"], input: "x" }] },
      });
    });
  });

  describe("POST /offers/by-ids", () => {
    test("answers with the known ones by id, in pages", async () => {
      const { ids } = await addOffers(3);
      const ascending = ids.toReversed();
      const all = await byIds([...ids, randomUUID(), ids[0]?.toUpperCase()]);
      expect(all.status).toBe(200);
      expect(idsOf(all)).toEqual(ascending);
      expect(all.body).toMatchObject({ total: 3, page: 1, size: 300, pages: 1 });
      const second = await byIds(ids, "?size=2&page=2");
      expect(idsOf(second)).toEqual(ascending.slice(2));
      expect(second.body).toMatchObject({ total: 3, page: 2, size: 2, pages: 2 });
      expect((await byIds(ids, "?size=2&page=5")).body).toEqual({ items: [], total: 3, page: 5, size: 2, pages: 2 });
    });

    test("answers with an empty page to no ids, and leaves out deleted offers", async () => {
      expect((await byIds([])).body).toEqual({ items: [], total: 0, page: 1, size: 300, pages: 0 });
      const { id } = await addOffer(api.db, { isDeleted: true });
      expect((await byIds([id])).body).toMatchObject({ items: [], total: 0 });
    });

    test("answers 422 to what is no list of ids", async () => {
      expect(await byIds(["x"])).toMatchObject({
        status: 422,
        body: { detail: [{ type: "uuid_parsing", loc: ["body", 0] }] },
      });
      expect(await byIds({ ids: [] })).toMatchObject({ status: 422, body: { detail: [{ type: "list_type" }] } });
      expect((await byIds([], "?size=501")).status).toBe(422);
    });
  });

  describe("GET /offers/meta/count", () => {
    test("counts those of a product, in stock, and with or without a picture", async () => {
      const slug = `schet-${randomUUID()}`;
      const { productId } = await addOffer(api.db, { quantity: 0, product: { slug } });
      await addOffer(api.db, { productId, quantity: 0, imageUrl: "" });
      await addOffer(api.db, { productId, quantity: 2, imageUrl: "https://pictures.test/a.jpg" });
      await addOffer(api.db, { productId, quantity: 2, isDeleted: true });
      const count = async (query: string) => (await get(`/offers/meta/count?${query}`)).body;
      const base = `product_id=${productId}`;
      expect(await count(base)).toEqual({ count: 3 });
      expect(await count(`product_slug=${slug}`)).toEqual({ count: 3 });
      expect(await count(`product_slug=nowhere&${base}`)).toEqual({ count: 3 });
      expect(await count(`${base}&in_stock=true`)).toEqual({ count: 1 });
      expect(await count(`${base}&in_stock=false`)).toEqual({ count: 3 });
      expect(await count(`${base}&is_image=true`)).toEqual({ count: 1 });
      expect(await count(`${base}&is_image=false`)).toEqual({ count: 2 });
      expect(await count(`product_id=${randomUUID()}`)).toEqual({ count: 0 });
    });

    test("counts a product's picture as its offers'", async () => {
      const { productId } = await addOffer(api.db, { product: { imageUrl: "https://pictures.test/p.jpg" } });
      const { body } = await get(`/offers/meta/count?product_id=${productId}&is_image=true`);
      expect(body).toEqual({ count: 1 });
    });

    test("counts all, of both profiles, and not the deleted ones", async () => {
      const { id } = await addOffer(api.db);
      await forget();
      const before = (await get("/offers/meta/count")).body.count;
      expect((await get("/offers")).body.total).toBe(before);
      expect((await remove(id)).status).toBe(204);
      expect((await get("/warehouse/offers/meta/count")).body).toEqual({ count: before - 1 });
    });

    test("answers 404 to an unknown slug and 422 to a bad flag", async () => {
      const unknown = await get("/offers/meta/count?product_slug=nowhere");
      expect(unknown).toMatchObject({ status: 404, body: { detail: "Product not found" } });
      expect(await get("/offers/meta/count?in_stock=2")).toMatchObject({
        status: 422,
        body: { detail: [{ type: "bool_parsing", loc: ["query", "in_stock"] }] },
      });
    });
  });

  describe("GET /offers/search/wildcard", () => {
    const search = (term: string, rest = "") =>
      get(`/offers/search/wildcard?search_term=${encodeURIComponent(term)}${rest}`);

    test("finds a part of the brand, number, product name or cross number, in any case", async () => {
      const mark = randomUUID().slice(0, 8);
      const { id } = await addOffer(api.db, {
        brand: `ЩёткаBrand${mark}`,
        manufacturerNumber: `MN-${mark}/7`,
        product: { name: `Ёмкость Имя${mark}`, crossNumber: `12.34 ${mark}X, 99.${mark}` },
      });
      for (const term of [`brand${mark}`, `щёткаBRAND${mark}`, `mn-${mark}/7`, `ёмкость имя${mark}`, `${mark}x, 99`]) {
        expect(idsOf(await search(term)), term).toEqual([id]);
      }
      expect(idsOf(await search(`12.34 ${mark}`))).toEqual([id]);
      expect(idsOf(await search(`brand ${mark}`))).toEqual([]);
    });

    test.each(["%", "_", "\\"])("takes %s literally", async (sign) => {
      const mark = randomUUID().slice(0, 8);
      const { id, productId } = await addOffer(api.db, { manufacturerNumber: `${mark}10${sign}0` });
      await addOffer(api.db, { productId, manufacturerNumber: `${mark}10x0` });
      expect(idsOf(await search(`${mark}10${sign}`))).toEqual([id]);
    });

    test("has the highest id first, in pages, also past the end", async () => {
      const brand = `Seiten${randomUUID()}`;
      const { id, productId } = await addOffer(api.db, { brand });
      const ids = [
        id,
        (await addOffer(api.db, { productId, brand })).id,
        (await addOffer(api.db, { productId, brand })).id,
      ];
      ids.sort().reverse();
      expect(idsOf(await search(brand))).toEqual(ids);
      expect(idsOf(await search(brand, "&size=2&page=2"))).toEqual(ids.slice(2));
      expect((await search(brand, "&size=2&page=7")).body).toEqual({ items: [], total: 3, page: 7, size: 2, pages: 2 });
    });

    test("wants a term", async () => {
      const { status, body } = await get("/offers/search/wildcard");
      expect(status).toBe(422);
      expect(body.detail).toMatchObject([{ type: "missing", msg: "Field required", loc: ["query", "search_term"] }]);
    });

    test("finds neither deleted offers nor those of deleted products", async () => {
      const brand = `Hidden${randomUUID()}`;
      const { productId } = await addOffer(api.db, { brand, isDeleted: true });
      const other = await addOffer(api.db, { brand, product: { isDeleted: true } });
      expect((await search(brand)).body).toMatchObject({ items: [], total: 0 });
      expect((await byIds([other.id])).body.items).toEqual([]);
      expect((await get(`/offers?product_id=${productId}`)).body.items).toEqual([]);
    });
  });

  describe.each(["fts", "text_search"])("GET /offers/search/%s", (name) => {
    const search = (term: string, rest = "") =>
      get(`/offers/search/${name}?search_term=${encodeURIComponent(term)}${rest}`);

    test("finds what is similar, the best first", async () => {
      const word = `Zq${randomUUID().replaceAll("-", "").slice(0, 10)}`;
      const close = await addOffer(api.db, { brand: `${word}a` });
      const far = await addOffer(api.db, { brand: `${word} Holding Aktiengesellschaft` });
      const exact = await addOffer(api.db, { brand: word });
      const inName = await addOffer(api.db, { product: { name: `${word}bcd efg` } });
      const found = idsOf(await search(word.toLowerCase()));
      expect(found[0]).toBe(exact.id);
      expect(found.indexOf(close.id)).toBeLessThan(found.indexOf(far.id));
      expect(new Set(found)).toEqual(new Set([exact.id, close.id, far.id, inName.id]));
    });

    test("has the highest id first among equals, in pages, for both profiles", async () => {
      const manufacturerNumber = `Vx${randomUUID().replaceAll("-", "")}`;
      const { id, productId } = await addOffer(api.db, { manufacturerNumber });
      const ids = [id, (await addOffer(api.db, { productId, manufacturerNumber })).id].sort().reverse();
      expect(idsOf(await search(manufacturerNumber))).toEqual(ids);
      expect(idsOf(await search(manufacturerNumber, "&size=1&page=2"))).toEqual(ids.slice(1));
      const { body } = await get(`/warehouse/offers/search/${name}?search_term=${manufacturerNumber}&size=1&page=1`);
      expect(body).toMatchObject({ items: [{ id: ids[0] }], total: 2, page: 1, size: 1, pages: 2 });
    });

    test("answers with an empty page to an empty term, and 422 to none", async () => {
      for (const term of ["", "  ", "%", "…"]) {
        const { status, body } = await search(term);
        expect([status, body], term).toEqual([200, { items: [], total: 0, page: 1, size: 300, pages: 0 }]);
      }
      expect((await get(`/offers/search/${name}`)).status).toBe(422);
    });
  });

  test("a rename above shows in cached lists of offers at once", async () => {
    const { id: subCategoryId } = await addSubCategory(api.db);
    const { productId } = await addOffer(api.db, { product: { subCategoryId } });
    const name = `Renamed ${randomUUID()}`;
    await get(`/offers?product_id=${productId}`);
    await sendForm(api, "PATCH", `/products/${productId}`, { fields: { name } });
    await sendForm(api, "PATCH", `/sub-categories/${subCategoryId}`, { fields: { name } });
    const { body } = await get(`/offers?product_id=${productId}`);
    expect(body.items).toMatchObject([{ product: { name, sub_category: { name } } }]);
  });
});
