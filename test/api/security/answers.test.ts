import { once } from "node:events";
import { connect } from "node:net";
import { beforeAll, describe, expect, test } from "vitest";
import { routes } from "../../../src/api/routes/index.ts";
import { apiKey, call, useApi } from "../../support/api.ts";
import { addBusiness, known } from "../../support/business.ts";
import { redPng } from "../../support/images.ts";
import { type Described, readDocument } from "../../support/open-api-document.ts";
import { parametersOf, sampleOf, samplePath, unknownId } from "../../support/sample-request.ts";

const { operations, follow } = readDocument(routes);
const reads = operations
  .filter(({ method }) => method === "GET")
  .map((operation) => [operation.name, operation] as const);
const page = "https://shop.test";
const api = useApi({ relay: false, corsOrigins: [page] });
beforeAll(async () => {
  await addBusiness(api.db);
  // The events of a job that goes on would never end.
  await api.db.query("UPDATE job SET state = 'succeeded', finished_at = now()");
});

/** A GET that should succeed, as far as the document tells. */
function get(operation: Described, headers: Record<string, string> = {}, base = "") {
  const needed = parametersOf(operation, "query").filter(({ required }) => required);
  const pairs = needed.map(({ name, schema }): [string, string] => [name, String(sampleOf(schema, follow, name))]);
  const path = `${base}${samplePath(operation, follow)}?${new URLSearchParams(pairs)}`;
  return call(api.url + path, { headers: { prefer: "respond-async, wait=0", ...headers } });
}
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

describe("no cache on the way keeps", () => {
  test.each(reads)("what is not for everybody: %s", async (_name, operation) => {
    const isPublic = operation["x-access"] === "public";
    for (const token of [api.tokens.admin, api.tokens.user]) {
      for (const base of ["", "/warehouse"]) {
        const { status, headers } = await get(operation, bearer(token), base);
        const policy = headers.get("cache-control");
        // Public answers may be kept if they are asked about again; errors never.
        const isFine = policy === "no-store" || (isPublic && status < 400 && policy === "public, no-cache");
        expect({ status, policy, isFine }).toMatchObject({ isFine: true });
      }
    }
  });

  test("one user's answer for another: each gets his own, in any order of requests", async () => {
    const own = operations.filter(({ method, path }) => method === "GET" && path === "/users/{user_id}");
    for (const operation of own) {
      expect((await get(operation, bearer(api.tokens.user))).status).toBe(200);
      expect((await get(operation, bearer(api.tokens.admin))).status).toBe(200);
      expect((await get(operation)).status).toBe(401);
    }
  });

  test.each(reads.filter(([, { "x-access": access }]) => access === "public"))(
    "anything personal in what is for everybody: %s",
    async (_name, operation) => {
      const [anonymous, admin] = [await get(operation), await get(operation, bearer(api.tokens.admin))];
      const shown = ({ status, body }: typeof admin) => [status, { ...body, request_id: null }];
      expect(shown(admin)).toEqual(shown(anonymous));
    },
  );
});

describe("every answer", () => {
  const answers: Record<string, () => ReturnType<typeof call>> = {
    "200": () => call(`${api.url}/categories`),
    "200 from memory": () => call(`${api.url}/categories`),
    "200 of the warehouse": () => call(`${api.url}/warehouse/categories`),
    "201": async () => {
      const body = new FormData();
      body.set("name", `Шины ${Date.now()}`);
      body.set("image_blob", new Blob([new Uint8Array(await redPng())]), "a.png");
      return call(`${api.url}/categories`, { method: "POST", body, headers: bearer(api.tokens.admin) });
    },
    "204": () => call(`${api.url}/-/health-checks/liveness`),
    "204 to a preflight": () => call(`${api.url}/categories`, { method: "OPTIONS", headers: { origin: page } }),
    "304": async () => {
      const etag = (await call(`${api.url}/categories?size=9`)).headers.get("etag") ?? "";
      return call(`${api.url}/categories?size=9`, { headers: { "if-none-match": etag } });
    },
    "400": () => call(`${api.url}/categories/%E0%A4%A`),
    "401": () => call(`${api.url}/jobs/${unknownId}`),
    "403": () => call(`${api.url}/categories/${unknownId}`, { method: "DELETE", headers: bearer(api.tokens.user) }),
    "404": () => call(`${api.url}/nowhere`),
    "404 of a route": () => call(`${api.url}/categories/${unknownId}`),
    "405": () => call(`${api.url}/categories`, { method: "PUT" }),
    "415": () =>
      call(`${api.url}/categories`, {
        method: "POST",
        body: "x",
        headers: { ...bearer(api.tokens.admin), "content-encoding": "gzip" },
      }),
    "422": () => call(`${api.url}/categories?size=0`),
    "500": async () => {
      await api.db.query("ALTER TABLE categories RENAME TO categories_away");
      return call(`${api.url}/categories/${known.category_id}`).finally(() =>
        api.db.query("ALTER TABLE categories_away RENAME TO categories"),
      );
    },
  };

  test.each(Object.entries(answers))("says what a browser may do with it: %s", async (status, ask) => {
    const answer = await ask();
    expect(answer.status).toBe(Number(status.slice(0, 3)));
    const of = (name: string) => answer.headers.get(name);
    expect(of("strict-transport-security")).toMatch(/^max-age=\d{7,}/);
    expect(of("x-content-type-options")).toBe("nosniff");
    expect(of("content-security-policy")).toMatch(/default-src 'none'/);
    expect(of("content-security-policy")).toMatch(/frame-ancestors 'none'/);
    expect(of("referrer-policy")).toBe("no-referrer");
    expect(of("x-request-id")).toMatch(/^[\w-]{36}$/);
    for (const name of ["x-powered-by", "server", "access-control-allow-credentials"])
      expect(of(name), name).toBeNull();
    expect(of("access-control-allow-origin")).not.toBe("*");
  });

  test("of an error shows neither stack nor statement nor file", async () => {
    for (const status of ["400", "401", "404", "405", "422", "500"]) {
      const { text } = (await answers[status]?.()) ?? { text: "" };
      expect(text).not.toMatch(/ at |\.ts|\.js|node_modules|SELECT|relation|QueryFailed|Error:/);
    }
  });

  test.each([
    ...["https://shop.test.evil.test", "https://evil.test", "http://shop.test", "https://shop.test:8443", "null"],
    ...["https://sub.shop.test", "https://shop.testing", "HTTPS://SHOP.TEST", "https://shop.test/", "file://"],
  ])("may not be read by a page of %s", async (origin) => {
    for (const method of ["GET", "OPTIONS"]) {
      const headers = { origin, "access-control-request-method": "GET" };
      const answer = await call(`${api.url}/categories`, { method, headers });
      expect(answer.headers.get("access-control-allow-origin")).toBeNull();
    }
  });

  test("may be read by a page of a configured origin, and says that it depends on that", async () => {
    const { headers } = await call(`${api.url}/categories`, { headers: { origin: page } });
    expect([headers.get("access-control-allow-origin"), headers.get("vary")]).toEqual([page, "Origin"]);
  });
});

describe("a method", () => {
  /** Sends a head that no client library would send; resolves with the whole answer, empty when there is none. */
  async function raw(line: string, ...headers: string[]) {
    const socket = connect(Number(new URL(api.url).port), "127.0.0.1");
    let answer = "";
    socket.setEncoding("latin1").on("data", (text: string) => {
      answer += text;
    });
    socket.on("error", () => undefined);
    socket.write(`${[line, "host: x", "connection: close", ...headers].join("\r\n")}\r\n\r\n`);
    await once(socket, "close");
    return { answer, status: Number(answer.split(" ", 2)[1] ?? 0) };
  }

  test.each(["TRACE", "PUT", "PROPFIND", "LOCK", "PURGE", "SEARCH", "QUERY"])(
    "that no route has is refused: %s",
    async (method) => {
      for (const path of ["/categories", `/categories/${known.category_id}`, "/nowhere"]) {
        const { status, answer } = await raw(`${method} ${path} HTTP/1.1`, "x-secret: told-in-confidence");
        expect(status).toBeOneOf([404, 405]);
        // TRACE would send back what it was sent.
        expect(answer).not.toContain("told-in-confidence");
      }
    },
  );

  test.each([
    "CONNECT evil.test:443 HTTP/1.1",
    "FOO / HTTP/1.1",
    "get /categories HTTP/1.1",
    "GET /categories HTTP/9.9",
  ])("that is none gets nothing: %s", async (line) => {
    const { status } = await raw(line);
    expect(status).toBeOneOf([0, 400, 404, 405, 505]);
  });

  test.each(["x-http-method-override", "x-http-method", "x-method-override"])("in %s changes nothing", async (name) => {
    const headers = { ...bearer(api.tokens.admin), [name]: "DELETE" };
    const path = `${api.url}/categories/${known.category_id}`;
    expect((await call(path, { headers })).status).toBe(200);
    expect((await call(`${path}?_method=DELETE`, { headers })).status).toBe(200);
    expect((await call(path, { method: "POST", headers })).status).toBe(405);
    expect((await call(path)).status).toBe(200);
  });

  test.each(["api-key", "authorization"])("HEAD is no way around %s", async (name) => {
    const headers: Record<string, string> = name === "api-key" ? { "api-key": apiKey } : {};
    for (const { path, "x-access": access } of operations.filter(({ method }) => method === "GET")) {
      if (["public", "optional", "print"].includes(access)) continue;
      const { status } = await call(api.url + path.replaceAll(/\{\w+\}/g, unknownId), { method: "HEAD", headers });
      expect([path, status]).toEqual([path, 401]);
    }
  });
});
