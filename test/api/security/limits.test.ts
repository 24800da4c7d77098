import { describe, expect, test } from "vitest";
import { routes } from "../../../src/api/routes/index.ts";
import { loadApiConfig } from "../../../src/config.ts";
import { sheetFormats } from "../../../src/services/documents/kinds/define-kind.ts";
import { call, useApi, userIds } from "../../support/api.ts";
import { addOrder } from "../../support/goods.ts";
import { readDocument } from "../../support/open-api-document.ts";
import { parametersOf, sampleOf, samplePath } from "../../support/sample-request.ts";

const { operations, follow } = readDocument(routes);

describe("a limit that is no number", () => {
  const shared = {
    ENVIRONMENT: "local",
    DATABASE_URL: "postgresql://user@localhost:5432/shop",
    REDIS_URL: "redis://localhost:6379",
    S3_BUCKET_NAME: "shop",
    S3_ACCESS_KEY: "key",
    S3_SECRET_KEY: "secret",
    BETTER_AUTH_URL: "https://shop.test",
  };
  const limits = [
    ...["RATE_LIMIT_ANONYMOUS", "RATE_LIMIT_USER", "RATE_LIMIT_API_KEY", "RATE_LIMIT_ORDERS", "UPLOADS_PER_DAY"],
    ...["TRUST_PROXY", "DATABASE_POOL_MAX", "DRAIN_TIMEOUT_MS"],
  ];

  test.each(limits)("keeps the process from starting: %s", (name) => {
    for (const value of ["abc", "-1", "1.5", "NaN", "Infinity", "1e999", " ", "10 000", "null", "unlimited"]) {
      expect(() => loadApiConfig({ ...shared, [name]: value }), `${name}='${value}'`).toThrow(name);
    }
    expect(() => loadApiConfig({ ...shared, [name]: "20" })).not.toThrow();
  });

  test.each(["PRINT_ALLOWED_CIDRS", "RATE_LIMIT_EXEMPT_CIDRS"])("nor may %s be anything but networks", (name) => {
    for (const value of ["10.0.0.1", "10.0.0.0/33", "everybody", "*", "10.0.0.0/8,x"]) {
      expect(() => loadApiConfig({ ...shared, [name]: value }), `${name}='${value}'`).toThrow(name);
    }
  });
});

describe("a query out of all bounds", () => {
  const api = useApi({ relay: false });
  const lists = operations.filter(
    (one) => one.method === "GET" && parametersOf(one, "query").some(({ name }) => name === "size"),
  );
  const get = (path: string) => call(api.url + path, { headers: { authorization: `Bearer ${api.tokens.admin}` } });

  test.each(lists.map((operation) => [operation.name, operation] as const))("of %s", async (_name, operation) => {
    const needed = parametersOf(operation, "query").filter(({ required }) => required);
    const query = new URLSearchParams(
      needed.map(({ name, schema }): [string, string] => [name, String(sampleOf(schema, follow, name))]),
    );
    const path = `${samplePath(operation, follow)}?${query}&`;
    const usual = (await get(path)).status;
    // A list that goes on by a cursor has no pages.
    const paged = parametersOf(operation, "query").some(({ name }) => name === "page");
    const wrongPages = paged ? ["page=1000001", "page=1e9", "page=NaN"] : [];
    for (const wrong of ["size=100000", "size=10001", "size=-1", ...wrongPages]) {
      expect([wrong, (await get(path + wrong)).status]).toEqual([wrong, 422]);
    }
    const ignored = ["sort=__proto__", "filter[$gt]=", "filter[user]=x", "__proto__[size]=1", "size[]=1&size[$gt]=2"];
    const many = Array.from({ length: 1_000 }, (_, n) => `p${n}=1`).join("&");
    for (const strange of [...ignored, many]) {
      const began = performance.now();
      expect([strange.slice(0, 20), (await get(path + strange)).status]).toEqual([strange.slice(0, 20), usual]);
      expect(performance.now() - began).toBeLessThan(8_000);
    }
  });
});

describe("a hundred documents at once", () => {
  const api = useApi({ relay: false });

  async function order(token: string, id: string, format: string) {
    const body = JSON.stringify({ kind: "order", format, parameters: { id } });
    const headers = {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      prefer: "respond-async, wait=0",
    };
    return call(`${api.url}/documents`, { method: "POST", headers, body });
  }

  test("of one user are cut off at 18 in flight, no other user's are, and go on when those are made", async () => {
    const orders = await Promise.all(Array.from({ length: 34 }, () => addOrder(api.db, [], { userId: userIds.user })));
    const wanted = orders.flatMap(({ id }) => sheetFormats.map((format) => ({ id, format }))).slice(0, 100);
    const answers = await Promise.all(wanted.map(({ id, format }) => order(api.tokens.user, id, format)));
    const refused = answers.filter(({ status }) => status === 429);
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(18);
    expect(refused).toHaveLength(82);
    for (const { headers, body } of refused) {
      expect(headers.get("retry-after")).toBe("5");
      expect(body.detail).toContain("18 documents are being made for you already");
    }
    // Asking again for one of the 18 orders nothing more.
    const again = wanted[answers.findIndex(({ status }) => status === 202)];
    expect((await order(api.tokens.user, String(again?.id), String(again?.format))).status).toBe(202);
    const [first] = orders;
    expect((await order(api.tokens.employee, String(first?.id), "pdf")).status).toBe(202);

    await api.db.query(
      "UPDATE job SET state = 'succeeded', finished_at = now() WHERE id = (SELECT min(id::text)::uuid FROM job WHERE kind = 'render-document' AND finished_at IS NULL)",
    );
    const late = wanted[answers.findIndex(({ status }) => status === 429)];
    expect((await order(api.tokens.user, String(late?.id), String(late?.format))).status).toBe(202);
  });
});

describe("a burst", () => {
  const limits = { anonymous: { points: 50, seconds: 60 }, user: { points: 50, seconds: 60 } };
  const direct = useApi({ relay: false, limits });
  const proxied = useApi({ relay: false, limits, trustProxy: 1 });

  /** How many of 500 requests are let through. */
  async function admitted(url: string, headersOf: (n: number) => Record<string, string>) {
    const send = async (n: number) => (await call(url, { headers: headersOf(n) })).status;
    const statuses: number[] = [];
    for (let turn = 0; turn < 500; turn += 100) {
      statuses.push(...(await Promise.all(Array.from({ length: 100 }, (_, n) => send(turn + n)))));
    }
    expect(new Set(statuses)).toContain(429);
    return statuses.filter((status) => status !== 429).length;
  }

  test("of one address is cut off, whatever it writes into its headers", async () => {
    const headersOf = (n: number) => ({
      "x-forwarded-for": `203.0.113.${n % 250}`,
      "x-real-ip": `203.0.113.${n % 250}`,
      forwarded: `for=203.0.113.${n % 250}`,
      "cf-connecting-ip": `203.0.113.${n % 250}`,
      "x-client-ip": `203.0.113.${n % 250}`,
    });
    expect(await admitted(`${direct.url}/categories?size=7`, headersOf)).toBe(50);
  });

  test("of one address behind our proxy is cut off, whatever it writes in front of its own", async () => {
    const headersOf = (n: number) => ({ "x-forwarded-for": `203.0.113.${n % 250}, 10.9.8.${n % 250}, 192.0.2.1` });
    expect(await admitted(`${proxied.url}/categories?size=8`, headersOf)).toBe(50);
    const other = await call(`${proxied.url}/categories?size=8`, { headers: { "x-forwarded-for": "192.0.2.2" } });
    expect(other.status).toBe(200);
  });

  test("of one user is cut off, from as many addresses as it comes", async () => {
    const authorization = `Bearer ${proxied.tokens.user}`;
    const headersOf = (n: number) => ({ authorization, "x-forwarded-for": `198.51.100.${n % 250}` });
    expect(await admitted(`${proxied.url}/jobs/00000000-0000-4000-8000-000000000000`, headersOf)).toBe(50);
  });
});
