import { randomUUID } from "node:crypto";
import { readdirSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { isSchema } from "../../../src/api/http/define-route.ts";
import { routes } from "../../../src/api/routes/index.ts";
import { createMailLinks } from "../../../src/platform/mail-links.ts";
import { call, mailLinkSecret, useApi } from "../../support/api.ts";
import { addBusiness, known } from "../../support/business.ts";

const api = useApi({ relay: false });
const board = "/admin/queues";
const reference = "test_of_a_page";
const links = createMailLinks({ publicUrl: "", secret: mailLinkSecret });

/** Pages by the routes that declare them. */
const declared: Record<string, string> = {
  "/mail/unsubscribe/{token}": links.unsubscribeUrl(randomUUID()),
  "/payments/test-provider/{reference}": `/payments/test-provider/${reference}`,
};
/** Those of the reference and of the board. */
const others = [
  "/docs/",
  ...["", "/login", "/reason", "/queue/images", `/ledger/${known.job_id}`].map((path) => board + path),
];
const pages = [...others, ...Object.values(declared)].map((path) => [path] as const);

/** What a browser asks for by itself, as it stands in the text; links that a person follows are not among it. */
const loading: Record<string, RegExp[]> = {
  "text/html": [/<link\b[^>]*?\shref="([^"]*)"/g, /\ssrc(?:set)?="([^"]*)"/g, /url\(\s*["']?([^"')]+)/g],
  "text/css": [/url\(\s*["']?([^"')]+)/g, /@import\s+["']([^"']+)/g],
  "text/javascript": [/\b(?:fetch|get)\("(\/[^"]+)"/g],
};

beforeAll(async () => {
  await addBusiness(api.db);
  const card = "UPDATE payments SET method = 'CARD', provider = 'test', provider_reference = $1 WHERE id = $2";
  await api.db.query(card, [reference, known.payment_id]);
});

async function open(path: string) {
  const headers = { accept: "text/html,*/*", authorization: `Bearer ${api.tokens.admin}` };
  const { status, text, headers: sent } = await call(api.url + path, { headers });
  expect(status, path).toBe(200);
  return {
    text,
    type: sent.get("content-type")?.split(";")[0] ?? "",
    policy: sent.get("content-security-policy") ?? "",
  };
}

function targetsOf({ at, type, text }: { at: URL; type: string; text: string }) {
  // Bull Board's scripts put their addresses together; what the page's policy forbids, they cannot ask for either.
  const patterns = at.pathname.includes("/static/js/") ? [] : (loading[type] ?? []);
  return patterns.flatMap((pattern) =>
    [...text.matchAll(pattern)].map(([, target = ""]) => target.replaceAll("&amp;", "&")),
  );
}

/** Opens a page and all that it loads; gives the addresses of these. */
async function load(path: string) {
  const loaded = new Set<string>();
  const page = await open(path);
  const base = /<base href="([^"]+)"/.exec(page.text)?.[1] ?? path;
  const waiting = [{ ...page, at: new URL(base, api.url) }];
  for (let one = waiting.pop(); one; one = waiting.pop()) {
    for (const target of targetsOf(one)) {
      const { protocol, origin, pathname, search, href } = new URL(target, one.at);
      if (protocol === "data:" || loaded.has(href)) continue;
      expect(origin, `${one.at.pathname} loads ${target}`).toBe(new URL(api.url).origin);
      loaded.add(href);
      waiting.push({ ...(await open(pathname + search)), at: new URL(href) });
    }
  }
  return [...loaded].map((href) => new URL(href).pathname);
}

describe("a page", () => {
  test("is among these, if a route declares it", () => {
    const html = routes.filter(({ method, responses: { 200: answer } }) => {
      return method === "get" && answer && !isSchema(answer) && answer.mediaTypes.includes("text/html");
    });
    expect(html.map(({ path }) => path).toSorted()).toEqual(Object.keys(declared).toSorted());
  });

  test.each(pages)("loads what is there, from this server alone: %s", async (path) => {
    await load(path);
  });

  test.each(pages)("forbids browsers to ask any other host: %s", async (path) => {
    const { policy } = await open(path);
    const rules = new Map(
      policy.split(";").map((rule) => [rule.trim().split(" ")[0], rule.trim().split(" ").slice(1)]),
    );
    expect(rules.has("default-src"), policy).toBe(true);
    const sources = new Set([...rules.values()].flat());
    for (const own of ["'self'", "'none'", "'unsafe-inline'", "data:"]) sources.delete(own);
    expect([...sources]).toEqual([]);
  });

  test("of the reference has its files beside it, and no others of their package", async () => {
    const used = (await load("/docs/")).filter((path) => path.startsWith("/docs/"));
    const there = await Promise.all(
      readdirSync("node_modules/swagger-ui-dist").map(async (name) => {
        const { status } = await fetch(`${api.url}/docs/${name}`);
        return status === 200 ? [`/docs/${name}`] : [];
      }),
    );
    expect(there.flat().toSorted()).toEqual(used.filter((path) => path !== "/docs/start.js").toSorted());
  });
});
