import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { collectGarbage as definition } from "../../../src/jobs/collect-garbage.ts";
import { createLogger } from "../../../src/platform/logger.ts";
import { createMetrics } from "../../../src/platform/metrics.ts";
import { createObjectStore, type ObjectStore } from "../../../src/platform/object-store.ts";
import { collectGarbage } from "../../../src/workers/processors/collect-garbage.ts";
import { objectKeys } from "../../support/api.ts";
import { useDatabase } from "../../support/database.ts";
import { startRun } from "../../support/job-run.ts";
import { defaultRetention } from "../../support/retention.ts";
import { useBucket } from "../../support/s3.ts";

const day = 24 * 3_600_000;

describe("collect-garbage", () => {
  const db = useDatabase();
  const s3 = useBucket();
  const context = { log: createLogger("silent", "test"), metrics: createMetrics(), retention: defaultRetention };
  let store: ObjectStore & { close(): void };
  beforeAll(() => {
    const { endpoint, bucket, publicUrl } = s3;
    const keys = { accessKeyId: s3.accessKey, secretAccessKey: s3.secretKey };
    store = createObjectStore({ endpoint, bucket, publicUrl, region: "us-east-1", ...keys });
  });
  afterAll(() => store.close());
  beforeEach(async () => {
    await db.query("DELETE FROM categories; DELETE FROM images; DELETE FROM documents; DELETE FROM stray_object");
    for (const key of await objectKeys(s3)) await store.remove(key);
  });

  let slot = Date.now();
  const start = () => {
    slot += 1_000;
    return startRun(db, definition, { slot: new Date(slot).toISOString() });
  };
  /** One pass, as if so much time had gone by. */
  async function pass(later = 2 * day, through: Pick<ObjectStore, "list" | "remove"> = store) {
    const { run, find } = await start();
    await collectGarbage(run, { ...context, store: { ...store, ...through } }, new Date(Date.now() + later));
    return (await find()).result;
  }
  const put = async (...keys: string[]) => {
    for (const key of keys) await store.put(key, Buffer.from(key), { contentType: "image/webp" });
  };

  interface Picture {
    stagedKey?: string;
    replaces?: string;
    isPublished?: boolean;
    variants?: string[];
  }
  async function addImage({ stagedKey, replaces, isPublished = true, variants = [] }: Picture = {}) {
    const id = randomUUID();
    const objectKey = `images/categories/${id}.webp`;
    await db.query(
      `INSERT INTO images (id, object_key, staged_key, source_sha256, source_bytes, variants, replaces_id, published_at)
       VALUES ($1, $2, $3, 'x', 1, $4, $5, CASE WHEN $6 THEN now() END)`,
      [id, objectKey, stagedKey, JSON.stringify(variants.map((key) => ({ key }))), replaces, isPublished],
    );
    await put(objectKey, ...variants, ...(stagedKey ? [stagedKey] : []));
    return { id, objectKey };
  }
  const show = (imageId: string) =>
    db.query("INSERT INTO categories (name, slug, image_id) VALUES ($1, $1, $2)", [`c-${imageId}`, imageId]);

  test("removes in the second pass what no row refers to, and leaves the first one's finds alone", async () => {
    const strays = ["staged/2026-01-01/a", "images/0f/r1-320.webp", "documents/0f/order.pdf"];
    await put(...strays);
    expect(await pass()).toEqual({ looked_at: 3, noted: 3, removed: 0, price_lists: 0 });
    expect(await objectKeys(s3)).toEqual([...strays].sort());
    expect(await pass()).toEqual({ looked_at: 3, noted: 0, removed: 3, price_lists: 0 });
    expect(await objectKeys(s3)).toEqual([]);
    expect(await db.query("SELECT key FROM stray_object")).toEqual([]);
  });

  test("keeps what is younger than a day, however many passes there are", async () => {
    await put("staged/2026-01-01/a");
    await pass(day - 60_000);
    await pass(day - 60_000);
    expect(await objectKeys(s3)).toHaveLength(1);
  });

  test("keeps what lies elsewhere in the bucket", async () => {
    await put("tmp/price_list_01_01_2026.xlsx", "other/file");
    await pass();
    await pass();
    expect(await objectKeys(s3)).toHaveLength(2);
  });

  test("keeps what is shown, waits to be, or is shown again should the new picture be unusable", async () => {
    const former = await addImage({ variants: ["images/former/r1-320.webp"] });
    const { id } = await addImage({ isPublished: false, replaces: former.id, stagedKey: "staged/2026-01-01/new" });
    await show(id);
    const another = await addImage({ variants: ["images/another/r1-320.webp"] });
    await show(another.id);
    await db.query(
      `INSERT INTO documents (id, kind, format, file_name, object_key, ready_at)
       VALUES ($1, 'price-list', 'csv', 'x', 'documents/0f/list.csv', now())`,
      [randomUUID()],
    );
    await put("documents/0f/list.csv");
    await db.query("INSERT INTO categories (name, slug, image_url) VALUES ('old', 'old', $1)", [
      store.publicUrl("images/from-elsewhere.jpg"),
    ]);
    await put("images/from-elsewhere.jpg");
    const before = await objectKeys(s3);
    await pass();
    await pass();
    expect(await objectKeys(s3)).toEqual(before);
    expect(before).toHaveLength(8);
  });

  test.each([
    "https://storage.example/tcf-images/images/product.jpg",
    "https://images.storage.example/images/product.jpg?version=2",
    "https://storage.example/documents/images/product.jpg",
    "https://cdn.example/images/shop/images/product.jpg#top",
  ])("keeps a picture at an imported address, wherever browsers read the bucket: %s", async (address) => {
    await db.query("INSERT INTO categories (name, slug, image_url) VALUES ('old', 'old', $1)", [address]);
    await put("images/product.jpg");
    await pass();
    await pass();
    expect(await objectKeys(s3)).toEqual(["images/product.jpg"]);
  });

  test("neither keeps nor removes anything outside the prefix of its keys", async () => {
    const { endpoint, bucket, publicUrl } = s3;
    const keys = { accessKeyId: s3.accessKey, secretAccessKey: s3.secretKey };
    const own = createObjectStore({ endpoint, bucket, publicUrl, region: "us-east-1", ...keys, keyPrefix: "shop/" });
    await put("staged/2026-01-01/of-others", "images/of-others.webp");
    await own.put("staged/2026-01-01/a", Buffer.from("a"), { contentType: "image/webp" });
    expect(await pass(2 * day, own)).toMatchObject({ looked_at: 1, noted: 1 });
    expect(await pass(2 * day, own)).toMatchObject({ looked_at: 1, removed: 1 });
    own.close();
    expect(await objectKeys(s3)).toEqual(["images/of-others.webp", "staged/2026-01-01/of-others"]);
  });

  test("removes pictures that were replaced or whose entity is gone", async () => {
    const former = await addImage({ variants: ["images/former/r1-320.webp", "images/both/r1-320.webp"] });
    const { id, objectKey } = await addImage({ replaces: former.id, variants: ["images/both/r1-320.webp"] });
    await show(id);
    await addImage({ variants: ["images/deleted/r1-320.webp"] });
    await pass();
    await pass();
    expect(await objectKeys(s3)).toEqual(["images/both/r1-320.webp", objectKey].sort());
  });

  test("keeps what a row refers to again between two passes, and asks two more before it goes", async () => {
    const key = "staged/2026-01-01/late";
    await put(key);
    await pass();
    const { id } = await addImage({ stagedKey: key, isPublished: false });
    await show(id);
    await pass();
    await db.query("UPDATE images SET staged_key = NULL");
    await pass();
    expect(await objectKeys(s3, "staged/")).toEqual([key]);
    await pass();
    expect(await objectKeys(s3, "staged/")).toEqual([]);
  });

  test("removes nothing in the run after a crash that its own first run has found", async () => {
    await put("staged/2026-01-01/a", "documents/0f/x.pdf");
    const { run } = await start();
    const dying = {
      ...store,
      list: (prefix: string) => (prefix === "images/" ? failing() : store.list(prefix)),
    };
    const later = new Date(Date.now() + 2 * day);
    await expect(collectGarbage(run, { ...context, store: dying }, later)).rejects.toThrow("died");
    await collectGarbage(run, { ...context, store }, later);
    expect(await objectKeys(s3)).toHaveLength(2);
    await pass();
    expect(await objectKeys(s3)).toEqual([]);
  });

  test("removes a file that several documents share when the last row that names it is gone", async () => {
    const key = "documents/0f/Nina.pdf";
    await put(key);
    const add = () =>
      db.query(
        `INSERT INTO documents (id, kind, format, file_name, object_key, ready_at)
         VALUES (gen_random_uuid(), 'order', 'pdf', 'x', $1, now()) RETURNING id`,
        [key],
      );
    const [[first]] = [await add(), await add()];
    await db.query("DELETE FROM documents WHERE id = $1", [first.id]);
    for (let n = 0; n < 3; n++) await pass();
    expect(await objectKeys(s3)).toEqual([key]);
    await db.query("DELETE FROM documents");
    for (let n = 0; n < 2; n++) await pass();
    expect(await objectKeys(s3)).toEqual([]);
  });

  test("removes published price lists when they are too old, and no other file beside them", async () => {
    await put("tmp/price_list_22_11_2026.xlsx", "tmp/other");
    expect(await pass(89 * day)).toMatchObject({ price_lists: 0 });
    expect(await pass(91 * day)).toMatchObject({ price_lists: 1 });
    expect(await objectKeys(s3)).toEqual(["tmp/other"]);
    await store.remove("tmp/other");
  });

  test("goes on after a crash in the middle of removing", async () => {
    await put("staged/2026-01-01/a", "staged/2026-01-01/b", "documents/0f/x.pdf");
    await pass();
    const { run } = await start();
    const later = new Date(Date.now() + 2 * day);
    const dying = {
      ...store,
      async remove(key: string) {
        if (key.endsWith("b")) throw new Error("died");
        await store.remove(key);
      },
    };
    await expect(collectGarbage(run, { ...context, store: dying }, later)).rejects.toThrow("died");
    await collectGarbage(run, { ...context, store }, later);
    expect(await objectKeys(s3)).toEqual([]);
    expect(await db.query("SELECT key FROM stray_object")).toEqual([]);
  });

  test("goes through more than one page", { timeout: 60_000 }, async () => {
    for (let n = 0; n < 44; n++) {
      await Promise.all(Array.from({ length: 25 }, (_, m) => put(`staged/2026-01-01/${n}-${m}`)));
    }
    expect(await pass()).toEqual({ looked_at: 1_100, noted: 1_100, removed: 0, price_lists: 0 });
    expect(await pass()).toEqual({ looked_at: 1_100, noted: 0, removed: 1_100, price_lists: 0 });
  });
});

// biome-ignore lint/correctness/useYield: it fails before the first page.
async function* failing(): AsyncGenerator<never> {
  throw new Error("died");
}
