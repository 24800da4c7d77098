import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test, vi } from "vitest";
import { boardPath } from "../../../src/api/board/bull-board.ts";
import { routes } from "../../../src/api/routes/index.ts";
import { Category } from "../../../src/db/entities/catalogue/category.ts";
import { call, useApi } from "../../support/api.ts";
import { sendRaw } from "../../support/raw-request.ts";

/** Paths besides the routes. */
const others = [
  "/docs",
  "/docs/start.js",
  "/openapi.json",
  "/-/version",
  "/-/health-checks/liveness",
  "/-/health-checks/readiness",
  boardPath,
  `${boardPath}/login`,
  `${boardPath}/reason`,
  `${boardPath}/api/queues`,
  `${boardPath}/api/redis/stats`,
  `${boardPath}/static/images/logo.svg`,
  "/warehouse/categories",
];

/** The path with each of its parts that are no parameters in another case, one at a time. */
function inOtherCase(path: string) {
  const parts = path.split("/");
  const fixed = parts.flatMap((part, n) => (/^[^{]*[a-z]/.test(part) ? [n] : []));
  const change = (part: string, n: number) =>
    n % 2 ? part.toUpperCase() : part.replace(/[a-z]/, (a) => a.toUpperCase());
  return fixed.map((at) => parts.map((part, n) => (n === at ? change(part, at) : part)).join("/"));
}

describe("a path in another case", () => {
  const api = useApi({ relay: false });
  const id = "6f0d1c52-8a4b-4d1e-8f77-5b9c2a1e4d01";
  /** Which route of ours took a request; "other" when none did. */
  async function routeOf(method: string, path: string, prefix = "") {
    const observe = vi.spyOn(api.context.metrics.httpDuration, "observe");
    const url = api.url + prefix + path.replaceAll(/\{\w+\}/g, id);
    await (
      await fetch(url, { method: method.toUpperCase(), redirect: "manual", headers: { authorization: "Bearer wrong" } })
    ).text();
    await vi.waitFor(() => expect(observe).toHaveBeenCalled(), 10_000);
    const [labels] = observe.mock.calls[0] as unknown as [{ route: string }];
    observe.mockRestore();
    return labels.route;
  }

  test("leads to no route that is written otherwise, in both profiles", async () => {
    let tried = 0;
    for (const { method, path } of routes) {
      for (const spelled of inOtherCase(path)) {
        for (const prefix of ["", "/warehouse", "/Warehouse"]) {
          tried++;
          expect(await routeOf(method, spelled, prefix), `${method} ${prefix}${spelled}`).not.toBe(path);
        }
      }
    }
    expect(tried).toBeGreaterThan(500);
    expect(await routeOf("get", "/categories")).toBe("/categories");
  }, 120_000);

  test("leads to no page, probe or button", async () => {
    const headers = { authorization: `Bearer ${api.tokens.admin}`, accept: "text/html,*/*", "x-reason": "a test" };
    for (const path of others) {
      expect((await call(api.url + path, { headers })).status, path).not.toBe(404);
    }
    for (const path of [...others, `${boardPath}/api/queues/images/pause`]) {
      for (const spelled of inOtherCase(path)) {
        for (const method of ["GET", "PUT"])
          expect((await fetch(api.url + spelled, { method, headers })).status, `${method} ${spelled}`).toBe(404);
      }
    }
    expect(await api.queues.byName.images.isPaused()).toBe(false);
  }, 60_000);

  test("is told apart by every router, because all come from one place", () => {
    const made = readdirSync("src", { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts") && name !== "api/http/router.ts")
      .filter((name) => /\bRouter\(|\bexpress\.Router\b/.test(readFileSync(`src/${name}`, "utf8")));
    expect(made).toEqual([]);
  });
});

describe("a path with a slash at its end", () => {
  const api = useApi({ relay: false });

  test("is the one without, for routes and pages alike", async () => {
    for (const path of ["/categories", "/warehouse/sub-categories", "/openapi.json", "/docs", `${boardPath}/login`]) {
      const [plain, slashed] = [await call(api.url + path), await call(`${api.url}${path}/?x=1`)];
      expect([slashed.status, slashed.text], path).toEqual([plain.status, plain.text]);
    }
  });

  test("is answered from memory when the other one is", async () => {
    await api.db.manager.insert(Category, { name: "Первая", slug: "pervaia" } as never);
    await vi.waitFor(async () => {
      const serve = vi.spyOn(api.context.answers, "serve");
      await call(`${api.url}/categories?size=300`);
      await call(`${api.url}/categories/?size=300`);
      const answers = serve.mock.results.map(({ value }) => value);
      serve.mockRestore();
      expect(answers.at(-1)).toBe(true);
    }, 10_000);
  });
});

describe("a request that could be taken for another", () => {
  const api = useApi({ relay: false });
  const token = () => [`authorization: Bearer ${api.tokens.admin}`];

  test.each([
    ["GET //admin/queues HTTP/1.1", 404],
    ["GET /admin//queues HTTP/1.1", 404],
    ["GET /docs/../admin/queues HTTP/1.1", 404],
    ["GET /docs/%2e%2e/admin/queues HTTP/1.1", 404],
    ["GET /docs/..%2fadmin/queues HTTP/1.1", 404],
    ["GET /docs/..%5cadmin%5cqueues HTTP/1.1", 404],
    ["GET /admin%2fqueues HTTP/1.1", 404],
    ["GET /%61dmin/queues HTTP/1.1", 404],
    ["GET /admin;x=1/queues HTTP/1.1", 404],
    ["GET /admin./queues HTTP/1.1", 404],
    ["GET /admin\\queues HTTP/1.1", 400],
    ["GET /categories#/../admin/queues HTTP/1.1", 400],
    ["GET /%zz HTTP/1.1", 400],
    ["GET http://a@b/admin/queues HTTP/1.1", 400],
    ["GET http:///admin/queues HTTP/1.1", 400],
  ])("is refused: %s", async (line, status) => {
    const answer = await sendRaw(api.url, line, token());
    expect(answer.status).toBe(status);
    expect(answer.headers).toContain("x-request-id:");
  });

  test("may name the whole address of what it asks for", async () => {
    expect((await sendRaw(api.url, "GET http://shop.example/categories HTTP/1.1")).status).toBe(200);
    expect((await sendRaw(api.url, "GET http://shop.example/admin/queues HTTP/1.1", token())).status).toBe(200);
  });

  test.each([
    ["two Host headers", ["host: shop.example", "host: shop.example"]],
    ["two that differ", ["Host: shop.example", "hOST: other.example"]],
    ["two in one", ["host: shop.example, other.example"]],
    ["a path as Host", ["host: shop.example/admin"]],
  ])("is 400 with %s, also when the answer lies ready", async (_what, hosts) => {
    const lists = ["/categories", "/nowhere", "/docs", "/-/health-checks/liveness", boardPath];
    for (const path of lists) await sendRaw(api.url, `GET ${path} HTTP/1.1`);
    for (const path of lists) expect((await sendRaw(api.url, `GET ${path} HTTP/1.1`, hosts)).status, path).toBe(400);
  });
});

describe("what is no route", () => {
  const most = { points: 3, seconds: 60 };
  const api = useApi({ relay: false, trustProxy: 1, limits: { anonymous: most, user: most } });
  let clients = 0;
  const newClient = () => `198.51.100.${++clients}`;
  const from = (client: string, method: string, path: string, headers: Record<string, string> = {}) =>
    call(api.url + path, { method, headers: { "x-forwarded-for": client, ...headers } });

  test.each([
    ["GET", "/"],
    ["GET", "/docs"],
    ["GET", "/docs/swagger-ui.css"],
    ["GET", "/docs/nothing"],
    ["GET", "/openapi.json"],
    ["GET", "/-/version"],
    ["GET", "/nowhere"],
    ["POST", "/warehouse/nowhere"],
    ["GET", "/nowhere/%2e%2fx"],
    ["POST", "/-/health-checks/liveness"],
    ["DELETE", "/categories"],
    ["OPTIONS", "/categories"],
    ["GET", `${boardPath}/login`],
    ["POST", `${boardPath}/login`],
    ["POST", `${boardPath}/logout`],
    ["GET", boardPath],
    ["GET", `${boardPath}/api/queues`],
    ["PUT", `${boardPath}/api/queues/images/pause`],
    ["GET", `${boardPath}/static/js/main.js`],
    ["POST", "/admin/nowhere"],
  ])("is limited by address like routes: %s %s", async (method, path) => {
    const client = newClient();
    for (let turn = 0; turn < 3; turn++) expect((await from(client, method, path)).status).not.toBe(429);
    const refused = await from(client, method, path);
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await from(client, "GET", "/categories")).status, "one count for all").toBe(429);
    expect((await from(newClient(), method, path)).status, "of another address").not.toBe(429);
  });

  test("is limited by user in the board, from wherever", async () => {
    const headers = { authorization: `Bearer ${api.tokens.employee}` };
    const statuses = [];
    for (let turn = 0; turn < 4; turn++)
      statuses.push((await from(newClient(), "GET", `${boardPath}/api/queues`, headers)).status);
    expect(statuses).toEqual([200, 200, 200, 429]);
    const path = "/jobs/6f0d1c52-8a4b-4d1e-8f77-5b9c2a1e4d01";
    expect((await from(newClient(), "GET", path, headers)).status, "one count for all").toBe(429);
  });

  test("and is a probe is answered as often as it is asked, from a look that is a second old at most", async () => {
    const query = vi.spyOn(api.db, "query");
    const began = performance.now();
    const client = newClient();
    const statuses = new Set<number>();
    for (let round = 0; round < 20; round++) {
      const answers = await Promise.all(
        ["liveness", "readiness", "readiness?verbose", "readiness?require=postgres", "readiness?x=1"].map((probe) =>
          from(client, "GET", `/-/health-checks/${probe}`),
        ),
      );
      for (const { status } of answers) statuses.add(status);
    }
    const seconds = (performance.now() - began) / 1_000;
    const looks = query.mock.calls.filter(([sql]) => sql === "SELECT 1").length;
    query.mockRestore();
    expect([...statuses].sort()).toEqual([200, 204]);
    expect(looks).toBeGreaterThan(0);
    expect(looks).toBeLessThanOrEqual(Math.ceil(seconds * 2) + 1);
    // A look once a second at least, or a pod that has lost its database would be sent requests.
    api.isStopping = true;
    expect((await from(client, "GET", "/-/health-checks/readiness")).status).toBe(503);
    api.isStopping = false;
  });
});
