import sharp from "sharp";
import { describe, expect, test, vi } from "vitest";
import { AuditEntry } from "../../../../src/db/entities/audit/audit-entry.ts";
import { call, objectKeys, sendCategory, useApi, userIds, useWorker } from "../../../support/api.ts";
import { redPng } from "../../../support/images.ts";

describe("categories", () => {
  const api = useApi();
  useWorker(api);

  const get = (path: string, headers: Record<string, string> = {}) => call(api.url + path, { headers });
  const as = (token: string) => ({ authorization: `Bearer ${token}` });
  const create = async (name: string, side = 8) =>
    (await sendCategory(api, { name, image: await redPng(side, side) })).body;

  function pictureOf(id: string, isDone = (job: string | undefined): boolean => job === "succeeded") {
    return vi.waitFor(
      async () => {
        const { body } = await get(`/categories/${id}`);
        expect(isDone(body.image_job?.status), body.image_job?.status).toBe(true);
        return body;
      },
      { timeout: 10_000, interval: 50 },
    );
  }

  describe("POST", () => {
    test("answers at once and shows the picture when the job is done", async () => {
      const { status, body, headers } = await sendCategory(api, { name: "Тормоза", image: await redPng(2000, 1000) });
      expect(status).toBe(201);
      expect(headers.get("x-request-id")).toBeTruthy();
      expect(body).toMatchObject({ name: "Тормоза", slug: "tormoza", images: [] });
      expect(body.image_job?.status).toBeOneOf(["open", "running"]);
      expect(body.image_job?.url).toBe(`https://api.test/jobs/${body.image_job?.id}`);
      expect(body.created_at).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);

      const done = await pictureOf(body.id);
      expect(done.image_url).toBe(body.image_url);
      expect(done.images.map(({ width, height, type }) => ({ width, height, type }))).toEqual([
        { width: 320, height: 160, type: "image/webp" },
        { width: 640, height: 320, type: "image/webp" },
        { width: 1280, height: 640, type: "image/webp" },
        { width: 640, height: 320, type: "image/avif" },
      ]);
      for (const { url, bytes, type } of done.images) {
        const picture = await fetch(url);
        expect(picture.headers.get("content-type")).toBe(type);
        expect(picture.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
        expect((await picture.arrayBuffer()).byteLength).toBe(bytes);
      }
      const shown = await fetch(done.image_url);
      expect((await sharp(Buffer.from(await shown.arrayBuffer())).metadata()).width).toBe(1280);
      expect(await objectKeys(api.s3, "staged/")).toEqual([]);

      const job = await get(`/jobs/${body.image_job?.id}`, as(api.tokens.employee));
      expect(job.body).toMatchObject({
        status: "succeeded",
        kind: "process-image",
        failures: 0,
        result: { variants: 4 },
      });
    });

    test("has a placeholder behind image_url that no cache may keep, until the picture is there", async () => {
      const body = await create("Фильтры");
      const first = await fetch(body.image_url);
      expect(first.status).toBe(200);
      expect(first.headers.get("content-type")).toBe("image/webp");
      await pictureOf(body.id);
      expect((await fetch(body.image_url)).headers.get("cache-control")).toContain("immutable");
    });

    test("waits for the picture when the caller prefers that", async () => {
      const image = await redPng(400, 300);
      const { status, body, headers } = await sendCategory(api, {
        name: "Стёкла",
        image,
        headers: { prefer: "wait=5" },
      });
      expect(status).toBe(201);
      expect(headers.get("preference-applied")).toBe("wait=5");
      expect(body.image_job?.status).toBe("succeeded");
      expect(body.images.map(({ width, type }) => `${width} ${type}`)).toEqual([
        "320 image/webp",
        "400 image/webp",
        "400 image/avif",
      ]);
      expect(body.thumbhash).toMatch(/^[A-Za-z0-9+/]+=*$/);
    });

    test("takes the name also after the picture, and ignores unknown fields", async () => {
      const body = new FormData();
      body.set("image_blob", new Blob([new Uint8Array(await redPng())]), "p.PNG");
      body.set("id", userIds.admin);
      body.set("slug", "mine");
      body.set("name", "Рычаги");
      body.set("category", "[object Object]");
      const answer = await call(`${api.url}/categories`, { method: "POST", body, headers: as(api.tokens.employee) });
      expect(answer.status).toBe(201);
      expect(answer.body.slug).toBe("rychagi");
      expect(answer.body.id).not.toBe(userIds.admin);
      expect((await pictureOf(answer.body.id)).images.length).toBeGreaterThan(0);
    });

    test("answers 409 to another name with the same slug and says which it is", async () => {
      await create("Гайки № 5");
      const { status, body } = await sendCategory(api, { name: "Гайки No-5", image: await redPng() });
      expect([status, body.detail]).toEqual([
        409,
        "A category with the slug 'gaiki-no-5' exists already; choose another name",
      ]);
    });

    test("can be found by its slug however long that got", async () => {
      const { slug, id } = await create("щ".repeat(300));
      expect(slug).toHaveLength(1_200);
      expect((await get(`/categories/slug/${slug}`)).body.id).toBe(id);
    });

    test("answers 409 to a second category of that name and says which it is", async () => {
      await create("Подвеска");
      const { status, body } = await sendCategory(api, { name: "Подвеска", image: await redPng() });
      expect(status).toBe(409);
      expect(body.detail).toContain("'Подвеска'");
    });
  });

  describe("PATCH", () => {
    test("changes the slug with the name only", async () => {
      const { id } = await create("Рулевое");
      await api.db.query("UPDATE categories SET slug = 'rulevoe-ford' WHERE id = $1", [id]);
      const same = await sendCategory(api, { method: "PATCH", path: `/categories/${id}`, name: "Рулевое" });
      expect(same.body).toMatchObject({ name: "Рулевое", slug: "rulevoe-ford" });
      const renamed = await sendCategory(api, {
        method: "PATCH",
        path: `/categories/${id}`,
        name: "Рулевое управление",
      });
      expect(renamed).toMatchObject({ status: 200, body: { slug: "rulevoe-upravlenie" } });
    });

    test("gives a new picture a new address, and the newest picture wins over an older job that ends late", async () => {
      const first = await create("Двигатель");
      const path = `/categories/${first.id}`;
      const [second, third] = [
        await sendCategory(api, { method: "PATCH", path, image: await redPng(500, 400) }),
        await sendCategory(api, { method: "PATCH", path, image: await redPng(700, 400) }),
      ];
      expect(new Set([first.image_url, second.body.image_url, third.body.image_url]).size).toBe(3);
      const done = await pictureOf(first.id);
      expect(done.image_url).toBe(third.body.image_url);
      expect(done.images.map(({ width }) => width)).toEqual([320, 640, 700, 640]);
      const isOver = (body: { status: string }) => expect(body.status).toBe("succeeded");
      for (const { image_job } of [first, second.body]) {
        await vi.waitFor(async () => isOver((await get(`/jobs/${image_job?.id}`, as(api.tokens.admin))).body), 10_000);
      }
      expect((await pictureOf(first.id)).images.map(({ width }) => width)).toEqual([320, 640, 700, 640]);
    });

    test("shows the former picture again when the new one is unusable", async () => {
      const { id, images } = await pictureOf((await create("Кузов", 321)).id);
      const broken = (await redPng(900, 900)).subarray(0, 600);
      const path = `/categories/${id}`;
      const { body } = await sendCategory(api, { method: "PATCH", path, image: broken });
      const after = await pictureOf(id, (status) => status === "failed");
      expect(after.image_url).toBe(body.image_url);
      expect(after.images).toEqual(images);
      expect((await fetch(after.image_url)).headers.get("cache-control")).toContain("immutable");
      const job = await get(`/jobs/${body.image_job?.id}`, as(api.tokens.employee));
      expect(job.body.error?.message).toMatch(/damaged/);
    });

    test("looks past a picture that is still to come for the former one", async () => {
      const { id, images } = await pictureOf((await create("Пороги", 330)).id);
      await api.queues.byName.images.pause();
      const path = `/categories/${id}`;
      await sendCategory(api, { method: "PATCH", path, image: await redPng(340, 340) });
      const broken = (await redPng(900, 900)).subarray(0, 600);
      await sendCategory(api, { method: "PATCH", path, image: broken });
      await api.queues.byName.images.resume();
      expect((await pictureOf(id, (status) => status === "failed")).images).toEqual(images);
    });

    test("answers 400 to nothing to change, and 404 to a category that is not there", async () => {
      const { id } = await pictureOf((await create("Салон")).id);
      const nothing = await sendCategory(api, { method: "PATCH", path: `/categories/${id}` });
      expect(nothing).toMatchObject({ status: 400, body: { detail: "No data provided for update" } });
      const before = await objectKeys(api.s3);
      const image = await redPng();
      const missing = await sendCategory(api, { method: "PATCH", path: `/categories/${userIds.user}`, image });
      expect(missing).toMatchObject({ status: 404, body: { detail: "Entity not found" } });
      const after = await objectKeys(api.s3);
      expect(after.filter((key) => !before.includes(key))).toEqual([]);
    });
  });

  describe("GET", () => {
    test("lists by name in pages, also past the end", async () => {
      await create("Ёмкости");
      const all = await get("/categories");
      const names = all.body.items.map(({ name }) => name);
      expect(names.length).toBe(all.body.total);
      const page = await get("/categories?size=2&page=2&order_by=name");
      expect(page.body).toMatchObject({
        total: all.body.total,
        page: 2,
        size: 2,
        pages: Math.ceil(all.body.total / 2),
      });
      expect(page.body.items.map(({ name }) => name)).toEqual(names.slice(2, 4));
      expect(await get("/categories?page=900")).toMatchObject({
        status: 200,
        body: { items: [], total: all.body.total },
      });
    });

    test.each([
      ["size=0", "greater_than_equal", "Input should be greater than or equal to 1"],
      ["size=501", "less_than_equal", "Input should be less than or equal to 500"],
      ["page=0", "greater_than_equal", "Input should be greater than or equal to 1"],
      ["size=abc", "int_parsing", "Input should be a valid integer, unable to parse string as an integer"],
      ["size=", "int_parsing", "Input should be a valid integer, unable to parse string as an integer"],
      [
        "size=99999999999999999999",
        "int_parsing",
        "Input should be a valid integer, unable to parse string as an integer",
      ],
    ])("answers 422 to %s", async (query, type, msg) => {
      const { status, body } = await get(`/categories?${query}`);
      const [name = "", input] = query.split("=");
      expect(status).toBe(422);
      expect(body.detail).toMatchObject([{ type, msg, loc: ["query", name], input }]);
    });

    test.each(["size=1.0", "size=%2B1", "size=3&size=1"])("takes %s as one", async (query) => {
      expect((await get(`/categories?${query}`)).body).toMatchObject({ size: 1 });
    });

    test("shows a new category at once though the list is cached, and the picture once it is done", async () => {
      await get("/categories");
      const { id } = await create("Оптика", 350);
      const find = async () => (await get("/categories")).body.items.find((item) => item.id === id);
      expect(await find()).toMatchObject({ name: "Оптика" });
      await pictureOf(id);
      await vi.waitFor(async () => expect((await find())?.images).toHaveLength(3), 5_000);
    });

    test("answers 304 to a client that has the list already", async () => {
      const first = await get("/categories?size=5");
      const etag = first.headers.get("etag") ?? "";
      expect(etag).toMatch(/^"[\w-]+"$/);
      const again = await get("/categories?size=5", { "if-none-match": `"other", W/${etag}` });
      expect(again).toMatchObject({ status: 304, text: "" });
      await create("Сцепление");
      expect((await get("/categories?size=5", { "if-none-match": etag })).status).toBe(200);
    });

    test("finds one by id in any spelling and by slug", async () => {
      const { id, slug } = await create("Выхлоп");
      for (const spelling of [id, id.toUpperCase(), id.replaceAll("-", ""), `{${id}}`]) {
        expect((await get(`/categories/${encodeURIComponent(spelling)}`)).body.id).toBe(id);
      }
      expect((await get(`/categories/slug/${slug}`)).body.id).toBe(id);
      expect(await get("/categories/slug/nowhere")).toMatchObject({
        status: 404,
        body: { detail: "Category not found" },
      });
      expect(await get(`/categories/${userIds.user}`)).toMatchObject({
        status: 404,
        body: { detail: "Category not found" },
      });
      const bad = await get("/categories/x");
      expect(bad).toMatchObject({
        status: 422,
        body: { detail: [{ type: "uuid_parsing", loc: ["path", "category_id"] }] },
      });
    });

    test("is a bare array for the warehouse", async () => {
      const { body } = await get("/warehouse/categories?order_by=name");
      expect(Array.isArray(body)).toBe(true);
      expect(body).toHaveLength((await get("/categories")).body.total);
    });

    test.each(["/categories/slug/%00", "/categories/%E0%A4%A", "/categories/slug/a%0Ab"])(
      "refuses %s",
      async (path) => {
        expect((await get(path)).status).toBeOneOf([400, 422]);
      },
    );
  });

  describe("DELETE", () => {
    const remove = (id: string, token = api.tokens.admin) =>
      call(`${api.url}/categories/${id}`, { method: "DELETE", headers: as(token) });

    test("needs an admin, and finds nothing the second time", async () => {
      const { id } = await create("Лишнее");
      expect(await remove(id, api.tokens.employee)).toMatchObject({
        status: 403,
        body: { detail: "Access denied: role EMPLOYEE is not allowed." },
      });
      expect((await remove(id)).status).toBe(204);
      expect(await remove(id)).toMatchObject({ status: 404, body: { detail: "Category not found" } });
    });

    test("refuses while there are sub-categories", async () => {
      const { id } = await create("Масла");
      await api.db.query("INSERT INTO sub_categories (category_id, name, slug) VALUES ($1, 'Моторные', 'motornye')", [
        id,
      ]);
      const { status, body } = await remove(id);
      expect(status).toBe(409);
      expect(body.detail).toContain("still has 1 sub-category");
    });
  });

  test("the audit log keeps neither unknown fields nor what Postgres refuses", async () => {
    const body = new FormData();
    body.set("name", "Ну\0ль");
    body.set("password", "hunter2");
    body.set("image_blob", new Blob([new Uint8Array(await redPng())]), "p.png");
    const headers = as(api.tokens.employee);
    const { headers: answer } = await call(`${api.url}/categories`, { method: "POST", body, headers });
    const entry = await api.db.manager.findOneByOrFail(AuditEntry, { requestId: answer.get("x-request-id") ?? "" });
    expect(entry).toMatchObject({ status: 422, payload: { name: "Ну\ufffdль" } });
    expect(JSON.stringify(entry.payload)).not.toContain("hunter2");
  });

  test("each change by staff is in the audit log once, with its outcome; reading is not", async () => {
    const rows = async () => api.db.manager.find(AuditEntry, { order: { createdAt: "ASC" } });
    const before = (await rows()).length;
    const { body, headers } = await sendCategory(api, { name: "Учёт", image: await redPng(), path: "/categories?a=1" });
    await sendCategory(api, { name: "Учёт", image: await redPng() });
    await get("/categories", as(api.tokens.admin));
    await sendCategory(api, { name: "Учёт", image: await redPng(), token: api.tokens.user });
    const added = (await rows()).slice(before);
    expect(added).toMatchObject([
      { userId: userIds.employee, method: "POST", endpoint: "https://api.test/categories?a=1", status: 201 },
      { userId: userIds.employee, method: "POST", endpoint: "https://api.test/categories", status: 409 },
    ]);
    expect(added[0]).toMatchObject({ payload: { name: "Учёт" }, requestId: headers.get("x-request-id") });
    expect(body.id).toBeTruthy();
  });
});
