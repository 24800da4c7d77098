import { deflateSync } from "node:zlib";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { AuditEntry } from "../../../../src/db/entities/audit/audit-entry.ts";
import { call, objectKeys, sendCategory, stored, useApi, useWorker } from "../../../support/api.ts";
import { hangUpAfter, multipart, type Part, sendHead, sendUntilClosed } from "../../../support/http.ts";
import { phonePhoto, pngBomb, redPng, truncated } from "../../../support/images.ts";

const fiveMegabytes = 5 * 1024 * 1024;
const jpegStart = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 16, 0x4a, 0x46, 0x49, 0x46, 0, 1]);
const webp = Buffer.from("UklGRiQAAABXRUJQVlA4IBgAAAAwAQCdASoBAAEAAQAcJaQAA3AA/v3AgAAAAA==", "base64");
const gif = Buffer.from("R0lGODlhAQABAAAAACwAAAAAAQABAAACAkQBADs=", "base64");
const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>');

describe("what may be uploaded as a category", () => {
  const api = useApi({ relay: false });
  let png: Buffer;
  beforeAll(async () => {
    png = await redPng();
  });

  const post = (parts: Part[], headers: Record<string, string> = {}) => {
    const form = multipart(parts);
    const authorization = `Bearer ${api.tokens.employee}`;
    return call(`${api.url}/categories`, {
      method: "POST",
      body: new Uint8Array(form.body),
      headers: { authorization, ...form.headers, ...headers },
    });
  };

  async function refuses(request: () => Promise<{ status: number; body: { detail: unknown } }>) {
    const before = await stored(api);
    const answer = await request();
    expect(await stored(api)).toEqual(before);
    return answer;
  }

  const mediaError = (mime: string) =>
    `File contents don’t match the file extension: Invalid file type: ${mime}. ` +
    "Expected image file with extensions ('jpg', 'jpeg', 'png', 'webp').";

  describe("refused with 422, saying which field", () => {
    test.each([
      ["no name", undefined, { type: "missing", loc: ["body", "name"], msg: "Field required", input: null }],
      ["an empty name", "", { type: "missing", loc: ["body", "name"], msg: "Field required" }],
      ["a blank name", "  ", { type: "string_too_short", msg: "String should have at least 1 character" }],
      ["a name without letters or digits", "!!! 😀", { type: "value_error", input: "!!! 😀" }],
      ["a name with a control character", "a\u0000b", { type: "value_error", loc: ["body", "name"] }],
      ["a name of 301 characters", "а".repeat(301), { type: "string_too_long", ctx: { max_length: 300 } }],
    ])("%s", async (_what, name, violation) => {
      const { status, body } = await refuses(() => sendCategory(api, { name, image: png }));
      expect(status).toBe(422);
      expect(body.detail).toMatchObject([violation]);
    });

    test("no picture", async () => {
      const { status, body } = await refuses(() => sendCategory(api, { name: "А" }));
      expect(status).toBe(422);
      expect(body.detail).toEqual([
        { type: "missing", loc: ["body", "image_blob"], msg: "Field required", input: null },
      ]);
    });

    test("neither name nor picture, in one answer", async () => {
      const { body } = await refuses(() => sendCategory(api, {}));
      expect(body.detail).toMatchObject([{ loc: ["body", "name"] }, { loc: ["body", "image_blob"] }]);
    });

    test("an empty file input, as a browser sends it", async () => {
      const parts = [
        { name: "name", content: "А" },
        { name: "image_blob", fileName: "", content: "" },
      ];
      const { body } = await refuses(() => post(parts));
      expect(body.detail).toMatchObject([{ type: "missing", loc: ["body", "image_blob"] }]);
    });

    test("a text where the picture belongs", async () => {
      const { status, body } = await refuses(() =>
        post([
          { name: "name", content: "А" },
          { name: "image_blob", content: "x" },
        ]),
      );
      expect(status).toBe(422);
      expect(body.detail).toMatchObject([{ msg: "Value error, Expected UploadFile, received: <class 'str'>" }]);
    });

    test("JSON instead of a form", async () => {
      const headers = { authorization: `Bearer ${api.tokens.employee}`, "content-type": "application/json" };
      const send = () => call(`${api.url}/categories`, { method: "POST", headers, body: '{"name":"А"}' });
      const { status, body } = await refuses(send);
      expect(status).toBe(422);
      expect(body.detail).toMatchObject([{ type: "missing" }, { type: "missing" }]);
    });
  });

  describe("refused with 415, naming what it is", () => {
    test.each<[string, string, Buffer, string]>([
      ["an empty file", "a.png", Buffer.alloc(0), "application/x-empty"],
      ["a text named .png", "a.png", Buffer.from("just text"), "text/plain"],
      ["a page named .jpg", "a.jpg", Buffer.from("<!doctype html><p>hello"), "text/html"],
      ["an SVG", "a.svg", svg, "image/svg+xml"],
      ["an SVG named .png", "a.png", svg, "image/svg+xml"],
      ["a GIF", "a.gif", gif, "image/gif"],
      ["a GIF named .png", "a.png", gif, "image/gif"],
      ["a WebP named .png", "a.png", webp, "image/webp"],
      ["a JPEG named .png", "a.png", jpegStart, "image/jpeg"],
      [
        "a program named .png",
        "a.png",
        Buffer.from("\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\0\0", "latin1"),
        "application/x-elf",
      ],
      ["a compressed file", "a.webp", deflateSync(Buffer.from([0, 0, 0])), "application/octet-stream"],
    ])("%s", async (_what, fileName, image, mime) => {
      const { status, body } = await refuses(() => sendCategory(api, { name: "А", image, fileName }));
      expect([status, body.detail]).toEqual([415, mediaError(mime)]);
    });

    test.each(["a.jpg", "a.JPG", "a", "a.png.exe", "png"])("a PNG named %s", async (fileName) => {
      const { status, body } = await refuses(() => sendCategory(api, { name: "А", image: png, fileName }));
      expect([status, body.detail]).toEqual([415, mediaError("image/png")]);
    });
  });

  describe("refused with 413", () => {
    test("one byte more than 5 MB", async () => {
      const image = Buffer.concat([png, Buffer.alloc(fiveMegabytes + 1 - png.length)]);
      const { status, body } = await refuses(() => sendCategory(api, { name: "А", image }));
      expect(status).toBe(413);
      expect(body.detail).toContain("5 MB");
    });

    test("a body that says it has a gigabyte, before any of it is read", async () => {
      const headers = `POST /categories HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${api.tokens.employee}\r\n`;
      const head = `${headers}content-type: multipart/form-data; boundary=x\r\ncontent-length: 1000000000\r\n\r\n`;
      const answer = await refuses(() => sendHead(api.url, head));
      expect(answer.status).toBe(413);
    });

    test("a body without a length that goes on and on, of which only some is read", async () => {
      const head = [
        "POST /categories HTTP/1.1",
        "host: x",
        `authorization: Bearer ${api.tokens.employee}`,
        "content-type: multipart/form-data; boundary=x",
        "transfer-encoding: chunked",
        "\r\n",
      ].join("\r\n");
      const before = await stored(api);
      const { status, sent } = await sendUntilClosed(api.url, head, 200_000_000);
      expect(status).toBe(413);
      expect(sent).toBeLessThan(60_000_000);
      expect(await stored(api)).toEqual(before);
    });

    test("a thousand fields", async () => {
      const parts = Array.from({ length: 1_000 }, (_, n) => ({ name: `f${n}`, content: "x" }));
      expect((await refuses(() => post(parts))).status).toBe(413);
    });
  });

  describe("refused with 400", () => {
    test("two pictures", async () => {
      const image = { name: "image_blob", fileName: "a.png", content: png };
      const { status, body } = await refuses(() => post([{ name: "name", content: "А" }, image, image]));
      expect(status).toBe(400);
      expect(body.detail).toBe("Send one file, in the field 'image_blob'");
    });

    test("a form without a boundary", async () => {
      const parts = [{ name: "name", content: "А" }];
      const { status, body } = await refuses(() => post(parts, { "content-type": "multipart/form-data" }));
      expect([status, body.detail]).toEqual([400, "Missing boundary in multipart."]);
    });

    test("a form without its end", async () => {
      const { body, headers } = multipart([{ name: "image_blob", fileName: "a.png", content: png }]);
      const cut = new Uint8Array(body.subarray(0, body.length - 10));
      const authorization = `Bearer ${api.tokens.employee}`;
      const init = { method: "POST", body: cut, headers: { ...headers, authorization } };
      expect((await refuses(() => call(`${api.url}/categories`, init))).status).toBe(400);
    });
  });

  test.each([
    ["one", "--b\r\n\r\nx\r\n--b--\r\n"],
    ["several", `${"--b\r\nno head\r\n\r\nx\r\n".repeat(5)}--b--\r\n`],
    ["a hundred lines that are too many", `--b\r\n${"x: y\r\n".repeat(5_000)}\r\nx\r\n--b--\r\n`],
  ])("%s parts with a broken head are refused, and the process lives", async (_what, body) => {
    const headers = {
      authorization: `Bearer ${api.tokens.employee}`,
      "content-type": "multipart/form-data; boundary=b",
    };
    const { status } = await refuses(() => call(`${api.url}/categories`, { method: "POST", body, headers }));
    expect(status).toBeOneOf([400, 422]);
    expect((await call(`${api.url}/-/health-checks/liveness`)).status).toBe(204);
  });

  test("a form of many unknown parts is answered all the same", async () => {
    const send = async () => {
      const body = new FormData();
      for (let n = 0; n < 6; n++) body.append("image_blob", new Blob([new Uint8Array(png)]), "a.png");
      return (await call(`${api.url}/categories`, { method: "POST", body })).status;
    };
    for (let turn = 0; turn < 10; turn++) {
      expect(await Promise.all(Array.from({ length: 8 }, send))).toEqual(Array(8).fill(401));
    }
  });

  test("a request that is cut in the middle leaves nothing", async () => {
    const before = await stored(api);
    const big = Buffer.concat([png, Buffer.alloc(3_000_000)]);
    const { body, headers } = multipart([
      { name: "name", content: "А" },
      { name: "image_blob", fileName: "a.png", content: big },
    ]);
    const head = [
      "POST /categories HTTP/1.1",
      "host: x",
      `authorization: Bearer ${api.tokens.employee}`,
      `content-type: ${headers["content-type"]}`,
      `content-length: ${body.length}`,
      "\r\n",
    ].join("\r\n");
    const audited = () => api.db.manager.countBy(AuditEntry, { status: 400 });
    const refusals = await audited();
    await hangUpAfter(api.url, head, body.subarray(0, 1_500_000));
    await vi.waitFor(async () => expect(await audited()).toBe(refusals + 1), 5_000);
    expect(await stored(api)).toEqual(before);
  });

  test("exactly 5 MB are taken, whatever the file is called inside the form", async () => {
    const image = Buffer.concat([png, Buffer.alloc(fiveMegabytes - png.length)]);
    const { status } = await sendCategory(api, { name: "Пять", image, fileName: "../../etc/пасс\u202ewd.png" });
    expect(status).toBe(201);
    const keys = await objectKeys(api.s3, "staged/");
    expect(keys.at(-1)).toMatch(/^staged\/\d{4}-\d\d-\d\d\/[0-9a-f-]{36}$/);
  });

  test("a field called __proto__ does no harm", async () => {
    const { status } = await post([
      { name: "__proto__", content: "polluted" },
      { name: "a[4294967294]", content: "x" },
      { name: `a${"[b]".repeat(60)}`, content: "x" },
      { name: "name", content: "Прото" },
      { name: "image_blob", fileName: "a.png", content: png },
    ]);
    expect(status).toBe(201);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});

describe("pictures that are taken and turn out unusable", () => {
  const api = useApi();
  useWorker(api);

  test.each<[string, () => Promise<Buffer>, string, RegExp]>([
    [
      "a truncated JPEG",
      async () => truncated(await phonePhoto(), 0.5),
      "a.jpg",
      /^The JPEG is damaged: it ends too early$/,
    ],
    [
      "a PNG of a megabyte that is 16,000 pixels square",
      async () => pngBomb(16_000),
      "a.png",
      /^The image is 16000 × 16000/,
    ],
  ])(
    "%s: the job fails for good with a reason that people can read, the placeholder stays",
    async (name, make, fileName, reason) => {
      const image = await make();
      const { status, body } = await sendCategory(api, { name, image, fileName, headers: { prefer: "wait=10" } });
      expect(status).toBe(201);
      expect(body).toMatchObject({ images: [], image_job: { status: "failed" } });
      const headers = { authorization: `Bearer ${api.tokens.employee}` };
      const job = await call(`${api.url}/jobs/${body.image_job?.id}`, { headers });
      expect(job.body).toMatchObject({ status: "failed", failures: 1, error: { name: "UnusableImageError" } });
      expect(job.body.error?.message).toMatch(reason);
      const shown = await fetch(body.image_url);
      expect([shown.status, shown.headers.get("cache-control")]).toEqual([200, "no-store"]);
    },
  );

  test("a photo of a phone held upright, with the place where it was taken: upright, and the place is gone", async () => {
    const image = await phonePhoto({ width: 600, height: 800, orientation: 6, gps: true });
    const options = { name: "С телефона", image, fileName: "IMG_0001.JPG", headers: { prefer: "wait=10" } };
    const { body } = await sendCategory(api, options);
    expect(body.images.map(({ width, height }) => [width, height])).toEqual([
      [320, 427],
      [600, 800],
      [600, 800],
    ]);
    const shown = Buffer.from(await (await fetch(body.image_url)).arrayBuffer());
    expect(shown.includes("EXIF") || shown.includes("Exif")).toBe(false);
  });
});
