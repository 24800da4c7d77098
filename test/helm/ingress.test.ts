import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { useApi } from "../support/api.ts";
import { useApiProcesses } from "../support/api-process.ts";
import { pick, render } from "../support/helm.ts";
import { hasNginx, locationsOf, startNginx } from "../support/nginx.ts";
import { sendRaw } from "../support/raw-request.ts";

/** Ways to write the board's address; behind a rule for `/admin` none may reach it. */
const spellings = [
  ...["/admin", "/admin/", "/admin/queues", "/admin/queues/", "/admin/queues?x=1", "/admin?/../categories"],
  ...["/admin/queues/api/queues", "/admin/queues/login", "/admin/queues/static/../api/queues"],
  ...["/ADMIN/queues", "/Admin/Queues", "/aDmIn/queues", "/admin/QUEUES", "/ADMIN/queues/api/queues", "/ADMIN"],
  ...["/%61dmin/queues", "/%41dmin/queues", "/adm%69n/queues", "/%61%64%6d%69%6e/queues", "/%2561dmin/queues"],
  ...["//admin/queues", "///admin/queues", "/admin//queues", "//admin//queues", "/admin/queues//", "////admin"],
  ...["/./admin/queues", "/admin/./queues", "/../admin/queues", "/x/../admin/queues", "/docs/../admin/queues"],
  ...["/docs/../../admin/queues", "/categories/..//admin/queues", "/admin/../admin/queues", "/x/./../admin/queues"],
  ...["/%2e/admin/queues", "/x/%2e%2e/admin/queues", "/x/%2E%2E/admin/queues", "/x/.%2e/admin/queues"],
  ...["/x/%2e./admin/queues", "/docs/%2e%2e/admin/queues", "/x/%252e%252e/admin/queues", "/..%2fadmin/queues"],
  ...[
    "/%2fadmin/queues",
    "/admin%2fqueues",
    "/admin%2Fqueues%2Fapi%2fqueues",
    "/x/..%2fadmin/queues",
    "/x%2f../admin/queues",
  ],
  ...["/docs/..%2fadmin%2fqueues", "/%2e%2e%2fadmin/queues", "/x/..%252fadmin/queues", "/docs%2f..%2fadmin/queues"],
  ...["/admin\\queues", "\\admin\\queues", "/x\\..\\admin\\queues", "/x/..\\admin/queues", "/admin%5cqueues"],
  ...["/x/..%5cadmin%5cqueues", "/%5cadmin/queues", "/docs/..\\..\\admin/queues"],
  ...["/admin;/queues", "/admin;x=1/queues", "/;/admin/queues", "/x/..;/admin/queues", "/admin/queues;x"],
  ...[
    "/admin./queues",
    "/admin.../queues",
    "/admin%20/queues",
    "/admin%00/queues",
    "/%00/admin/queues",
    "/admin%09/queues",
  ],
  ...[
    "/admin/queues#",
    "/#/../admin/queues",
    "/categories#/../../admin/queues",
    "/x?/../admin/queues",
    "/admin%3f/queues",
  ],
  ...["/warehouse/admin/queues", "/warehouse/../admin/queues", "/warehouse//admin/queues", "/-/../admin/queues"],
  ...["http://shop.example/admin/queues", "http://shop.example//admin/queues", "http://shop.example/x/../admin/queues"],
  ...[
    "http://shop.example/ADMIN/queues",
    "http://a@shop.example/admin/queues",
    "http:///admin/queues",
    "http:/admin/queues",
  ],
  ...["HTTP://shop.example/admin/queues", "http://shop.example\\admin\\queues", "admin/queues", "*/admin/queues"],
  ...["/\u00e1dmin/queues", "/adm\u0131n/queues", "/admin\u00a0/queues", "/%c1%a1dmin/queues", "/%ef%bd%81dmin/queues"],
];

describe("the chart's Ingress, as nginx serves it", () => {
  const api = useApi({ relay: false });
  const { start } = useApiProcesses(api);
  let behind = { url: "" };
  let front = { url: "", stop: async () => {} };

  beforeAll(async () => {
    if (!hasNginx) return;
    behind = await start();
    const ingress = pick(await render(["test/helm/required.yaml"]), "Ingress", "api");
    front = await startNginx(locationsOf(ingress, { "shop-tcf-backend-api": new URL(behind.url).host }));
  }, 120_000);
  afterAll(() => front.stop());

  const headers = () => [`authorization: Bearer ${api.tokens.admin}`, "accept: text/html, application/json"];
  /** What only the board says: its pages, its answers, and where it sends people. */
  const isBoard = ({ headers: head, body }: { headers: string; body: string }) =>
    /location: \/admin|xsrf-token|tcf_board/.test(head) || /<base|Jobs|"queues":|Access token/.test(body);

  test.runIf(hasNginx)("lets everything else through (skipped where nginx is not installed)", async () => {
    for (const path of ["/categories", "/categories/", "/docs", "/openapi.json", "/warehouse/categories", "/-/version"])
      expect((await sendRaw(front.url, `GET ${path} HTTP/1.1`)).status, path).toBe(200);
    expect((await sendRaw(front.url, "GET /administration HTTP/1.1")).status, "the API's own 404").toBe(404);
    const direct = await sendRaw(behind.url, "GET /admin/queues HTTP/1.1", headers());
    expect([direct.status, isBoard(direct)], "from inside").toEqual([200, true]);
  });

  test.runIf(hasNginx)(
    "leads to the board by no spelling (skipped where nginx is not installed)",
    async () => {
      expect(new Set(spellings).size).toBeGreaterThan(90);
      const seen = new Map<number, number>();
      for (const spelling of spellings) {
        for (const method of ["GET", "PUT"]) {
          const answer = await sendRaw(front.url, `${method} ${spelling} HTTP/1.1`, headers());
          expect([400, 404, 503], `${method} ${spelling}`).toContain(answer.status);
          expect(isBoard(answer), `${method} ${spelling}`).toBe(false);
          seen.set(answer.status, (seen.get(answer.status) ?? 0) + 1);
        }
      }
      // Refused by the rule, and by the API where the rule does not know the spelling.
      expect([...seen.keys()].sort()).toEqual([400, 404, 503]);
    },
    60_000,
  );

  test.runIf(hasNginx)("takes one Host (skipped where nginx is not installed)", async () => {
    const hosts = ["host: shop.example", "host: other.example"];
    expect((await sendRaw(front.url, "GET /categories HTTP/1.1", hosts)).status).toBe(400);
    expect((await sendRaw(behind.url, "GET /categories HTTP/1.1", hosts)).status).toBe(400);
  });
});
