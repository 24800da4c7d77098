import { describe, expect, test, vi } from "vitest";
import { AuditEntry } from "../../../src/db/entities/audit/audit-entry.ts";
import { call, useApi, userIds } from "../../support/api.ts";

describe("Bull Board", () => {
  const api = useApi({ relay: false });
  const board = "/admin/queues";
  const queues = `${board}/api/queues?activeQueue=images&status=latest&page=1&jobsPerPage=10`;
  const pause = `${board}/api/queues/images/pause`;
  const send = (path: string, init: RequestInit = {}) => call(api.url + path, init);
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  const html = { accept: "text/html" };

  function login(token: string, headers: Record<string, string> = {}) {
    return send(`${board}/login`, { method: "POST", body: new URLSearchParams({ token }), headers });
  }

  async function cookieOf(token: string) {
    const cookie = (await login(token)).headers.get("set-cookie") ?? "";
    return { header: { cookie: cookie.split(";")[0] ?? "" }, attributes: cookie };
  }

  /** As a browser has it after the board was opened: what its scripts send with every change is in `header`, too. */
  async function sessionOf(token: string) {
    const { header } = await cookieOf(token);
    const page = await send(board, { headers: { ...header, ...html } });
    const csrf = /XSRF-TOKEN=([^;]+)/.exec(page.headers.get("set-cookie") ?? "")?.[1] ?? "";
    return { cookie: `${header.cookie}; XSRF-TOKEN=${csrf}`, "x-xsrf-token": csrf };
  }

  test("sends a person without a session to the login page, and answers 401 to a program", async () => {
    const page = await send(board, { headers: html });
    expect([page.status, page.headers.get("location")]).toEqual([303, `${board}/login`]);
    expect((await send(queues)).status).toBe(401);
    expect((await send(pause, { method: "PUT" })).status).toBe(401);
    expect((await send(`${board}/login`)).text).toContain("Access token");
  });

  test("shows nothing to a customer", async () => {
    expect((await send(queues, { headers: bearer(api.tokens.user) })).status).toBe(403);
    const refused = await login(api.tokens.user);
    expect([refused.status, refused.headers.get("set-cookie")]).toEqual([403, null]);
    expect(refused.text).toContain("role USER is not allowed");
  });

  test("answers 4xx to a login without a form", async () => {
    expect((await send(`${board}/login`, { method: "POST" })).status).toBe(401);
    const headers = { "content-type": "application/x-www-form-urlencoded; charset=foo" };
    expect((await send(`${board}/login`, { method: "POST", headers, body: "token=x" })).status).toBe(415);
  });

  test("says why a login failed, and escapes it", async () => {
    const refused = await login("<img onerror=alert(1)>");
    expect(refused.status).toBe(401);
    expect(refused.text).toContain("Malformed JWT header");
    expect(refused.text).not.toContain("<img");
  });

  test("keeps the session in a cookie that scripts and other sites cannot use", async () => {
    const { header, attributes } = await cookieOf(api.tokens.employee);
    expect(attributes).toMatch(/Path=\/admin\/queues;.*HttpOnly;.*SameSite=Strict/);
    expect((await send(queues, { headers: header })).status).toBe(200);
    expect((await send(board, { headers: { ...header, ...html } })).text).toContain("<title>Jobs (read only)</title>");
  });

  test("lets an employee look, and an admin act", async () => {
    const put = (token: string) => send(pause, { method: "PUT", headers: { ...bearer(token), "x-reason": "a test" } });
    expect((await send(queues, { headers: bearer(api.tokens.employee) })).status).toBe(200);
    expect((await put(api.tokens.employee)).status).toBe(403);
    expect(await api.queues.byName.images.isPaused()).toBe(false);
    expect((await put(api.tokens.admin)).status).toBe(200);
    expect(await api.queues.byName.images.isPaused()).toBe(true);
    await api.queues.byName.images.resume();
    await vi.waitFor(async () => {
      const rows = await api.db.manager.find(AuditEntry, { order: { status: "ASC" } });
      expect(rows.map(({ method, endpoint, status }) => [method, endpoint, status])).toEqual([
        ["PUT", `https://api.test${pause}`, 200],
        ["PUT", `https://api.test${pause}`, 403],
      ]);
    }, 10_000);
  });

  test("refuses what another site sends with the session's cookie", async () => {
    const header = await sessionOf(api.tokens.admin);
    const put = (headers: Record<string, string>) => send(pause, { method: "PUT", headers: { ...header, ...headers } });
    expect((await put({ "sec-fetch-site": "cross-site" })).status).toBe(403);
    expect((await put({ "sec-fetch-site": "same-site" })).status).toBe(403);
    expect((await put({ origin: "https://evil.test" })).status).toBe(403);
    expect((await login(api.tokens.admin, { origin: "https://evil.test" })).status).toBe(403);
    expect(await api.queues.byName.images.isPaused()).toBe(false);
  });

  test("takes changes from pages alone that can read the session's second cookie", async () => {
    const { "x-xsrf-token": csrf, cookie } = await sessionOf(api.tokens.admin);
    const put = (headers: Record<string, string>) =>
      send(pause, { method: "PUT", headers: { cookie, "x-reason": "a test", ...headers } });
    for (const wrong of [{}, { "x-xsrf-token": "" }, { "x-xsrf-token": "a".repeat(43) }]) {
      expect((await put(wrong as Record<string, string>)).status).toBe(403);
    }
    const blank = { cookie: cookie.replace(/XSRF-TOKEN=.*/, "XSRF-TOKEN="), "x-xsrf-token": "" };
    expect((await put(blank)).status).toBe(403);
    // Of the same length as text, and not as bytes; fetch sends only what is Latin-1.
    for (const last of ["é", "ÿ", "\u00a7"]) {
      const odd = `${csrf.slice(0, -1)}${last}`;
      expect((await put({ "x-xsrf-token": odd })).status, last).toBe(403);
      const form = new URLSearchParams({ csrf: `${csrf.slice(0, -1)}\u0449`, reason: "x" });
      expect((await send(`${board}/reason`, { method: "POST", headers: { cookie }, body: form })).status).toBe(403);
    }
    const both = "b".repeat(43);
    const planted = { cookie: cookie.replace(/XSRF-TOKEN=.*/, `XSRF-TOKEN=${both}`), "x-xsrf-token": both };
    expect((await put(planted)).status, "a cookie that another site has planted").toBe(403);
    expect(await api.queues.byName.images.isPaused()).toBe(false);
    expect((await put({ "x-xsrf-token": csrf })).status).toBe(200);
    expect(await api.queues.byName.images.isPaused()).toBe(true);
    await send(`${board}/api/queues/images/resume`, { method: "PUT", headers: { cookie, "x-xsrf-token": csrf } });
  });

  test("takes no change with what was made for another session, of the same person or another", async () => {
    const mine = await sessionOf(api.tokens.admin);
    const again = await sessionOf(await api.identity.token(userIds.admin, { claims: { session: 2 } }));
    const other = await sessionOf(api.tokens.employee);
    expect(new Set([mine, again, other].map((one) => one["x-xsrf-token"])).size).toBe(3);
    for (const foreign of [again, other]) {
      const headers = { ...mine, "x-xsrf-token": foreign["x-xsrf-token"] };
      expect((await send(pause, { method: "PUT", headers })).status).toBe(403);
    }
    expect(await api.queues.byName.images.isPaused()).toBe(false);
    // A page that is opened with the cookie of a session that is over gets the one that is good now.
    const cookie = mine.cookie.replace(/XSRF-TOKEN=.*/, `XSRF-TOKEN=${other["x-xsrf-token"]}`);
    const page = await send(board, { headers: { cookie, ...html } });
    expect(page.headers.get("set-cookie")).toContain(`XSRF-TOKEN=${mine["x-xsrf-token"]};`);
  });

  test("asks for a reason before what cannot be taken back, and keeps it for a quarter of an hour", async () => {
    const headers = await sessionOf(api.tokens.admin);
    const empty = (more: Record<string, string> = {}) =>
      send(`${board}/api/queues/images/empty`, { method: "PUT", headers: { ...headers, ...more } });
    const refused = await empty();
    expect([refused.status, refused.body.message]).toEqual([412, expect.stringContaining("/admin/queues/reason")]);
    const say = (reason: string) =>
      send(`${board}/reason`, {
        method: "POST",
        headers: { cookie: headers.cookie },
        body: new URLSearchParams({ csrf: headers["x-xsrf-token"], reason }),
      });
    const said = await say("  Склад закрыт <b>  ");
    const cookie = said.headers.get("set-cookie") ?? "";
    expect([said.status, cookie]).toEqual([303, expect.stringMatching(/Max-Age=900;.*HttpOnly;.*SameSite=Strict/)]);
    const withReason = { cookie: `${headers.cookie}; ${cookie.split(";")[0]}` };
    expect((await empty(withReason)).status).toBe(200);
    const page = await send(`${board}/reason`, { headers: { ...withReason, "accept-language": "ru" } });
    expect(page.text).toContain("Склад закрыт &lt;b&gt;");
    expect(page.text).toContain("<h1>Почему?</h1>");
    expect((await say(" ")).headers.get("set-cookie")).toMatch(/tcf_board_reason=;/);
    await vi.waitFor(async () => {
      const rows = await api.db.manager.find(AuditEntry, {
        where: { endpoint: `https://api.test${board}/api/queues/images/empty` },
      });
      expect(rows.map(({ status, payload }) => [status, payload]).sort()).toEqual([
        [200, { reason: "Склад закрыт <b>" }],
        [412, {}],
      ]);
    }, 10_000);
  });

  test("speaks Russian to those who read it", async () => {
    const headers = { ...bearer(api.tokens.employee), "accept-language": "ru-RU,ru;q=0.9" };
    expect((await send(board, { headers: { ...headers, ...html } })).text).toContain("Задания (только просмотр)");
    expect((await send(queues, { headers })).text).toContain("Отвечает: catalogue.");
    expect((await send(`${board}/login`, { headers })).text).toContain("Токен доступа");
  });

  test("cannot be shown inside another page", async () => {
    const { headers } = await send(`${board}/login`);
    expect(headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
    expect(headers.get("cache-control")).toBe("no-store");
  });
});
