import { randomUUID } from "node:crypto";
import { connect } from "node:net";
import { describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { AuditEntry } from "../../../../src/db/entities/audit/audit-entry.ts";
import { useApi, userIds } from "../../../support/api.ts";
import { asker, type Question } from "../../../support/ask.ts";
import { countStatements } from "../../../support/count-statements.ts";
import { addUser } from "../../../support/users.ts";

interface Shown {
  id: string;
  user_id: string;
  user: { id: string; shipping_method: string | null };
  method: string;
  endpoint: string;
  payload: unknown;
  status: number;
  request_id: string;
}
interface Page {
  items: Shown[];
  total: number;
}

describe("the audit log", () => {
  const api = useApi({ relay: false, limits: { user: { points: 400, seconds: 60 } } });
  const ask = asker(api);
  const rowsOf = (requestId: string | null) => api.db.manager.findBy(AuditEntry, { requestId: requestId ?? "" });

  /** Sends a request and returns what it left in the log. */
  async function trace(request: string, question: Question = {}) {
    const { status, headers } = await ask(request, question);
    const rows = await rowsOf(headers.get("x-request-id"));
    for (const row of rows) expect(row.status).toBe(status);
    return rows;
  }

  describe("gets one row", () => {
    const own = `/users/${userIds.user}`;
    const unknown = `/users/${randomUUID()}`;

    test.each<[number, string, Question]>([
      [200, `PATCH ${own}?a=%D0%AF&b=1`, { body: { city: "Ялта" } }],
      [200, `PATCH /warehouse${own}`, { as: "admin", body: {} }],
      [201, `POST /balance/adjust/${userIds.user}?delta=1&reason=OTHER`, { as: "admin" }],
      [204, "DELETE /addresses/{address}", {}],
      [403, `PATCH ${own}`, { body: { role: "ADMIN" } }],
      [403, `POST /balance/adjust/${userIds.user}`, { as: "employee", body: { delta: 5, reason: "OTHER" } }],
      [404, `PATCH ${unknown}`, { body: { city: "Ялта" } }],
      [409, `PATCH ${own}`, { as: "admin", body: { email: "admin@test.example" } }],
      [422, `PATCH ${own}`, { body: { city: 5 } }],
      [422, "PATCH /users/me", { body: { city: "Ялта" } }],
      [422, `PATCH ${own}`, { body: [{ city: "Ялта" }] }],
      [422, `PATCH ${own}`, {}],
    ])("with the outcome %i: %s", async (status, request, question) => {
      const address = request.includes("{address}") ? await addAddress() : "";
      const [method = "", path = ""] = request.replace("{address}", address).split(" ");
      const rows = await trace(`${method} ${path}`, question);
      expect(rows).toMatchObject([{ userId: userIds[question.as === "admin" ? "admin" : "employee"], method, status }]);
      expect(rows[0]?.endpoint).toBe(`https://api.test${path}`);
    });

    test("with an address that is a URI, whatever was sent", async () => {
      const rows = await trace(`PATCH ${own}?a[b]=%zz&c=%&d={x}|y\\z^`, { body: {} });
      expect(rows[0]?.endpoint).toBe(`https://api.test${own}?a%5Bb%5D=%25zz&c=%25&d=%7Bx%7D%7Cy%5Cz%5E`);
    });

    const addAddress = async () => {
      const place = { city: "Ялта", street: "ул. Морская, 1", postal_code: "298600" };
      const body = { first_name: "Нина", last_name: "Ли", phone: "+79780424666", ...place };
      return (await ask("POST /addresses", { body })).body.id;
    };

    test("for each of many at once, with its own outcome", async () => {
      const { id } = await addUser(api.db);
      const rows = await Promise.all(
        Array.from({ length: 30 }, (_, n) =>
          trace(`PATCH /users/${id}`, { body: n % 3 === 0 ? { city: n } : { city: `Город ${n}` } }),
        ),
      );
      expect(rows.map((found) => found.map(({ status }) => status))).toEqual(
        Array.from({ length: 30 }, (_, n) => [n % 3 === 0 ? 422 : 200]),
      );
    });

    test("for all repetitions of a request under one Idempotency-Key, which is done once", async () => {
      const question = { as: "admin", headers: { "idempotency-key": randomUUID() } } as const;
      const request = `POST /balance/adjust/${userIds.user}?delta=3&reason=OTHER`;
      const rows = await Promise.all(Array.from({ length: 6 }, () => trace(request, question)));
      expect(rows.flat()).toHaveLength(1);
    });

    test("also when the work fails in an unforeseen way", async () => {
      const fault = vi.spyOn(api.context, "transact").mockRejectedValueOnce(new Error("out of luck"));
      const rows = await trace(`PATCH ${own}`, { body: { city: "Ялта" } });
      fault.mockRestore();
      expect(rows).toMatchObject([{ status: 500, payload: { city: "Ялта" } }]);
    });
  });

  describe("gets no row", () => {
    test.each<[string, string, Question]>([
      ["of reading", "GET /users", {}],
      ["of what customers do", "POST /addresses", { as: "user", body: {} }],
      ["of a customer who tries what is for staff", `PATCH /users/${userIds.user}`, { as: "user", body: {} }],
      ["of a caller without a token", `PATCH /users/${userIds.user}`, { as: "anonymous", body: {} }],
      ["of an address that is not there", "POST /nowhere", { body: {} }],
      ["of a method that is not there", "PUT /users", { body: {} }],
    ])("%s", async (_what, request, question) => {
      expect(await trace(request, question)).toEqual([]);
    });

    test("and a lost one does not make a done change look undone", async () => {
      const { id } = await addUser(api.db);
      const error = vi.spyOn(api.context.log, "error");
      await api.db.query("ALTER TABLE audit_log RENAME TO lost_log");
      const answer = await ask(`PATCH /users/${id}`, { body: { city: "Ялта" } });
      await api.db.query("ALTER TABLE lost_log RENAME TO audit_log");
      expect(answer).toMatchObject({ status: 200, body: { city: "Ялта" } });
      expect(error.mock.calls).toMatchObject([[{ audit: { status: 200 } }, "audit row lost"]]);
      error.mockRestore();
    });
  });

  describe("keeps of the body", () => {
    const payload = async (body: unknown) => {
      const rows = await trace(`PATCH /users/${userIds.user}`, { body });
      return rows.map((row) => row.payload);
    };

    test("an object as it came, with what the route ignores", async () => {
      expect(await payload({ city: 5, nested: { a: [1, null] } })).toEqual([{ city: 5, nested: { a: [1, null] } }]);
    });

    test("a list in a wrapping, and nothing of anything else", async () => {
      expect(await payload([{ a: 1 }, 2])).toEqual([{ items: [{ a: 1 }, 2] }]);
      for (const body of ["text", 5, true, null, undefined]) expect(await payload(body)).toEqual([null]);
    });

    test("no secrets, however deep they are", async () => {
      const body = {
        password: "hunter2",
        nested: [{ API_KEY: "hunter2", apiKey: "hunter2", "x-better-auth-secret": ["hunter2"] }],
        accessToken: { value: "hunter2" },
        card_number: "hunter2",
        city: "Ялта",
      };
      const found = await payload(body);
      expect(JSON.stringify(found)).not.toContain("hunter2");
      expect(found).toEqual([{ city: "Ялта", nested: [{}] }]);
    });

    test("what Postgres can store", async () => {
      expect(await payload({ note: "a\0b\ud800", "k\0": "\\u0000" })).toEqual([{ note: "a�b�", "k�": "\\u0000" }]);
    });

    test("no more than it can bear", async () => {
      const found = await payload({ note: "x".repeat(200_000) });
      expect(found).toEqual([{ left_out: expect.stringMatching(/^2000\d\d characters$/) }]);
    });

    test("nothing when it is broken", async () => {
      const res = await fetch(`${api.url}/users/${userIds.user}`, {
        method: "PATCH",
        headers: { authorization: `Bearer ${api.tokens.employee}`, "content-type": "application/json" },
        body: '{"city":',
      });
      expect(await rowsOf(res.headers.get("x-request-id"))).toMatchObject([{ status: 422, payload: null }]);
    });
  });

  describe("names as endpoint", () => {
    test("no secrets of the query", async () => {
      const [row] = await trace(`PATCH /users/${userIds.user}?token=hunter2&a=1&api-key=hunter2`, { body: {} });
      expect(row?.endpoint).toBe(`https://api.test/users/${userIds.user}?token=***&a=1&api-key=***`);
    });

    test("what clients take for a URL, also when the request line has a whole one or odd bytes", async () => {
      const requestId = randomUUID();
      for (const target of [
        `http://evil.test:99/users/${userIds.user}?a=1`,
        `/users/${userIds.user}?q=|{}^\`%`,
        `/users/${userIds.user}?${"a".repeat(6_000)}`,
      ]) {
        await sendRaw(
          `PATCH ${target} HTTP/1.1\r\nhost: evil.test\r\nx-forwarded-host: evil.test\r\nx-request-id: ${requestId}\r\n` +
            `authorization: Bearer ${api.tokens.employee}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`,
        );
      }
      const rows = await rowsOf(requestId);
      expect(rows.map(({ status }) => status)).toEqual([422, 422, 422]);
      for (const { endpoint } of rows) {
        expect(endpoint).toMatch(new RegExp(`^https://api\\.test/users/${userIds.user}\\?`));
        expect(z.url().safeParse(endpoint).success, endpoint).toBe(true);
      }
    });

    async function sendRaw(text: string) {
      const { hostname, port } = new URL(api.url);
      const socket = connect(Number(port), hostname);
      socket.write(text);
      for await (const _chunk of socket);
    }
  });

  describe("GET /audit-log", () => {
    test("is for staff", async () => {
      expect((await ask("GET /audit-log", { as: "anonymous" })).status).toBe(401);
      expect(await ask("GET /audit-log", { as: "user" })).toMatchObject({
        status: 403,
        body: { detail: "Access denied: role USER is not allowed." },
      });
      for (const as of ["employee", "admin"] as const) expect((await ask("GET /audit-log", { as })).status).toBe(200);
      expect((await ask("GET /audit-log?size=0")).status).toBe(422);
    });

    test("shows what was done, newest first, by whom, in pages", async () => {
      const { id } = await addUser(api.db, { role: "EMPLOYEE", shippingMethod: "OTHER" });
      const as = { token: await api.identity.token(id) };
      const ids: string[] = [];
      for (const city of ["А", "Б", "В"]) {
        const { headers } = await ask(`PATCH /users/${userIds.user}`, { as, body: { city } });
        ids.push(headers.get("x-request-id") ?? "");
      }
      const { items } = (await ask<Page>("GET /warehouse/audit-log")).body;
      expect(items.slice(0, 3).map(({ request_id }) => request_id)).toEqual(ids.toReversed());
      expect(items[0]).toEqual({
        id: expect.any(String),
        user_id: id,
        user: expect.objectContaining({ id, clerk_id: "", shipping_method: "OTHER" }),
        method: "PATCH",
        endpoint: `https://api.test/users/${userIds.user}`,
        payload: { city: "В" },
        status: 200,
        request_id: ids[2],
        created_at: expect.stringMatching(/Z$/),
        updated_at: expect.stringMatching(/Z$/),
      });
      const shop = (await ask<Page>("GET /audit-log?size=1&page=2")).body;
      expect(shop).toMatchObject({ page: 2, size: 1, pages: shop.total });
      expect(shop.items).toMatchObject([{ request_id: ids[1], user: { shipping_method: null } }]);
    });

    test("breaks ties by id", async () => {
      const createdAt = new Date("2099-01-01");
      const entry = {
        userId: userIds.admin,
        method: "POST" as const,
        endpoint: "https://api.test/x",
        status: 200,
        createdAt,
      };
      const made = await api.db.manager.save(
        Array.from({ length: 4 }, () =>
          api.db.manager.create(AuditEntry, { ...entry, payload: null, requestId: "tie" }),
        ),
      );
      const expected = made.map(({ id }) => id).toSorted((a, b) => (a < b ? 1 : -1));
      const { items } = (await ask<Page>("GET /audit-log?size=4")).body;
      expect(items.map(({ id }) => id)).toEqual(expected);
      await api.db.manager.delete(AuditEntry, { requestId: "tie" });
    });

    test("costs two statements for a list of any length, and the one that finds the caller", async () => {
      const statements = (size: number) => countStatements(api.db, () => ask(`GET /audit-log?size=${size}`));
      for (let n = 0; n < 20; n++) await ask(`PATCH /users/${userIds.user}`, { body: { city: `${n}` } });
      expect([await statements(1), await statements(20)]).toEqual([3, 3]);
    });
  });

  test("has the requests that were too many as well", async () => {
    const { id } = await addUser(api.db, { role: "EMPLOYEE" });
    const as = { token: await api.identity.token(id) };
    for (let n = 0; n < 400; n += 50) {
      await Promise.all(Array.from({ length: 50 }, () => ask(`GET /users/${id}`, { as })));
    }
    const rows = await trace(`PATCH /users/${id}`, { as, body: { city: "Ялта" } });
    expect(rows).toMatchObject([{ status: 429, userId: id }]);
  });
});
