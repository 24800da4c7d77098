import { readFileSync } from "node:fs";
import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { useApi } from "../support/api.ts";
import { multipart } from "../support/http.ts";
import { redPng } from "../support/images.ts";
import { hasNginx, startNginxWith } from "../support/nginx.ts";

// The real API behind Debian's nginx with the text of docs/operations/front-proxy.md.

const reference = /```nginx\n([\s\S]*?)```/.exec(readFileSync("docs/operations/front-proxy.md", "utf8"))?.[1] ?? "";
const publicUrl = "https://shop.example/back";
const board = "/back/admin/queues";
const html = { accept: "text/html" };

describe.skipIf(!hasNginx).each([
  { what: "takes the path away", pathIsKept: false },
  { what: "leaves the path in place", pathIsKept: true },
])("behind a proxy that $what", ({ pathIsKept }) => {
  const api = useApi({ publicUrl, pathIsKept, trustProxy: 1, limits: { anonymous: { points: 200, seconds: 3_600 } } });
  let proxy: Awaited<ReturnType<typeof startNginxWith>>;
  beforeAll(async () => {
    const text = pathIsKept ? reference.replace(/http:\/\/tcf_api[/\w]*;/g, "http://tcf_api;") : reference;
    proxy = await startNginxWith((port) =>
      text.replace("127.0.0.1:8080", new URL(api.url).host).replace("listen 80;", `listen 127.0.0.1:${port};`),
    );
  });
  afterAll(() => proxy?.stop());

  const get = (path: string, headers: Record<string, string> = {}) =>
    fetch(proxy.url + path, { headers, redirect: "manual" });
  const asEmployee = () => ({ authorization: `Bearer ${api.tokens.employee}` });
  const form = async (name: string) =>
    multipart([
      { name: "name", content: name },
      { name: "image_blob", fileName: "photo.png", content: await redPng(600, 400) },
    ]);

  /** Everything that a page loads: status and type of each. */
  async function loadedBy(page: string, headers: Record<string, string> = {}) {
    const addresses = Array.from(
      page.matchAll(/<(?:script|link|img)[^>]*?(?:src|href)="([^"]+)"/g),
      ([, url = ""]) => url,
    );
    expect(addresses.length).toBeGreaterThan(1);
    const base = /<base href="([^"]+)"/.exec(page)?.[1] ?? "/";
    return Promise.all(
      addresses.map(async (address) => {
        const { pathname } = new URL(address, new URL(base, proxy.url));
        const answer = await get(pathname, headers);
        await answer.arrayBuffer();
        return { pathname, status: answer.status };
      }),
    );
  }

  test("the API reference loads all that it shows, and calls the API there", async () => {
    const entry = await get("/back/", html);
    expect([entry.status, entry.headers.get("location")]).toEqual([302, "/back/docs"]);
    const page = await (await get("/back/docs", html)).text();
    for (const { pathname, status } of await loadedBy(page)) {
      expect(pathname).toMatch(/^\/back\/docs\//);
      expect([pathname, status]).toEqual([pathname, 200]);
    }
    expect(page).toContain('data-base="/back"');
    const { servers } = (await (await get("/back/openapi.json")).json()) as { servers: { url: string }[] };
    expect(servers.map(({ url }) => url)).toEqual(["/back", "/back/warehouse"]);
    expect((await get("/back/warehouse/categories")).status).toBe(200);
  });

  test("the board takes a login, and loads all that it shows", async () => {
    const closed = await get(board, html);
    expect([closed.status, closed.headers.get("location")]).toEqual([303, `${board}/login`]);
    expect(await (await get(`${board}/login`, html)).text()).toContain(`action="${board}/login"`);
    const login = await fetch(`${proxy.url}${board}/login`, {
      method: "POST",
      body: new URLSearchParams({ token: api.tokens.employee }),
      redirect: "manual",
    });
    expect([login.status, login.headers.get("location")]).toEqual([303, board]);
    const cookie = login.headers.get("set-cookie") ?? "";
    expect(cookie).toContain(`Path=${board};`);
    const session = { cookie: cookie.split(";")[0] ?? "" };
    const page = await (await get(board, { ...session, ...html })).text();
    for (const { pathname, status } of await loadedBy(page, session)) {
      expect(pathname).toMatch(/^\/back\/admin\/queues\/static\//);
      expect([pathname, status]).toEqual([pathname, 200]);
    }
    expect((await get(`${board}/api/queues`, session)).status).toBe(200);
    expect(page).not.toMatch(/"(?:\/docs|\/admin)/);
  });

  test("an upload passes, also one that asks for leave first, and its address is that of clients", async () => {
    const { body, headers: type } = await form("asked for leave");
    const answer = await new Promise<{ status: number | undefined; location: string | undefined; text: string }>(
      (resolve, reject) => {
        const headers = { ...asEmployee(), ...type, "content-length": body.length, expect: "100-continue" };
        const sent = request(`${proxy.url}/back/categories`, { method: "POST", headers }, async (res) => {
          let text = "";
          for await (const piece of res) text += piece;
          resolve({ status: res.statusCode, location: res.headers.location, text });
        });
        sent.on("continue", () => sent.end(body)).on("error", reject);
        sent.flushHeaders();
      },
    );
    expect(answer.status).toBe(201);
    const { id, image_job: job } = JSON.parse(answer.text);
    expect(answer.location).toBe(`${publicUrl}/categories/${id}`);
    expect(job.url).toBe(`${publicUrl}/jobs/${job.id}`);
  });

  test("events of a job come while it goes on", async () => {
    const { body, headers } = await form("watched");
    const made = await fetch(`${proxy.url}/back/categories`, {
      method: "POST",
      headers: { ...asEmployee(), ...headers },
      body: new Uint8Array(body),
    });
    const { image_job: job } = (await made.json()) as { image_job: { id: string } };
    const events = await get(`/back/jobs/${job.id}/events`, { ...asEmployee(), accept: "text/event-stream" });
    const reader = events.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    while (!text.includes("event: job")) text += (await reader?.read())?.value;
    expect(text).toContain(`"id":"${job.id}"`);
    await reader?.cancel();
  });

  test("exactly one form of a path is answered", async () => {
    const direct = async (path: string) => (await fetch(api.url + path, { redirect: "manual" })).status;
    expect(await direct(pathIsKept ? "/back/openapi.json" : "/openapi.json")).toBe(200);
    expect(await direct(pathIsKept ? "/openapi.json" : "/back/openapi.json")).toBe(404);
    for (const twice of ["/back/back/admin/queues", "/back/backadmin/queues", "/backadmin/queues"])
      expect([twice, (await get(twice, html)).status]).toEqual([twice, 404]);
  });

  test("one client is one client, whatever it says about itself", async () => {
    const answers = await Promise.all(
      Array.from({ length: 205 }, (_, at) => get("/back/-/version", { "x-forwarded-for": `198.51.100.${at % 250}` })),
    );
    expect(answers.filter(({ status }) => status === 429).length).toBeGreaterThan(0);
  });
});
