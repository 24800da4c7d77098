import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { type Catalogue, generateCatalogue } from "../../dev/demo/catalogue.ts";
import { loadDemo } from "../../dev/demo/load.ts";
import { drawPicture } from "../../dev/demo/pictures.ts";
import { demoUsers } from "../../dev/demo/users.ts";
import { createObjectStore, type ObjectStore } from "../../src/platform/object-store.ts";
import { slugify } from "../../src/services/catalogue/slug.ts";
import { useDatabase } from "../support/database.ts";
import { groups } from "../support/groups.ts";
import { useBucket } from "../support/s3.ts";

const small = generateCatalogue({ seed: 20, size: "small" });
const full = generateCatalogue({ seed: 20, size: "full" });
const sizes: [size: string, catalogue: Catalogue, counts: number[]][] = [
  ["small", small, [23, 290, 300, 780]],
  ["full", full, [23, 290, 8_600, 22_700]],
];

describe.each(sizes)("the %s catalogue", (size, catalogue, counts) => {
  const { categories, subCategories, products, offers } = catalogue;

  it("has as many rows as it should", () => {
    expect(Object.values(catalogue).map((rows) => rows.length)).toEqual(counts);
  });

  it("is the same for the same seed only", () => {
    const options = { seed: 20, size: size as "small" | "full" };
    expect(generateCatalogue(options)).toEqual(catalogue);
    expect(generateCatalogue({ ...options, seed: 21 }).products).not.toEqual(products);
  });

  it("has valid ids of version 4, each once", () => {
    const ids = [categories, subCategories, products, offers].flatMap((rows) => rows.map(({ id }) => id));
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) z.uuid({ version: "v4" }).parse(id);
  });

  it("refers only to rows that are there, and leaves no category empty", () => {
    const owners = new Map(subCategories.map(({ id, categoryId }) => [id, categoryId]));
    expect(new Set(owners.values())).toEqual(new Set(categories.map(({ id }) => id)));
    expect(new Set(products.map(({ subCategoryId }) => owners.get(subCategoryId)))).toEqual(new Set(owners.values()));
    expect(new Set(offers.map(({ productId }) => productId))).toEqual(new Set(products.map(({ id }) => id)));
  });

  it.each(["categories", "subCategories", "products"] as const)("has no name or slug of %s twice", (table) => {
    const rows = catalogue[table];
    expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
    expect(new Set(rows.map(({ slug }) => slug)).size).toBe(rows.length);
    for (const { slug } of rows) expect(slug).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
  });

  it("has 21 categories with addresses from an older time; all other slugs follow from the names", () => {
    const legacy = categories.filter(({ slug }) => slug.endsWith("-ford"));
    expect(legacy).toHaveLength(21);
    expect(legacy.find(({ name }) => name === "Двигатель")?.slug).toBe("dvigatel-ford");
    const others = [...categories.filter((row) => !legacy.includes(row)), ...subCategories, ...products];
    for (const { name, slug } of others) expect(slug).toBe(slugify(name));
  });

  it("has names with everything that is hard on slugs", () => {
    const names = [...subCategories, ...products].map(({ name }) => name);
    for (const sign of ["ё", "ъ", "/", ",", "(", "№", "×", "°", "½", "[", "–"]) {
      // A small catalogue has not every sign; the full one has.
      const there = names.some((name) => name.includes(sign));
      if (size === "full" || "ёъ/,(".includes(sign)) expect(there, sign).toBe(true);
    }
    expect(Math.max(...names.map((name) => name.length))).toBeLessThanOrEqual(250);
  });

  it("has two or three offers for each product, of different makers", () => {
    for (const group of groups(offers, ({ productId }) => productId)) {
      expect([2, 3]).toContain(group.length);
      expect(new Set(group.map(({ brand }) => brand.toLowerCase())).size).toBe(group.length);
    }
    const brands = offers.map(({ brand }) => brand);
    const spellings = groups(brands, (brand) => brand.toLowerCase());
    expect(spellings.some((group) => new Set(group).size > 1)).toBe(true);
  });

  it("has log-normal prices in whole roubles with a median around 1,890", () => {
    const prices = offers.map(({ priceRub }) => priceRub).sort((a, b) => a - b);
    expect(prices.every((price) => Number.isSafeInteger(price) && price > 0)).toBe(true);
    expect(quantile(prices, 0.5)).toBeGreaterThan(1_890 * 0.9);
    expect(quantile(prices, 0.5)).toBeLessThan(1_890 * 1.1);
    const logarithms = prices.map(Math.log);
    const spreads = [
      quantile(logarithms, 0.9) - quantile(logarithms, 0.5),
      quantile(logarithms, 0.5) - quantile(logarithms, 0.1),
    ];
    for (const spread of spreads) expect(spread / 1.28).toBeCloseTo(1.3, 0);
    expect(prices.at(-1)).toBeGreaterThan(50_000);
  });

  it("has super-wholesale prices of 56 to 71 %, and odd sums in 45 % of the pairs", () => {
    const ratios = offers.map((offer) => offer.superWholesalePriceRub / offer.priceRub).sort((a, b) => a - b);
    expect(ratios[0]).toBeGreaterThanOrEqual(0.56);
    expect(ratios.at(-1)).toBeLessThanOrEqual(0.71);
    expect(quantile(ratios, 0.5)).toBeCloseTo(0.64, 2);
    const odd = offers.filter((offer) => (offer.superWholesalePriceRub + offer.priceRub) % 2 === 1);
    expect(odd.length / offers.length).toBeCloseTo(0.45, 1);
  });

  it("has 55 % of the offers out of stock", () => {
    expect(offers.filter(({ quantity }) => quantity === 0).length / offers.length).toBeCloseTo(0.55, 3);
    expect(offers.every(({ quantity }) => Number.isSafeInteger(quantity) && quantity >= 0)).toBe(true);
  });

  it("has long lists of cross numbers, one of 12,000 characters, and products without", () => {
    const lengths = products.map(({ crossNumber }) => crossNumber?.length ?? 0).sort((a, b) => a - b);
    expect(lengths.filter((length) => length === 0).length / products.length).toBeCloseTo(0.2, 1);
    expect(quantile(lengths, 0.9)).toBeGreaterThan(200);
    expect(lengths.at(-1)).toBeGreaterThan(11_950);
    expect(lengths.at(-1)).toBeLessThanOrEqual(12_000);
  });

  it("has numbers of the former shop, some with a dash, none twice", () => {
    const numbers = products.flatMap(({ bitrixId }) => bitrixId ?? []);
    expect(numbers).toContain("F14-1");
    expect(new Set(numbers).size).toBe(numbers.length);
    expect(offers.some(({ offerBitrixId }) => offerBitrixId === null)).toBe(true);
  });

  it("leaves no column empty that needs a value", () => {
    for (const { brand, manufacturerNumber, sku } of offers) {
      expect(brand.trim()).not.toBe("");
      expect(manufacturerNumber.trim()).not.toBe("");
      expect(sku).not.toBe("");
    }
  });

  it("names no maker or car that exists", () => {
    const words = new Set(
      [
        ...products.map(({ name }) => name),
        ...offers.map(({ brand }) => brand),
        ...subCategories.map(({ name }) => name),
      ].flatMap((text) => text.toLowerCase().split(/[^\p{L}\d]+/u)),
    );
    expect(realNames.filter((name) => words.has(name))).toEqual([]);
  });
});

/** Of the real shop's range, as far as its description names it, and the best known others. */
const realNames = `ford форд mondeo focus fiesta transit kuga escort sierra galaxy fusion ecoboost duratec ngk tcf bosch
  denso mann mahle knecht valeo sachs luk ina fag skf brembo ate trw textar ferodo febi bilstein lemforder meyle swag
  gates contitech dayco continental hella osram philips narva varta mobil castrol shell motul liqui moly total elf
  lukoil лукойл motorcraft kyb monroe boge tokico champion delphi siemens vdo pierburg magneti marelli nissens behr
  filtron hengst purflux blueprint nipparts ashika japanparts patron stellox vaico topran adblue toyota honda nissan
  mazda opel renault peugeot citroen skoda audi bmw mercedes volvo kia hyundai lada уаз газ камаз michelin nokian
  pirelli goodyear bridgestone`.split(/\s+/);

describe("pictures", () => {
  const names = small.categories.map((category): [string] => [category.name]);

  it.each(names)("of '%s' is a JPEG of 1200 × 900", async (name) => {
    const { format, width, height } = await sharp(await drawPicture({ name }, 1)).metadata();
    expect({ format, width, height }).toEqual({ format: "jpeg", width: 1_200, height: 900 });
  });

  it("are all different, and the same for the same seed", async () => {
    const draw = () => Promise.all(small.categories.map(async (row) => (await drawPicture(row, 1)).toString("base64")));
    const first = await draw();
    expect(new Set(first).size).toBe(small.categories.length);
    expect(await draw()).toEqual(first);
  });
});

describe("the loader", () => {
  const db = useDatabase();
  const s3 = useBucket();
  let store: ObjectStore & { close(): void };
  beforeAll(() => {
    const { endpoint, bucket, publicUrl, accessKey: accessKeyId, secretKey: secretAccessKey } = s3;
    store = createObjectStore({ endpoint, bucket, publicUrl, accessKeyId, secretAccessKey, region: "us-east-1" });
  });
  afterAll(() => store.close());

  const count = async (table: string) => {
    const [row]: { count: number }[] = await db.query(`SELECT count(*)::int AS count FROM ${table}`);
    return row?.count;
  };

  it("enters only the users when no catalogue is wanted", async () => {
    expect(await loadDemo(db, store, "none")).toEqual({ users: demoUsers.length });
    expect(await count("users")).toBe(demoUsers.length);
    expect(await count("categories")).toBe(0);
  });

  it("leaves nothing behind when S3 is unavailable", async () => {
    await s3.stop();
    await expect(loadDemo(db, store, "small")).rejects.toThrow("object store");
    await s3.start();
    expect(await count("categories")).toBe(0);
    expect(await count("images")).toBe(0);
  });

  it("leaves a shop alone in which a person has begun to work", async () => {
    await db.query("INSERT INTO carts (user_id) VALUES ($1)", [demoUsers[0]?.id]);
    expect(await loadDemo(db, store, "small")).toEqual({ users: demoUsers.length });
    expect(await count("offers")).toBe(0);
    await db.query("DELETE FROM carts");
  });

  it("enters the shop once, even when two do so at the same time", async () => {
    await Promise.all([loadDemo(db, store, "small"), loadDemo(db, store, "small")]);
    await loadDemo(db, store, "small");
    const tables = ["users", "categories", "sub_categories", "products", "offers", "images", "job", "job_outbox"];
    expect(await Promise.all(tables.map(count))).toEqual([37, 23, 290, 300, 780, 23, 23, 23]);
  });

  it("promises each category its picture, after everything that is more urgent", async () => {
    const rows: { staged_key: string; object_key: string; source_bytes: number; priority: number; kind: string }[] =
      await db.query(`SELECT staged_key, object_key, source_bytes, priority, kind FROM categories
        JOIN images ON images.id = categories.image_id JOIN job ON job.id = images.job_id
        WHERE job.entity_id = categories.id::text`);
    expect(rows).toHaveLength(23);
    for (const { staged_key, object_key, source_bytes, priority, kind } of rows) {
      expect({ priority, kind }).toEqual({ priority: 100, kind: "process-image" });
      const original = await store.get(staged_key, { length: source_bytes });
      expect((await sharp(original).metadata()).format).toBe("jpeg");
      expect((await store.get(object_key)).subarray(8, 12).toString()).toBe("WEBP");
    }
  });

  it("writes what was generated", async () => {
    const [offer] = small.offers;
    const [row] = await db.query("SELECT * FROM offers WHERE id = $1", [offer?.id]);
    expect(row).toMatchObject({
      product_id: offer?.productId,
      offer_bitrix_id: offer?.offerBitrixId,
      sku: offer?.sku,
      brand: offer?.brand,
      manufacturer_number: offer?.manufacturerNumber,
      price_rub: offer?.priceRub,
      super_wholesale_price_rub: offer?.superWholesalePriceRub,
      quantity: offer?.quantity,
      is_deleted: false,
    });
  });

  it("brings users up to date", async () => {
    await db.query("UPDATE users SET role = 'USER', balance_rub = 7, created_at = now()");
    await loadDemo(db, store, "none");
    const sql = "SELECT role, balance_rub, clerk_id, created_at FROM users WHERE id = $1";
    const [row] = await db.query(sql, [demoUsers[0]?.id]);
    const since = new Date(demoUsers[0]?.createdAt ?? "");
    expect(row).toEqual({ role: "ADMIN", balance_rub: "7", clerk_id: "user_demoAdmin", created_at: since });
  });
});

function quantile(sorted: readonly number[], part: number) {
  return sorted[Math.floor(part * sorted.length)] ?? Number.NaN;
}
