import { once } from "node:events";
import { connect } from "node:net";
import { beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { defineRoute } from "../../../src/api/http/define-route.ts";
import { routes } from "../../../src/api/routes/index.ts";
import { call, useApi } from "../../support/api.ts";
import { addBusiness, known } from "../../support/business.ts";
import { readDocument } from "../../support/open-api-document.ts";
import { useRoutes } from "../../support/routes.ts";
import { bodySchema, parametersOf, sampleOf, samplePath } from "../../support/sample-request.ts";

const { operations, follow } = readDocument(routes);
const api = useApi({ relay: false });
beforeAll(() => addBusiness(api.db));
const asAdmin = () => ({ authorization: `Bearer ${api.tokens.admin}` });

describe("a search", () => {
  const searches = operations.filter((one) => parametersOf(one, "query").some(({ name }) => name === "search_term"));
  const search = async (path: string, term: string) => {
    const url = `${api.url}${path}?search_term=${encodeURIComponent(term)}`;
    const { status, body } = await call(url, { headers: asAdmin() });
    return { term, status, total: body.total };
  };

  test.each(searches.map(({ name, path }) => [name, path] as const))(
    "takes marks for themselves: %s",
    async (_name, path) => {
      for (const term of [
        "%",
        "_",
        "%%%%%",
        "a_b",
        "\\",
        "\\%",
        "'",
        "''",
        "' OR 1=1 --",
        "'; SELECT pg_sleep(9)",
        "$1",
        "*",
      ]) {
        expect(await search(path, term)).toEqual({ term, status: 200, total: 0 });
      }
    },
  );

  test.each(searches.map(({ name, path }) => [name, path] as const))(
    "refuses what no text has: %s",
    async (_name, path) => {
      expect((await search(path, "a\0b")).status).toBe(422);
    },
  );
});

describe("a way to the prototype", () => {
  const keys = ["__proto__", "constructor", "prototype", "__proto__.polluted", "constructor.prototype.polluted"];
  const writes = operations.filter(({ requestBody }) => requestBody).map((one) => [one.name, one] as const);

  test.each(writes)("is a key like any other in the body of %s", async (_name, operation) => {
    const schema = bodySchema(operation, "json");
    const send = (body: string | FormData, headers: Record<string, string> = {}) =>
      call(api.url + samplePath(operation, follow), {
        method: operation.method,
        body,
        headers: { prefer: "respond-async, wait=0", ...asAdmin(), ...headers },
      });
    for (const key of keys) {
      const form = new FormData();
      form.set(key, "polluted");
      form.set(`${key}[polluted]`, "polluted");
      const whole = schema && { ...(sampleOf(schema, follow) as object) };
      const text = JSON.stringify({ ...whole, at: 0 }).replace('"at":0', `"${key}":{"polluted":1,"isAdmin":true}`);
      const { status } = await (schema ? send(text, { "content-type": "application/json" }) : send(form));
      expect(status).toBeLessThan(500);
      expect(Object.keys(Object.prototype)).toEqual([]);
      expect(({} as Record<string, unknown>).polluted).toBeUndefined();
      expect(([] as unknown as Record<string, unknown>).isAdmin).toBeUndefined();
    }
  });

  test("is no parameter of a query", async () => {
    for (const key of keys) {
      const answer = await call(`${api.url}/categories?${key}=1&${key}[polluted]=1`);
      expect(answer.status).toBe(200);
      expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    }
  });
});

describe("a header", () => {
  const names = [
    'a"b.pdf',
    "a\r\nX-Evil: 1.pdf",
    "Прайс №1 «опт».xlsx",
    "../../etc/passwd",
    "a;b=c.pdf",
    "😀.pdf",
    "a\0b.pdf",
  ];
  const served = useRoutes(api, [
    defineRoute({
      method: "get",
      path: "/files/{number}",
      summary: "A file of a strange name",
      tag: "Test",
      access: "public",
      params: z.object({ number: z.coerce.number() }),
      responses: { 200: z.unknown() },
      handle: async (_context, { params }) => ({ status: 200, fileName: names[params.number] ?? "", body: {} }),
    }),
  ]);

  test.each(names.map((name, number) => [JSON.stringify(name), name, number] as const))(
    "names a file %s in one line, as an attachment",
    async (_shown, _name, number) => {
      const { status, headers } = await call(`${served.url}/files/${number}`);
      expect(status).toBe(200);
      const disposition = headers.get("content-disposition") ?? "";
      expect(disposition).toMatch(
        /^attachment(; filename=("(?:[^"\\]|\\.)*"|[\w.-]+))?(; filename\*=UTF-8''[\w.%!#$&+^`|~-]+)?$/,
      );
      expect(disposition).not.toContain("/");
      expect(headers.get("x-evil")).toBeNull();
    },
  );

  test.each([
    "/%0d%0aX-Evil:%201",
    "/categories/slug/%0d%0aX-Evil:%201",
    "/categories?page=%0d%0aX-Evil:%201",
    "//evil.test/%2e%2e",
    "/\\evil.test",
    "/docs/..%2f..%2fetc/passwd",
    "/%2e%2e/%2e%2e/etc/passwd",
    "http://evil.test/categories",
  ])("is not made by the address %s, nor does it lead away", async (path) => {
    const socket = connect(Number(new URL(api.url).port), "127.0.0.1");
    let answer = "";
    socket.setEncoding("latin1").on("data", (text: string) => {
      answer += text;
    });
    socket.write(`GET ${path} HTTP/1.1\r\nhost: evil.test\r\nx-forwarded-host: evil.test\r\nconnection: close\r\n\r\n`);
    await once(socket, "close");
    const [head = ""] = answer.split("\r\n\r\n", 1);
    expect(head).toMatch(/^HTTP\/1\.1 (200|3\d\d|400|404|422) /);
    expect(head).not.toMatch(/^x-evil/im);
    expect(head).not.toMatch(/evil\.test/i);
    expect(answer).not.toContain("root:");
  });

  test("that links to a job names our own address, whatever host a caller asks for", async () => {
    const { text } = await call(`${api.url}/categories/${known.category_id}`, {
      headers: { "x-forwarded-host": "evil.test" },
    });
    expect(text).not.toContain("evil.test");
  });
});
