import { randomUUID } from "node:crypto";
import { describe, expect, test, vi } from "vitest";
import { documents } from "../../../../src/db/dao/documents/documents.ts";
import { Image } from "../../../../src/db/entities/catalogue/image.ts";
import { businessDay } from "../../../../src/services/business-day.ts";
import { feed, requestDocument } from "../../../../src/services/documents/documents.ts";
import { call, useApi, useWorker } from "../../../support/api.ts";
import { addOffer } from "../../../support/goods.ts";
import { elementsOf, parseXml, textOf, type XmlElement } from "../../../support/xml.ts";

const api = useApi();
useWorker(api);
const ask = (path = "/integrations/yml", headers: Record<string, string> = {}) => call(api.url + path, { headers });

/** Asks for the feed of the catalogue of now. */
async function get(path?: string, headers?: Record<string, string>) {
  await publish();
  return ask(path, headers);
}

/** As the schedule does. */
async function publish() {
  const { db, transact, shop } = api.context;
  const { id } = await transact({ actorId: null, traceId: null }, (tx) =>
    requestDocument(tx, { ...feed, requestedBy: null }, shop),
  );
  await vi.waitFor(async () => expect((await documents.findById(db.manager, id))?.readyAt).toBeTruthy(), 20_000);
}

async function readFeed() {
  const { text } = await get();
  return parseXml(text);
}

async function offerOf(id: string) {
  const offer = elementsOf(await readFeed(), "offer").find(({ attributes }) => attributes.id === id);
  return (
    offer &&
    Object.fromEntries(offer.children.map((child) => [(child as XmlElement).name, textOf(child as XmlElement)]))
  );
}

describe("GET /integrations/yml", () => {
  test("is made for the client that asks first", async () => {
    const { status, headers, text } = await ask();
    expect([status, headers.get("content-type")]).toEqual([200, "application/xml"]);
    expect(parseXml(text).name).toBe("yml_catalog");
  });

  test("is what lies in the bucket until the next one is made", async () => {
    const first = await get();
    await addOffer(api.db);
    expect((await ask()).text).toBe(first.text);
    await publish();
    expect((await ask()).text).not.toBe(first.text);
  });

  test("describes the shop, its categories and what is in stock", async () => {
    const { category, subCategory, product, offer } = await addOffer(api.db, {
      category: "Тормоза & ходовая",
      subCategory: "Колодки",
      product: { name: "Колодки <передние>" },
      offer: { brand: "A&B", internalDescription: "Комплект", imageUrl: "https://img.test/a.jpg?x=1&y=2" },
    });
    const answer = await get();
    expect(answer.headers.get("content-type")).toBe("application/xml");
    const root = parseXml(answer.text);
    expect(root.name).toBe("yml_catalog");
    expect(root.attributes.date).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+03:00$/);
    const [shop] = elementsOf(root, "shop");
    const names = shop?.children.flatMap((child) => (typeof child === "string" ? [] : [child.name]));
    expect(names).toEqual(["name", "company", "url", "currencies", "categories", "offers"]);
    expect(textOf(elementsOf(root, "company")[0])).toBe("Торговый центр Ford | TCF");
    expect(elementsOf(root, "currency").map(({ attributes }) => attributes)).toEqual([{ id: "RUB", rate: "1" }]);
    const listed = elementsOf(root, "category").map((one) => [one.attributes, textOf(one)]);
    expect(listed).toContainEqual([{ id: category.id }, "Тормоза & ходовая"]);
    expect(listed).toContainEqual([{ id: subCategory.id, parentId: category.id }, "Колодки"]);
    const element = elementsOf(root, "offer").find(({ attributes }) => attributes.id === offer.id);
    expect(element?.attributes.available).toBe("true");
    expect(await offerOf(offer.id)).toEqual({
      url: `https://ford-parts.com.ru/catalog/ford/${category.slug}/${subCategory.slug}/${product.slug}`,
      name: "Колодки <передние>",
      vendor: "A&B",
      vendorCode: offer.manufacturerNumber,
      categoryId: subCategory.id,
      picture: "https://img.test/a.jpg?x=1&y=2",
      price: "717",
      currencyId: "RUB",
      description: "Комплект",
    });
  });

  test("leaves out what is sold out or deleted", async () => {
    const gone = [
      await addOffer(api.db, { offer: { quantity: 0 } }),
      await addOffer(api.db, { offer: { isDeleted: true } }),
      await addOffer(api.db, { product: { isDeleted: true } }),
    ];
    const { text } = await get();
    for (const { offer } of gone) expect(text).not.toContain(offer.id);
  });

  test.each(["", "/warehouse"])("leaves out what has no price, and says how many: under '%s/'", async (base) => {
    const free = await addOffer(api.db, { offer: { priceRub: 0 } });
    const sold = await addOffer(api.db, { offer: { priceRub: 1 } });
    await addOffer(api.db, { offer: { priceRub: 0, quantity: 0 } });
    await addOffer(api.db, { offer: { priceRub: 0, isDeleted: true } });
    const [{ count }] = await api.db.query(
      "SELECT count(*)::int AS count FROM offers WHERE price_rub = 0 AND quantity > 0 AND NOT is_deleted",
    );
    const { text } = await get(`${base}/integrations/yml`);
    expect(text).toContain(sold.offer.id);
    expect(text).not.toContain(free.offer.id);
    const [{ job_id: jobId }] = await api.db.query(
      "SELECT job_id FROM documents WHERE kind = 'feed' ORDER BY ready_at DESC LIMIT 1",
    );
    const headers = { authorization: `Bearer ${api.tokens.admin}` };
    const job = await call(`${api.url}${base}/jobs/${jobId}`, { headers });
    expect(job.body.result).toMatchObject({ offers_without_price: count });
    expect((await api.context.metrics.registry.metrics()).split("\n")).toContain(`feed_offers_without_price ${count}`);
  });

  test("shows an offer's picture, else its product's, else the placeholder", async () => {
    const addImage = async () => {
      const id = randomUUID();
      const row = { id, objectKey: `images/offers/${id}.webp`, sourceSha256: "x", sourceBytes: 1 };
      await api.db.manager.insert(Image, row);
      return { id, url: `${api.s3.publicUrl}/${row.objectKey}` };
    };
    const [own, products] = [await addImage(), await addImage()];
    const pictureOf = async (goods: Parameters<typeof addOffer>[1]) =>
      (await offerOf((await addOffer(api.db, goods)).offer.id))?.picture;
    const product = { imageId: products.id, imageUrl: "https://img.test/p.jpg" };
    expect(await pictureOf({ offer: { imageId: own.id, imageUrl: "https://img.test/o.jpg" }, product })).toBe(own.url);
    expect(await pictureOf({ offer: { imageUrl: "https://img.test/o.jpg" }, product })).toBe("https://img.test/o.jpg");
    expect(await pictureOf({ product })).toBe(products.url);
    expect(await pictureOf({ product: { imageUrl: "https://img.test/p.jpg" } })).toBe("https://img.test/p.jpg");
    expect(await pictureOf({})).toBe("https://storage.yandexcloud.net/tcf-images/default.svg");
  });

  test.each([
    ["4006381333931", "4006381333931"],
    ["96385074", "96385074"],
    ["036000291452", "036000291452"],
    ["4006381333932", undefined],
    ["12345678", undefined],
    ["A-12-3", undefined],
    ["", undefined],
    [null, undefined],
  ])("the sku %j is the barcode %j", async (sku, barcode) => {
    const { offer } = await addOffer(api.db, { offer: { sku } });
    expect((await offerOf(offer.id))?.barcode).toBe(barcode);
  });

  test.each([
    ["markup", "& < > \" ' ]]>", "& < > \" ' ]]>"],
    ["an end of a section, twice", "a]]>b]]>c", "a]]>b]]>c"],
    ["an entity", "&lt;b&gt; &amp;", "&lt;b&gt; &amp;"],
    [
      "a doctype",
      '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>&e;',
      '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>&e;',
    ],
    ["control characters", "a\u0001\u0008\u000b\u001f\u007fb\tc\nd", "ab\tc\nd"],
    ["characters that XML has not", "a\ufffe\uffffb", "ab"],
    ["an emoji", "🚗 машина", "🚗 машина"],
  ])("stays well-formed with %s in every text", async (_what, value, shown) => {
    const { offer } = await addOffer(api.db, {
      category: `Категория ${value}`,
      subCategory: `Подкатегория ${value}`,
      product: { name: value, imageUrl: `https://img.test/${value}` },
      offer: { brand: value, manufacturerNumber: value, internalDescription: value },
    });
    expect(await offerOf(offer.id)).toMatchObject({
      name: shown,
      vendor: shown,
      vendorCode: shown,
      description: shown,
      picture: `https://img.test/${shown}`,
    });
    const categories = elementsOf(await readFeed(), "category").map((one) => textOf(one));
    expect(categories).toEqual(expect.arrayContaining([`Категория ${shown}`, `Подкатегория ${shown}`]));
  });

  test("lists more offers than one batch holds, each once", async () => {
    const { product } = await addOffer(api.db);
    await api.db.query(
      `INSERT INTO offers (product_id, brand, manufacturer_number, price_rub, super_wholesale_price_rub, quantity)
       SELECT $1, 'BULK', n::text, 1, 1, 1 FROM generate_series(1, 1203) n`,
      [product.id],
    );
    const codes = elementsOf(await readFeed(), "offer")
      .filter((offer) => textOf(elementsOf(offer, "vendor")[0]) === "BULK")
      .map((offer) => textOf(elementsOf(offer, "vendorCode")[0]));
    expect(new Set(codes).size).toBe(1_203);
    expect(codes).toHaveLength(1_203);
  });

  test("is not sent again to a client that has it, until something changes", async () => {
    const { offer } = await addOffer(api.db);
    const first = await get();
    const etag = String(first.headers.get("etag"));
    const modified = String(first.headers.get("last-modified"));
    expect(first.headers.get("cache-control")).toBe("public, no-cache");
    expect((await get(undefined, { "if-none-match": etag })).status).toBe(304);
    expect((await get(undefined, { "if-none-match": `"x", ${etag}` })).status).toBe(304);
    expect((await get(undefined, { "if-modified-since": modified })).status).toBe(304);
    expect((await get(undefined, { "if-modified-since": "nonsense" })).status).toBe(200);
    expect((await get(undefined, { "if-none-match": '"x"', "if-modified-since": modified })).status).toBe(200);
    expect((await get()).text).toBe(first.text);

    // Of how many there are it says nothing, and of when they changed no more than the second.
    await api.db.query("UPDATE offers SET price_rub = price_rub + 1 WHERE id = $1", [offer.id]);
    const second = await get(undefined, { "if-none-match": etag });
    expect(second.status).toBe(200);
    expect(second.headers.get("etag")).not.toBe(etag);
  });

  test("is a file with the day in its name at /integrations/yml/file", async () => {
    const [file, plain] = [await get("/integrations/yml/file"), await get()];
    expect(file.headers.get("content-disposition")).toBe(
      `attachment; filename="yml_feed_${businessDay(new Date())}.xml"`,
    );
    expect(file.headers.get("content-type")).toBe("application/xml");
    expect(file.text).toBe(plain.text);
    expect(file.headers.get("etag")).toBe(plain.headers.get("etag"));
  });
});
