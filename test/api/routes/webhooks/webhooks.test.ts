import { randomUUID } from "node:crypto";
import { describe, expect, test, vi } from "vitest";
import { User } from "../../../../src/db/entities/accounts/user.ts";
import { AuditEntry } from "../../../../src/db/entities/audit/audit-entry.ts";
import { call, useApi, userIds, webhookSecret } from "../../../support/api.ts";
import { asker } from "../../../support/ask.ts";
import { naughtyBodies, refusedLines } from "../../../support/naughty.ts";
import { addUser } from "../../../support/users.ts";

describe("POST /webhooks/better-auth", () => {
  const api = useApi({ relay: false });
  const ask = asker(api);
  const signed = { "x-better-auth-secret": webhookSecret };

  const post = (body: string | Buffer, headers: Record<string, string> = signed) =>
    call(`${api.url}/webhooks/better-auth`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: typeof body === "string" ? body : new Uint8Array(body),
    });
  const send = (type: string, data: unknown) => post(JSON.stringify({ type, data }));
  const dataOf = (id: string = randomUUID(), values: object = {}) => ({
    id,
    email: `${id}@test.example`,
    first_name: "Нина",
    last_name: "Ли",
    name: "Нина Ли",
    image: null,
    ...values,
  });
  const find = (id: string) => api.db.manager.findOneBy(User, { id });

  describe("the secret", () => {
    test.each<[string, Record<string, string>]>([
      ["none", {}],
      ["an empty one", { "x-better-auth-secret": "" }],
      ["one with another end", { "x-better-auth-secret": `${webhookSecret}x` }],
      ["one that is cut off", { "x-better-auth-secret": webhookSecret.slice(0, -1) }],
      ["the right one in another header", { authorization: `Bearer ${webhookSecret}`, "api-key": webhookSecret }],
    ])("401 to %s, whatever the body is", async (_what, headers) => {
      const data = dataOf();
      for (const body of [JSON.stringify({ type: "user.created", data }), "{broken", ""]) {
        expect(await post(body, headers)).toMatchObject({ status: 401, body: { detail: "Invalid webhook secret" } });
      }
      expect(await find(data.id)).toBeNull();
    });

    test("401 to an admin's token and to the secret in the address", async () => {
      const body = JSON.stringify({ type: "user.created", data: dataOf() });
      expect((await post(body, { authorization: `Bearer ${api.tokens.admin}` })).status).toBe(401);
      const url = `${api.url}/webhooks/better-auth?x-better-auth-secret=${webhookSecret}`;
      expect((await call(url, { method: "POST", body })).status).toBe(401);
    });
  });

  describe("user.created", () => {
    test("enters a customer with what was sent, and nothing else", async () => {
      const data = dataOf(undefined, { role: "ADMIN", is_active: false, balance_rub: 5, createdAt: null });
      const { status, body } = await send("user.created", data);
      expect([status, body]).toEqual([200, { message: "User created" }]);
      expect(await find(data.id)).toMatchObject({
        email: data.email,
        firstName: "Нина",
        lastName: "Ли",
        isActive: true,
        role: "USER",
        customerType: "USER_RETAIL",
        mailing: false,
        balanceRub: 0,
        balanceUsd: 0,
        balanceEur: 0,
        balanceTry: 0,
        clerkId: null,
        phone: null,
        city: null,
        note: null,
        shippingMethod: null,
        shippingCompany: null,
      });
    });

    test("may come often and at once", async () => {
      const data = dataOf();
      const answers = await Promise.all(Array.from({ length: 20 }, () => send("user.created", data)));
      expect(new Set(answers.map(({ status, text }) => `${status} ${text}`))).toEqual(
        new Set(['200 {"message":"User created"}']),
      );
      const row = await find(data.id);
      expect((await send("user.created", data)).status).toBe(200);
      expect(await find(data.id)).toEqual(row);
    });

    test("leaves to a known user what is ours", async () => {
      const ours = {
        role: "EMPLOYEE",
        customerType: "USER_WHOLESALE",
        balanceRub: 700,
        phone: "+79780424666",
      } as const;
      const { id } = await addUser(api.db, { ...ours, isActive: false });
      await send("user.created", dataOf(id, { first_name: "Анна" }));
      expect(await find(id)).toMatchObject({ ...ours, isActive: false, firstName: "Анна" });
    });

    test("corrects the row of a user who came with a token first", async () => {
      const data = dataOf();
      const as = { token: await api.identity.token(data.id, { claims: { email: data.email } }) };
      expect((await ask(`GET /users/${data.id}`, { as })).body).toMatchObject({ first_name: "", last_name: "" });
      await send("user.created", data);
      expect((await ask(`GET /users/${data.id}`, { as })).body).toMatchObject({ first_name: "Нина", last_name: "Ли" });
    });
  });

  describe("user.updated", () => {
    test("changes e-mail and names", async () => {
      const { id } = await addUser(api.db);
      const change = dataOf(id, { email: `new-${id}@test.example`, first_name: "Анна", last_name: "" });
      const { status, body } = await send("user.updated", change);
      expect([status, body]).toEqual([200, { message: "User updated" }]);
      expect(await find(id)).toMatchObject({ email: change.email, firstName: "Анна", lastName: "" });
    });

    test("enters a user whose creation was lost", async () => {
      const data = dataOf();
      expect(await send("user.updated", data)).toMatchObject({ status: 200, body: { message: "User updated" } });
      expect(await find(data.id)).toMatchObject({ email: data.email, role: "USER", isActive: true });
    });

    test("that arrives late does not undo a newer one; the same moment again, or none, is taken", async () => {
      const { id } = await addUser(api.db);
      const nameAfter = async (type: string, first_name: string, times: object) => {
        expect((await send(type, dataOf(id, { first_name, ...times }))).status).toBe(200);
        return (await find(id))?.firstName;
      };
      expect(await nameAfter("user.updated", "Б", { updatedAt: "2026-02-02T10:00:00.000Z" })).toBe("Б");
      expect(await nameAfter("user.updated", "А", { updatedAt: "2026-02-02T09:59:59.999Z" })).toBe("Б");
      expect(await nameAfter("user.created", "А", { createdAt: "2026-02-01T10:00:00.000Z" })).toBe("Б");
      expect(await nameAfter("user.updated", "В", { updatedAt: "2026-02-02T13:00:00.000+03:00" })).toBe("В");
      expect(await nameAfter("user.updated", "Г", { updatedAt: null })).toBe("Г");
      expect(await nameAfter("user.updated", "Д", { updatedAt: "yesterday" })).toBe("Д");
      expect(await nameAfter("user.updated", "А", { updatedAt: "2026-02-02T09:59:59.999Z" })).toBe("Д");
      expect(await nameAfter("user.updated", "Е", { updatedAt: "2026-02-02T10:00:00.001Z" })).toBe("Е");
    });

    test("of two dozen at once, in any order, the newest wins", async () => {
      const data = dataOf();
      const times = Array.from({ length: 24 }, (_, n) => (n * 7) % 24);
      await Promise.all(
        times.map((n) => {
          const updatedAt = `2026-02-02T${String(n).padStart(2, "0")}:00:00Z`;
          return send(n === 0 ? "user.created" : "user.updated", { ...data, first_name: `N${n}`, updatedAt });
        }),
      );
      expect((await find(data.id))?.firstName).toBe("N23");
    });

    test("from a clock that is years ahead does not make later ones look old", async () => {
      const { id } = await addUser(api.db);
      await send("user.updated", dataOf(id, { first_name: "А", updatedAt: "9999-01-01T00:00:00Z" }));
      await send("user.updated", dataOf(id, { first_name: "Б", updatedAt: new Date().toISOString() }));
      expect((await find(id))?.firstName).toBe("Б");
    });

    test.each(["0000-01-01T00:00:00Z", "2026-01-01T00:00:00+23:59", "2026-13-45T99:99:99Z", "x".repeat(10_000)])(
      "takes the odd time %#",
      async (updatedAt) => {
        expect((await send("user.updated", dataOf(undefined, { updatedAt }))).status).toBe(200);
      },
    );
  });

  test.each(["user.created", "user.updated"])(
    "%s with the e-mail of another: 409, logged, nothing changed",
    async (type) => {
      const warn = vi.spyOn(api.context.log, "warn");
      const [known, other] = [await addUser(api.db), await addUser(api.db)];
      for (const id of [known.id, randomUUID()]) {
        const before = await find(id);
        warn.mockClear();
        const { status, body } = await send(type, dataOf(id, { email: other.email.toUpperCase(), first_name: "Х" }));
        const advice = "an admin has to deactivate that one, or change its e-mail, first";
        const detail = `The e-mail of user '${id}' belongs to another active user; ${advice}`;
        expect([status, body]).toMatchObject([409, { detail }]);
        expect(warn.mock.calls).toMatchObject([
          [{ event: type, user: id, err: { message: detail } }, "an identity event was refused"],
        ]);
        expect(await find(id)).toEqual(before);
      }
      warn.mockRestore();
    },
  );

  describe("user.deleted", () => {
    test("locks the user out from the next request on, and may be repeated", async () => {
      const { id } = await addUser(api.db);
      const as = { token: await api.identity.token(id) };
      expect((await ask(`GET /users/${id}`, { as })).status).toBe(200);
      for (let n = 0; n < 2; n++) {
        const { status, body } = await send("user.deleted", { id });
        expect([status, body]).toEqual([200, { message: "User deleted" }]);
      }
      expect(await ask(`GET /users/${id}`, { as })).toMatchObject({
        status: 403,
        body: { detail: "Access denied: this account is deactivated." },
      });
      await send("user.updated", dataOf(id));
      expect((await find(id))?.isActive).toBe(false);
    });

    test("of an unknown user is accepted and enters no user", async () => {
      const data = dataOf();
      expect(await send("user.deleted", data)).toMatchObject({ status: 200, body: { message: "User deleted" } });
      expect(await find(data.id)).toBeNull();
    });
  });

  describe("400 to", () => {
    const id = userIds.user;
    const refused = { status: 400, body: { detail: "Invalid payload structure" } };

    test.each<[string, unknown]>([
      ["another type", { type: "user.banned", data: dataOf(id) }],
      ["no type", { data: dataOf(id) }],
      ["a type that is a list", { type: ["user.created"], data: dataOf(id) }],
      ["no data", { type: "user.created" }],
      ["data that is null", { type: "user.updated", data: null }],
      ["a list", [{ type: "user.created", data: dataOf(id) }]],
      ["a text", "user.created"],
      ["null", null],
      ["no id", { type: "user.deleted", data: {} }],
      ["an id that is none", { type: "user.created", data: { ...dataOf(id), id: "user_1" } }],
      ["an id that clients refuse", { type: "user.created", data: { ...dataOf(id), id: "1".repeat(32) } }],
      ["no e-mail", { type: "user.created", data: dataOf(id, { email: undefined }) }],
      ["an e-mail that clients refuse", { type: "user.created", data: dataOf(id, { email: "a@localhost" }) }],
      ["two e-mails", { type: "user.updated", data: dataOf(id, { email: "a@x.ru, b@x.ru" }) }],
      ["an e-mail with a header", { type: "user.updated", data: dataOf(id, { email: "a@x.ru\r\nBcc: b@x.ru" }) }],
      ["no first name", { type: "user.updated", data: dataOf(id, { first_name: undefined }) }],
      ["a last name that is null", { type: "user.updated", data: dataOf(id, { last_name: null }) }],
      ["a time that is a number", { type: "user.updated", data: dataOf(id, { updatedAt: 1_760_000_000 }) }],
      ["a picture that is a number", { type: "user.updated", data: dataOf(id, { image: 5 }) }],
    ])("%s", async (_what, event) => {
      const before = await find(id);
      expect(await post(JSON.stringify(event))).toMatchObject(refused);
      expect(await find(id)).toEqual(before);
    });

    test.each<[string, string | Buffer]>([
      ["broken JSON", '{"type":"user.created",'],
      ["nothing", ""],
      ["bytes that are no UTF-8", Buffer.from([0x22, 0xff, 0xfe, 0x22])],
      ["deep nesting", "[".repeat(200_000)],
    ])("%s", async (_what, body) => {
      expect(await post(body)).toMatchObject(refused);
    });
  });

  test("413 to a body that is too large", async () => {
    expect((await post(`{"type":"${"x".repeat(1024 * 1024)}"}`)).status).toBe(413);
  });

  test("no name leads to a 5xx or keeps a user out", async () => {
    for (const body of naughtyBodies(["first_name", "last_name"])) {
      const { status } = await send("user.updated", dataOf(userIds.inactive, body));
      expect(status, JSON.stringify(body)).toBe(200);
    }
    for (const text of refusedLines) {
      const { status } = await send("user.updated", dataOf(userIds.inactive, { first_name: text, last_name: text }));
      expect(status, JSON.stringify(text.slice(0, 40))).toBe(200);
    }
  });

  test("takes the body whatever it is said to be, under both profiles, and leaves no audit row", async () => {
    const rows = await api.db.manager.count(AuditEntry);
    const body = JSON.stringify({ type: "user.created", data: dataOf() });
    expect((await post(body, { ...signed, "content-type": "text/plain" })).status).toBe(200);
    const init = { method: "POST", headers: signed, body };
    expect((await call(`${api.url}/warehouse/webhooks/better-auth`, init)).status).toBe(200);
    expect(await api.db.manager.count(AuditEntry)).toBe(rows);
  });
});
