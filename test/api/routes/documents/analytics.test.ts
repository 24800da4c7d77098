import { describe, expect, test, vi } from "vitest";
import { Category } from "../../../../src/db/entities/catalogue/category.ts";
import { Image } from "../../../../src/db/entities/catalogue/image.ts";
import { SubCategory } from "../../../../src/db/entities/catalogue/sub-category.ts";
import { placeholderUrl } from "../../../../src/services/catalogue/placeholder-url.ts";
import { useApi } from "../../../support/api.ts";
import { addOffer, addProduct } from "../../../support/catalogue.ts";
import { countStatements } from "../../../support/count-statements.ts";
import { send } from "../../../support/send.ts";
import { addWaybill } from "../../../support/waybills.ts";

interface Sold {
  name: string;
  image_url: string;
  sold: number;
  revenue: number;
}

interface Facets {
  categories: { category_slug: string; product_count: number }[];
  sub_categories: { sub_category_slug: string; product_count: number }[];
}

describe("analytics", () => {
  const api = useApi({ relay: false });

  const bestSelling = async () => (await send<Sold[]>(api, "GET", "/analytics/products/best-selling")).body;
  const facets = async () => (await send<Facets>(api, "GET", "/analytics/products/facets")).body;
  const commit = async (values: Parameters<typeof addWaybill>[1]) => {
    const { id } = await addWaybill(api.db, values);
    expect((await send(api, "POST", `/waybills/${id}/commit`)).status).toBe(201);
  };

  test("are for staff, also when the answer is cached", async () => {
    for (const path of ["/analytics/products/best-selling", "/analytics/products/facets"]) {
      expect((await send(api, "GET", path)).status).toBe(200);
      expect((await send(api, "GET", path, { token: "" })).status).toBe(401);
      const { status, body } = await send(api, "GET", path, { token: api.tokens.user });
      expect([status, body.detail]).toEqual([403, "Access denied: role USER is not allowed."]);
      const { headers } = await send(api, "GET", path);
      expect(headers.get("cache-control")).toBe("no-store");
    }
  });

  test("show what was sold by product, the most first, then by name", async () => {
    const discUrl = "https://storage.yandexcloud.net/tcf-images/disc.jpg";
    const [disc, pad] = [
      await addProduct(api.db, { name: "Диск", imageUrl: discUrl }),
      await addProduct(api.db, { name: "Колодка" }),
    ];
    const [red, blue] = [
      await addOffer(api.db, { productId: disc.id }),
      await addOffer(api.db, { productId: disc.id, isDeleted: true }),
    ];
    const pads = await addOffer(api.db, { productId: pad.id });
    const bolt = await addOffer(api.db, { productId: (await addProduct(api.db, { name: "Болт" })).id });
    await commit({
      lines: [
        { offerId: red.id, quantity: 2, priceRub: 1_000 },
        { offerId: red.id, quantity: 1, priceRub: 500 },
        { offerId: pads.id, quantity: 3, priceRub: 10 },
      ],
    });
    await commit({ lines: [{ offerId: blue.id, quantity: 4, priceRub: 100 }] });
    await commit({ lines: [{ offerId: bolt.id, quantity: 3, priceRub: 1 }] });
    expect(await bestSelling()).toEqual([
      { name: "Диск", image_url: discUrl, sold: 7, revenue: 2_900 },
      { name: "Болт", image_url: placeholderUrl, sold: 3, revenue: 3 },
      { name: "Колодка", image_url: placeholderUrl, sold: 3, revenue: 30 },
    ]);
  });

  test("count neither what is pending, came in or came back, nor what was given away", async () => {
    const before = await bestSelling();
    const offer = await addOffer(api.db);
    const lines = [{ offerId: offer.id, quantity: 5 }];
    await addWaybill(api.db, { lines });
    await commit({ waybillType: "WAYBILL_IN", lines });
    await commit({ waybillType: "WAYBILL_RETURN", lines });
    await commit({ lines: [{ offerId: offer.id, quantity: 5, priceRub: 0 }] });
    expect(await bestSelling()).toEqual(before);
  });

  test("take products of one name and picture for one, and show a picture that was uploaded", async () => {
    const name = "Фильтр двойной";
    const [image] = await api.db.manager.save(Image, [
      { id: "1b2c3d4e-5f60-4718-8293-a4b5c6d7e8f9", objectKey: "images/f.webp", sourceSha256: "x", sourceBytes: 1 },
    ]);
    for (const imageId of [null, null, String(image?.id)]) {
      const product = await addProduct(api.db, { name, imageId });
      const offer = await addOffer(api.db, { productId: product.id });
      await commit({ lines: [{ offerId: offer.id, quantity: 1, priceRub: 7 }] });
    }
    const found = (await bestSelling()).filter((row) => row.name === name);
    expect(found).toEqual([
      { name, image_url: placeholderUrl, sold: 2, revenue: 14 },
      { name, image_url: api.context.store.publicUrl("images/f.webp"), sold: 1, revenue: 7 },
    ]);
  });

  test("count the products of categories and sub-categories that are not deleted", async () => {
    const category = { id: "6a0b7e0e-3c1d-4f6a-9b0e-2d4c5e6f7a81", name: "Грани", slug: "grani" };
    const sub = (n: number) => ({
      id: `0d3f1c52-8a4b-4d1e-8f77-5b9c2a1e4d0${n}`,
      name: `Грань ${n}`,
      slug: `gran-${n}`,
    });
    await api.db.manager.insert(Category, category);
    await api.db.manager.insert(
      SubCategory,
      [1, 2, 3].map((n) => ({ ...sub(n), categoryId: category.id })),
    );
    for (const n of [1, 1, 2]) await addProduct(api.db, { subCategoryId: sub(n).id });
    await addProduct(api.db, { subCategoryId: sub(3).id, isDeleted: true });
    await api.context.cache.invalidate("goods");
    const { categories, sub_categories } = await facets();
    expect(categories.filter((row) => row.category_slug === "grani")).toEqual([
      { category_slug: "grani", product_count: 3 },
    ]);
    expect(sub_categories.filter((row) => row.sub_category_slug.startsWith("gran-"))).toEqual([
      { sub_category_slug: "gran-1", product_count: 2 },
      { sub_category_slug: "gran-2", product_count: 1 },
    ]);
  });

  test("are read once until something changes, and are new after a commit", async () => {
    const offer = await addOffer(api.db, { productId: (await addProduct(api.db, { name: "Новинка" })).id });
    const { id } = await addWaybill(api.db, { lines: [{ offerId: offer.id }] });
    await vi.waitFor(async () => {
      await bestSelling();
      // Who asks; the rest is in memory.
      expect(await countStatements(api.db, bestSelling)).toBe(1);
    }, 10_000);
    await send(api, "POST", `/waybills/${id}/commit`);
    expect((await bestSelling()).map(({ name }) => name)).toContain("Новинка");
  });
});
