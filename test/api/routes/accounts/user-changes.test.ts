import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { z } from "zod";
import type { UserView } from "../../../../src/api/views/user.ts";
import { User } from "../../../../src/db/entities/accounts/user.ts";
import { AuditEntry } from "../../../../src/db/entities/audit/audit-entry.ts";
import { useApi, userIds } from "../../../support/api.ts";
import { asker } from "../../../support/ask.ts";
import { naughtyBodies, refusedLines } from "../../../support/naughty.ts";
import { addUser } from "../../../support/users.ts";

type Shown = z.output<typeof UserView>;

describe("changes of users", () => {
  const api = useApi({ relay: false });
  const ask = asker(api);
  const add = (values: Partial<User> = {}) => addUser(api.db, values);
  const rowOf = (id: string) => api.db.manager.findOneByOrFail(User, { id });
  const shown = async (id: string, prefix = "/warehouse") => (await ask<Shown>(`GET ${prefix}/users/${id}`)).body;

  describe("PATCH", () => {
    const patch = (id: string, body: unknown, as: "employee" | "admin" = "employee", prefix = "") =>
      ask<Shown>(`PATCH ${prefix}/users/${id}`, { as, body });

    test.each([
      ["first_name", " Анна ", "Анна"],
      ["last_name", "О’Нил-Ли", "О’Нил-Ли"],
      ["customer_type", "USER_WHOLESALE", "USER_WHOLESALE"],
      ["mailing", "yes", true],
      ["phone", "8 (978) 042-46-66", "+79780424666"],
      ["phone", "", null],
      ["phone", null, null],
      ["city", "Севастополь", "Севастополь"],
      ["city", "  ", null],
      ["note", "первая\nвторая", "первая\nвторая"],
      ["note", "", null],
      ["shipping_method", "CARGO", "CARGO"],
      ["shipping_method", null, null],
      ["shipping_company", "CDEK", "CDEK"],
      ["shipping_company", "", null],
    ])("staff changes %s to %j", async (field, sent, stored) => {
      const { id } = await add({
        phone: "+79780000000",
        city: "Ялта",
        note: "есть",
        shippingMethod: "SELF_PICKUP",
        shippingCompany: "KIT",
      });
      const before = await shown(id);
      const { status, body } = await patch(id, { [field]: sent }, "employee", "/warehouse");
      expect(status).toBe(200);
      expect(body).toEqual({ ...before, [field]: stored, updated_at: body.updated_at });
      expect(body.updated_at > before.updated_at).toBe(true);
      expect(await shown(id)).toEqual(body);
    });

    test.each([
      ["role", "EMPLOYEE"],
      ["is_active", false],
      ["email", "another-one@test.example"],
    ])("only an admin changes %s, and of what else came with it nothing is stored", async (field, value) => {
      const { id } = await add();
      const before = await shown(id);
      const refused = await patch(id, { [field]: value, city: "Ялта" });
      const detail = `Access denied: role EMPLOYEE is not allowed to change '${field}'.`;
      expect(refused).toMatchObject({ status: 403, body: { detail } });
      expect(await shown(id)).toEqual(before);
      const allowed = await patch(id, { [field]: value, city: "Ялта" }, "admin");
      expect(allowed).toMatchObject({ status: 200, body: { [field]: value, city: "Ялта" } });
      await patch(id, { email: before.email }, "admin");
    });

    test("what an admin has changed holds for the user's next request", async () => {
      const { id } = await add();
      const own = { token: await api.identity.token(id) };
      expect((await ask("GET /users", { as: own })).status).toBe(403);
      await patch(id, { role: "EMPLOYEE" }, "admin");
      expect((await ask("GET /users", { as: own })).status).toBe(200);
      await patch(id, { role: "USER" }, "admin");
      expect((await ask("GET /users", { as: own })).status).toBe(403);
      await patch(id, { is_active: false }, "admin");
      expect((await ask(`GET /users/${id}`, { as: own })).status).toBe(403);
    });

    test("takes the warehouse's whole object, without the foreign balances, with one thing changed", async () => {
      const { id } = await add({ shippingMethod: "OTHER", balanceRub: 700, clerkId: `user_${randomUUID()}` });
      const { balance_usd, balance_eur, balance_try, ...whole } = await shown(id);
      const sent = { ...whole, customer_type: "USER_SUPER_WHOLESALE" };
      const { status, body } = await patch(id, sent, "employee", "/warehouse");
      expect(status).toBe(200);
      expect(body).toMatchObject({ ...whole, customer_type: "USER_SUPER_WHOLESALE", updated_at: body.updated_at });
    });

    test("never writes ids, balances, times and unknown keys, for any caller", async () => {
      const { id } = await add();
      const before = await rowOf(id);
      for (const as of ["employee", "admin"] as const) {
        const body = {
          id: userIds.admin,
          clerk_id: "user_stolen",
          balance_rub: 1_000_000,
          balance_usd: 1,
          balance_eur: "x",
          balance_try: null,
          created_at: "1999-01-01T00:00:00Z",
          updated_at: 5,
          isActive: false,
          balanceRub: 5,
          password: "hunter2",
          constructor: { prototype: { role: "ADMIN" } },
        };
        expect((await patch(id, body, as)).status).toBe(200);
        expect(
          (await ask(`PATCH /users/${id}`, { as, body: JSON.parse('{"__proto__":{"role":"ADMIN"}}') })).status,
        ).toBe(200);
      }
      expect(await rowOf(id)).toEqual(before);
    });

    test("nothing to change answers 200 with the row as it is", async () => {
      const { id } = await add({ phone: "+79780424666", note: "а" });
      const before = await shown(id);
      const same = { role: "USER", is_active: "true", email: before.email, phone: "tel:+7-978-042-46-66", note: " а " };
      for (const body of [{}, before, same]) {
        expect(await patch(id, body, "employee", "/warehouse")).toMatchObject({ status: 200, body: before });
      }
    });

    test("what is stored, however odd, may be sent back with something else changed", async () => {
      const email = "legacy@localhost";
      const { id } = await add({ firstName: "", lastName: "", phone: "спросить Марину", city: "", email });
      const whole = await shown(id);
      const { status, body } = await patch(id, { ...whole, mailing: true });
      expect([status, body.mailing, body.phone, body.email]).toEqual([200, true, "спросить Марину", email]);
      expect((await patch(id, { first_name: " " })).status).toBe(422);
    });

    test("the storefront's null for OTHER changes nothing, and a method of its own does", async () => {
      const { id } = await add({ shippingMethod: "OTHER" });
      const whole = await shown(id, "");
      expect(whole.shipping_method).toBeNull();
      expect((await patch(id, { ...whole, city: "Ялта" })).body).toMatchObject({ city: "Ялта", shipping_method: null });
      expect((await shown(id)).shipping_method).toBe("OTHER");
      expect((await patch(id, { shipping_method: "CARGO" })).body.shipping_method).toBe("CARGO");
    });

    test.each([
      ["first_name", "", "string_too_short", "String should have at least 1 character"],
      ["first_name", null, "string_type", "Input should be a valid string"],
      ["last_name", 5, "string_type", "Input should be a valid string"],
      ["last_name", "a\0b", "value_error", "Value error, the text has control characters in it"],
      [
        "customer_type",
        "user_retail",
        "enum",
        "Input should be 'USER_RETAIL', 'USER_WHOLESALE' or 'USER_SUPER_WHOLESALE'",
      ],
      ["mailing", "maybe", "bool_parsing", "Input should be a valid boolean, unable to interpret input"],
      ["shipping_method", "PIGEON", "enum", "Input should be 'SELF_PICKUP', 'CARGO' or 'OTHER'"],
      ["role", "GOD", "enum", "Input should be 'USER', 'EMPLOYEE' or 'ADMIN'"],
      ["is_active", null, "bool_parsing", "Input should be a valid boolean, unable to interpret input"],
      ["phone", "12345", "value_error", "value is not a valid phone number"],
      ["phone", "звоните 89780424666", "value_error", "value is not a valid phone number"],
      ["phone", 89780424666, "string_type", "Input should be a valid string"],
    ])("answers 422 to %s %j", async (field, value, type, msg) => {
      const { status, body } = await patch(userIds.user, { [field]: value }, "admin");
      expect(status).toBe(422);
      expect(body).toMatchObject({ detail: [{ type, msg, loc: ["body", field] }] });
    });

    test.each([
      ["last_name", 300],
      ["city", 300],
      ["note", 5_000],
    ])("%s has at most %i characters", async (field, most) => {
      const { status, body } = await patch(userIds.user, { [field]: "x".repeat(most + 1) }, "admin");
      const msg = `String should have at most ${most} characters`;
      expect(status).toBe(422);
      expect(body).toMatchObject({
        detail: expect.arrayContaining([expect.objectContaining({ msg, loc: ["body", field] })]),
      });
    });

    test.each([
      "a@localhost",
      "a@b.c",
      "иван@почта.рф",
      "a@x.ru\r\nBcc: evil@y.ru",
      "a@x.ru, evil@y.ru",
      "G: a@x.ru, evil@y.ru;",
      '"evil@y.ru x"@z.ru',
      "Иван <a@x.ru>",
      "a b@x.ru",
      "a..b@x.ru",
      ".a@x.ru",
      "a.@x.ru",
      "a@x..ru",
      "@x.ru",
      "a@",
      "",
      "a\0@x.ru",
    ])("answers 422 to the e-mail %j", async (email) => {
      const { status, body } = await patch(userIds.user, { email }, "admin");
      expect(status).toBe(422);
      expect(JSON.stringify(body)).toContain("value is not a valid email address: ");
      expect((await rowOf(userIds.user)).email).toBe("user@test.example");
    });

    test.each([
      ["+7 978 042 46 66", "+79780424666"],
      ["89780424666", "+79780424666"],
      ["9780424666", "+79780424666"],
      ["tel:+7-978-042-46-66", "+79780424666"],
      ["TEL:8-978-042-46-66", "+79780424666"],
      ["+375 29 123-45-67", "+375291234567"],
    ])("stores the phone number %s as %s", async (phone, stored) => {
      const { id } = await add();
      expect((await patch(id, { phone })).body.phone).toBe(stored);
    });

    test.each([
      [[], "model_attributes_type"],
      ["text", "model_attributes_type"],
      [null, "model_attributes_type"],
    ])("answers 422 to the body %j", async (body, type) => {
      expect(await patch(userIds.user, body)).toMatchObject({
        status: 422,
        body: { detail: [{ type, loc: ["body"] }] },
      });
    });

    test("answers 422 to no body and to one that is not JSON", async () => {
      expect(await ask(`PATCH /users/${userIds.user}`)).toMatchObject({
        status: 422,
        body: { detail: [{ type: "missing", loc: ["body"] }] },
      });
      const headers = { "content-type": "text/plain" };
      expect((await ask(`PATCH /users/${userIds.user}`, { body: {}, headers })).status).toBe(422);
    });

    test("answers 404 to an unknown id, but 422 when the body is wrong as well", async () => {
      const id = randomUUID();
      expect(await patch(id, { city: "Ялта" })).toMatchObject({ status: 404, body: { detail: "Entity not found" } });
      expect((await patch(id, { city: 5 })).status).toBe(422);
    });

    test("answers 409 to the e-mail of another, in any case", async () => {
      const { id } = await add();
      const { status, body } = await patch(id, { email: "Admin@TEST.example", city: "Ялта" }, "admin");
      const detail = "A user with the e-mail 'Admin@TEST.example' exists already; give another one";
      expect([status, body]).toMatchObject([409, { detail }]);
      expect((await shown(id)).city).toBeNull();
    });

    test("parallel changes of different things all survive", async () => {
      const { id } = await add();
      const bodies = [
        { city: "Ялта" },
        { note: "а" },
        { mailing: true },
        { phone: "89780424666" },
        { last_name: "Ро" },
      ];
      const answers = await Promise.all(bodies.map((body) => patch(id, body)));
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
      expect(await rowOf(id)).toMatchObject({
        city: "Ялта",
        note: "а",
        mailing: true,
        phone: "+79780424666",
        lastName: "Ро",
      });
    });

    test("changes only the state that the caller expects, if the caller says which", async () => {
      const { id } = await add();
      const etag = (await ask(`GET /users/${id}`)).headers.get("etag") ?? "";
      const send = (city: string) => ask(`PATCH /users/${id}`, { body: { city }, headers: { "if-match": etag } });
      const answers = await Promise.all(["Ялта", "Саки", "Керчь"].map(send));
      expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 412, 412]);
    });

    test("no text in any field leads to a 5xx", async () => {
      const { id } = await add();
      for (const body of naughtyBodies(["first_name", "last_name", "city", "note", "shipping_company"])) {
        expect((await patch(id, body)).status, JSON.stringify(body)).toBe(200);
      }
      for (const text of refusedLines) {
        expect((await patch(id, { first_name: text })).status, JSON.stringify(text.slice(0, 40))).toBe(422);
      }
    });

    test("enters each try by staff in the audit log, with its outcome", async () => {
      const { id } = await add();
      const unknown = randomUUID();
      const tries: [string, unknown][] = [
        [id, { city: "Ялта" }],
        [id, { role: "ADMIN" }],
        [unknown, { city: "Ялта" }],
        [id, { city: 5 }],
      ];
      const requests: string[] = [];
      for (const [to, body] of tries) requests.push((await patch(to, body)).headers.get("x-request-id") ?? "");
      const rows = await Promise.all(requests.map((requestId) => api.db.manager.findBy(AuditEntry, { requestId })));
      expect(rows.flat()).toMatchObject(
        [200, 403, 404, 422].map((status, n) => ({
          status,
          method: "PATCH",
          endpoint: `https://api.test/users/${tries[n]?.[0]}`,
          payload: tries[n]?.[1],
          userId: userIds.employee,
        })),
      );
    });
  });
});
