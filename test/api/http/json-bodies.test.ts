import { beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { defineRoute } from "../../../src/api/http/define-route.ts";
import { boolean, integer, line, note, optionalLine, pieces, roubles, uuid } from "../../../src/api/http/fields.ts";
import { call, useApi } from "../../support/api.ts";
import { useRoutes } from "../../support/routes.ts";

const api = useApi({ relay: false });
const Line = z.object({ offer_id: uuid, quantity: pieces, brand: line() });
let seen: unknown;

const routes = useRoutes(api, [
  defineRoute({
    method: "post",
    path: "/echo",
    summary: "Shows what it understood",
    tag: "Test",
    access: "public",
    accepts: ["json", "form"],
    body: z.object({
      name: line(),
      count: integer(z.int()).optional(),
      is_on: boolean.optional(),
      price: roubles.optional(),
      sku: optionalLine().optional(),
      note: note.optional(),
      lines: z.array(Line).max(3).default([]),
    }),
    responses: { 200: z.unknown() },
    handle: async (_context, { body }) => {
      seen = body;
      return { status: 200, body };
    },
  }),
  defineRoute({
    method: "post",
    path: "/list",
    summary: "Takes a list",
    tag: "Test",
    access: "public",
    body: z.array(uuid).max(3),
    responses: { 200: z.unknown() },
    handle: async (_context, { body }) => ({ status: 200, body }),
  }),
  defineRoute({
    method: "post",
    path: "/object",
    summary: "Takes an object",
    tag: "Test",
    access: "public",
    body: z.object({}),
    responses: { 200: z.unknown() },
    handle: async (_context, { body }) => ({ status: 200, body }),
  }),
  defineRoute({
    method: "post",
    path: "/nothing",
    summary: "Takes no body",
    tag: "Test",
    access: "public",
    responses: { 200: z.unknown() },
    handle: async () => ({ status: 200, body: {} }),
  }),
]);

const send = (body: string | Uint8Array<ArrayBuffer>, type = "application/json", path = "/echo") =>
  call(routes.url + path, { method: "POST", headers: { "content-type": type }, body });
const first = ({ body }: Awaited<ReturnType<typeof call>>) => (body.detail as Record<string, unknown>[])[0];

const manyNames = (count: number) =>
  JSON.stringify({ name: "a", ...Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, 1])) });

beforeEach(() => {
  seen = undefined;
});

describe("a JSON body", () => {
  test.each([
    ["text for a number", { count: "2" }, { count: 2 }],
    ["a whole fraction", { count: 2.0 }, { count: 2 }],
    ["words for true and false", { is_on: "Yes" }, { is_on: true }],
    ["1 for true", { is_on: 1 }, { is_on: true }],
    ["empty text for what may be missing", { sku: "  " }, { sku: null }],
    ["null for what may be missing", { sku: null, note: null }, { sku: null, note: null }],
    ["blanks around text", { name: " a " }, { name: "a" }],
    ["line breaks in a note", { note: "a\nb\tc" }, { note: "a\nb\tc" }],
    ["unknown keys, which it drops", { id: "x", price_rub: 1, constructor: {} }, {}],
  ])("may have %s", async (_what, sent, understood) => {
    const { status, body } = await send(JSON.stringify({ name: "a", ...sent }));
    expect(status).toBe(200);
    expect(body).toEqual({ name: "a", lines: [], ...understood });
  });

  test.each([
    ["a number for text", { name: 5 }, "string_type", ["body", "name"]],
    ["a fraction for a whole number", { count: 1.5 }, "int_from_float", ["body", "count"]],
    ["words for a number", { count: "many" }, "int_parsing", ["body", "count"]],
    ["a number that is no number", { count: "NaN" }, "int_parsing", ["body", "count"]],
    ["a huge number", { count: "9".repeat(30) }, "int_parsing", ["body", "count"]],
    ["a negative price", { price: -1 }, "greater_than_equal", ["body", "price"]],
    ["perhaps for true or false", { is_on: "perhaps" }, "bool_parsing", ["body", "is_on"]],
    ["an object without a text for true or false", { is_on: { toString: 1 } }, "bool_parsing", ["body", "is_on"]],
    ["an object for text", { name: {} }, "string_type", ["body", "name"]],
    ["control characters", { name: "a\u0000b" }, "value_error", ["body", "name"]],
    ["half a surrogate pair", { name: "\ud800" }, "value_error", ["body", "name"]],
    ["text for a list", { lines: "x" }, "list_type", ["body", "lines"]],
    ["no quantity in a line", { lines: [{ offer_id: "x" }] }, "uuid_parsing", ["body", "lines", 0, "offer_id"]],
  ])("is refused for %s", async (_what, sent, type, loc) => {
    const answer = await send(JSON.stringify({ name: "a", ...sent }));
    expect(answer.status).toBe(422);
    expect(first(answer)).toMatchObject({ type, loc });
    expect(seen).toBeUndefined();
  });

  test("that misses a key is shown around it, a long one is not", async () => {
    const short = await send('{"count":1}');
    expect(first(short)).toEqual({
      type: "missing",
      msg: "Field required",
      loc: ["body", "name"],
      input: { count: 1 },
    });
    const long = await send(JSON.stringify({ note: "x".repeat(4_000) }));
    expect(first(long)).toMatchObject({ type: "missing", input: null });
  });

  test("that is a list is taken where a list is wanted", async () => {
    const id = "6A0B7E0E3C1D4F6A9B0E2D4C5E6F7A81";
    expect((await send(JSON.stringify([id]), undefined, "/list")).body).toEqual([
      "6a0b7e0e-3c1d-4f6a-9b0e-2d4c5e6f7a81",
    ]);
    expect(first(await send('{"0":"x"}', undefined, "/list"))).toMatchObject({ type: "list_type", loc: ["body"] });
    expect((await send(JSON.stringify([id, id, id, id]), undefined, "/list")).status).toBe(422);
  });

  test("that is broken is refused with the place of the mistake", async () => {
    const answer = await send('{"name": "a",}');
    expect(answer.status).toBe(422);
    expect(first(answer)).toMatchObject({
      type: "json_invalid",
      loc: ["body", 13],
      msg: "JSON decode error",
      input: {},
    });
  });

  test.each([
    ["nothing", "", 422],
    ["a bare word", "yes", 422],
    ["null", "null", 422],
    ["nesting that is 10,000 deep", `${"[".repeat(10_000)}${"]".repeat(10_000)}`, 400],
    ["objects nested 41 deep", `${'{"a":'.repeat(41)}1${"}".repeat(41)}`, 400],
    ["one key twice", '{"name":"a","name":"b"}', 400],
    ["one key twice in disguise", '{"name":"a","n\\u0061me":"b"}', 400],
    ["one key twice, deep inside", '{"name":"a","lines":[{"b":[{"c":1,"d":{},"c":2}]}]}', 400],
    ["one key twice, once empty", '{"name":"a","":1,"":2}', 400],
    ["a prototype twice", '{"name":"a","__proto__":1,"__proto__":2}', 400],
    ["more names and values than any client sends", `{"name":"a","list":[${"1,".repeat(100_000)}1]}`, 413],
    ["a name for each 11 bytes", manyNames(90_000), 413],
    ["more than 1 MB", JSON.stringify({ name: "x".repeat(1024 * 1024) }), 413],
  ])("of %s is refused", async (_what, text, status) => {
    expect((await send(text)).status).toBe(status);
    expect(seen).toBeUndefined();
  });

  test("may use one key in several objects, and brackets and quotes in texts", async () => {
    const name = 'x":{"[{\\"';
    const line = { offer_id: "6a0b7e0e-3c1d-4f6a-9b0e-2d4c5e6f7a81", quantity: 1, brand: "b" };
    const { status, body } = await send(JSON.stringify({ name, lines: [line, line] }));
    expect([status, body.name]).toEqual([200, name]);
  });

  test("may have as many names and values as fit the bound", async () => {
    expect((await send(manyNames(49_000))).status).toBe(200);
  });

  test("may have escaped quotes and backslashes at the ends of its texts", async () => {
    for (const note of ["\\", '"', '\\"', '"\\\\', '\\\\"{[:,', '":1,"name":"b']) {
      const { status, body } = await send(JSON.stringify({ name: "a", [note]: 1, note }));
      expect([status, (body as { note?: string }).note]).toEqual([200, note]);
    }
  });

  test("that is not UTF-8 is refused", async () => {
    const bytes = new Uint8Array([...Buffer.from('{"name":"'), 0xff, ...Buffer.from('"}')]);
    expect((await send(bytes)).body.detail).toBe("The request body is not valid UTF-8");
  });

  test("is not unpacked", async () => {
    const headers = { "content-type": "application/json", "content-encoding": "gzip" };
    const { status } = await call(`${routes.url}/echo`, { method: "POST", headers, body: "x" });
    expect(status).toBe(415);
  });

  test("cannot reach the prototype of anything", async () => {
    await send('{"name":"a","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}');
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
    expect(seen).toEqual({ name: "a", lines: [] });
  });

  test.each(["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])(
    "sent as %s is refused where only JSON is taken",
    async (type) => {
      const [list, object] = [await send("[]", type, "/list"), await send("{}", type, "/object")];
      expect([list.status, object.status]).toEqual([422, 422]);
      const advice = `; the body came as '${type}', send it as 'application/json'`;
      const msg = "Input should be a valid dictionary or object to extract fields from";
      expect(first(list)).toMatchObject({
        type: "list_type",
        msg: `Input should be a valid list${advice}`,
        input: "[]",
      });
      expect(first(object)).toMatchObject({ type: "model_attributes_type", msg: msg + advice, loc: ["body"] });
    },
  );

  test("may be a form where both are taken", async () => {
    const { body } = await send("name=a&count=3&is_on=on", "application/x-www-form-urlencoded");
    expect(body).toEqual({ name: "a", count: 3, is_on: true, lines: [] });
  });

  test("is ignored where none is wanted, also an empty one that says it is JSON", async () => {
    expect((await send("", undefined, "/nothing")).status).toBe(200);
    expect((await send("{broken", undefined, "/nothing")).status).toBe(200);
  });
});
