import { beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { defineRoute } from "../../src/api/define-route.ts";
import { call, objectKeys, useApi } from "../support/api.ts";
import { redPng } from "../support/images.ts";
import { useRoutes } from "../support/routes.ts";

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
