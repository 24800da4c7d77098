import sharp from "sharp";
import { describe, expect, test, vi } from "vitest";
import { call, objectKeys, sendCategory, stored, useApi, useWorker } from "../support/api.ts";
import { redPng } from "../support/images.ts";

describe("categories", () => {
  const api = useApi();
  useWorker(api);

  const get = (path: string, headers: Record<string, string> = {}) => call(api.url + path, { headers });
  const asUser = (token: string) => ({ authorization: `Bearer ${token}` });

  async function pictureOf(id: string) {
    return vi.waitFor(
      async () => {
        const { body } = await get(`/categories/${id}`);
        expect(body.images.length).toBeGreaterThan(0);
        return body;
      },
      { timeout: 10_000, interval: 50 },
    );
  }

  test("a new category answers at once and shows its picture when the job is done", async () => {
    const { status, body, headers } = await sendCategory(api, { name: "Тормоза", image: await redPng(2000, 1000) });
    expect(status).toBe(201);
    expect(headers.get("x-request-id")).toBeTruthy();
    expect(body).toMatchObject({ name: "Тормоза", slug: "tormoza", images: [], image_job: { status: "open" } });
    expect(body.image_job?.url).toBe(`https://api.test/jobs/${body.image_job?.id}`);

    const done = await pictureOf(body.id);
    expect(done.image_url).toBe(body.image_url);
    expect(done.images.map(({ width, height, type }) => ({ width, height, type }))).toEqual([
      { width: 320, height: 160, type: "image/webp" },
      { width: 640, height: 320, type: "image/webp" },
      { width: 1280, height: 640, type: "image/webp" },
      { width: 640, height: 320, type: "image/avif" },
    ]);
    for (const { url, bytes, type, width } of done.images) {
      const picture = await fetch(url);
      expect(picture.headers.get("content-type")).toBe(type);
      expect(picture.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
      const data = Buffer.from(await picture.arrayBuffer());
      expect(data.length).toBe(bytes);
      expect((await sharp(data).metadata()).width).toBe(width);
    }
    const shown = await fetch(done.image_url);
    expect((await sharp(Buffer.from(await shown.arrayBuffer())).metadata()).width).toBe(1280);
    expect(await objectKeys(api.s3, "staged/")).toEqual([]);

    const job = await call(`${api.url}/jobs/${body.image_job?.id}`, { headers: asUser(api.tokens.employee) });
    expect(job.body).toMatchObject({
      status: "succeeded",
      kind: "process-image",
      failures: 0,
      result: { variants: 4 },
    });
  });

  test("image_url shows a placeholder that nobody may keep until the picture is there", async () => {
    const { body } = await sendCategory(api, {
      name: "Фильтры",
      image: await redPng(),
      headers: { prefer: "respond-async" },
    });
    const first = await fetch(body.image_url);
    expect(first.status).toBe(200);
    expect(first.headers.get("content-type")).toBe("image/webp");
    await pictureOf(body.id);
    expect((await fetch(body.image_url)).headers.get("cache-control")).toContain("immutable");
  });

  test("a caller that prefers to wait gets the finished picture", async () => {
    const image = await redPng(400, 300);
    const { status, body, headers } = await sendCategory(api, { name: "Стёкла", image, headers: { prefer: "wait=5" } });
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
});
