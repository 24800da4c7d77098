import { beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { defineRoute } from "../../../src/api/http/define-route.ts";
import { call, objectKeys, useApi } from "../../support/api.ts";
import { redPng } from "../../support/images.ts";
import { useRoutes } from "../../support/routes.ts";

const api = useApi({ relay: false });
let seen: unknown;
const routes = useRoutes(api, [
  defineRoute({
    method: "post",
    path: "/form",
    summary: "Takes a form without a file",
    tag: "Test",
    access: "public",
    accepts: ["form"],
    body: z.object({ decision: z.string().optional() }),
    responses: { 200: z.unknown() },
    handle: async (_context, { body, image }) => {
      seen = { body, image };
      return { status: 200, body: {} };
    },
  }),
]);
beforeEach(() => {
  seen = undefined;
});

const post = (...parts: (string | Buffer)[]) => {
  const body = Buffer.concat([...parts, "\r\n--b--\r\n"].map((part) => Buffer.from(part)));
  const headers = { "content-type": "multipart/form-data; boundary=b" };
  return call(`${routes.url}/form`, { method: "POST", headers, body: new Uint8Array(body) });
};

test("a form that takes no file stores none, whatever its parts are called", async () => {
  const png = await redPng();
  for (const head of ["", '; name=""', '; name="undefined"', '; name="image_blob"']) {
    const { status } = await post(`--b\r\ncontent-disposition: form-data${head}; filename="a.png"\r\n\r\n`, png);
    expect([head, status, seen]).toEqual([head, 200, { body: {}, image: undefined }]);
  }
  expect(await objectKeys(api.s3)).toEqual([]);
});

test("a field without a name is ignored", async () => {
  const named = '--b\r\ncontent-disposition: form-data; name="decision"\r\n\r\npay\r\n';
  expect((await post(`${named}--b\r\ncontent-disposition: form-data\r\n\r\nx`)).status).toBe(200);
  expect(seen).toEqual({ body: { decision: "pay" }, image: undefined });
});

const part = (type: string, value: Buffer) => [
  `--b\r\ncontent-disposition: form-data; name="decision"\r\n${type && `content-type: ${type}\r\n`}\r\n`,
  value,
];
const windows1251 = Buffer.from([0xcf, 0xf0, 0xe8, 0xe2, 0xe5, 0xf2]);
const cutUtf8 = Buffer.from("Привет").subarray(0, 3);

test.each([
  ["no charset", "", windows1251],
  ["the charset that it is in", "text/plain; charset=windows-1251", windows1251],
  ["UTF-8", "text/plain; charset=utf-8", windows1251],
  ["a charset that does not exist", "text/plain; charset=x-none", Buffer.from("a")],
  ["no charset, cut inside a letter", "", cutUtf8],
])("a field whose text is no UTF-8 is refused with the reason, when it declares %s", async (_what, type, value) => {
  const { status, body } = await post(...part(type, value));
  expect([status, seen]).toEqual([422, undefined]);
  expect(body.detail).toEqual([
    { type: "value_error", loc: ["body", "decision"], msg: expect.stringContaining("not valid UTF-8"), input: null },
  ]);
});

test("a field in UTF-8 is taken with and without its charset, and Latin-1 when it says so", async () => {
  for (const type of ["", "text/plain", "text/plain; charset=UTF-8", 'text/plain; charset="utf-8"']) {
    expect((await post(...part(type, Buffer.from("Привет 😀")))).status).toBe(200);
    expect(seen).toMatchObject({ body: { decision: "Привет 😀" } });
  }
  await post(...part("text/plain; charset=iso-8859-1", Buffer.from([0xe9])));
  expect(seen).toMatchObject({ body: { decision: "é" } });
});

const urlencoded = (body: string | Buffer, charset = "") =>
  call(`${routes.url}/form`, {
    method: "POST",
    headers: { "content-type": `application/x-www-form-urlencoded${charset}` },
    body: new Uint8Array(Buffer.from(body)),
  });

test("an urlencoded form that is no UTF-8 is refused, encoded or raw", async () => {
  const raw = Buffer.concat([Buffer.from("decision="), windows1251]);
  for (const body of ["decision=%CF%F0", raw, "decision=%D0"]) {
    for (const charset of ["", "; charset=windows-1251", "; charset=utf-8"]) {
      expect((await urlencoded(body, charset)).status).toBe(422);
    }
  }
  expect((await urlencoded("decision=%D0%9F")).status).toBe(200);
});

test("an urlencoded form has as many fields as another form may have", async () => {
  expect((await urlencoded("a=1&".repeat(100))).status).toBe(200);
  expect((await urlencoded("a=1&".repeat(101))).status).toBe(413);
  expect((await urlencoded("&".repeat(60_000))).status).toBe(200);
});
