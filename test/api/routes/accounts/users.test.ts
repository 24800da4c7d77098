import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { z } from "zod";
import type { UserView } from "../../../../src/api/views/user.ts";
import { User } from "../../../../src/db/entities/accounts/user.ts";
import { apiKey, useApi, userIds } from "../../../support/api.ts";
import { asker } from "../../../support/ask.ts";
import { countStatements } from "../../../support/count-statements.ts";
import { naughtyTexts } from "../../../support/naughty.ts";
import { addUser } from "../../../support/users.ts";

type Shown = z.output<typeof UserView>;
interface Page {
  items: Shown[];
  total: number;
}

describe("users", () => {
  const api = useApi({ relay: false });
  const ask = asker(api);
  const add = (values: Partial<User> = {}) => addUser(api.db, values);
  const shown = async (id: string, prefix = "/warehouse") => (await ask<Shown>(`GET ${prefix}/users/${id}`)).body;
  const idsOf = async (query: string) => (await ask<Page>(`GET /users?${query}`)).body.items.map(({ id }) => id);

  describe("who may", () => {
    const missing = { status: 401, body: { detail: "Missing Authorization header" } };
    const denied = (role: string) => ({ status: 403, body: { detail: `Access denied: role ${role} is not allowed.` } });
    const deactivated = { status: 403, body: { detail: "Access denied: this account is deactivated." } };

    test.each(["GET /users", "GET /users/meta/count", `PATCH /users/${userIds.user}`, "GET /users?size=0"])(
      "%s: staff, whatever else is wrong with the request",
      async (request) => {
        const body = request.startsWith("PATCH") ? { customer_type: 5 } : undefined;
        expect(await ask(request, { as: "anonymous", body })).toMatchObject(missing);
        expect(await ask(request, { as: "anonymous", body, headers: { "api-key": apiKey } })).toMatchObject(missing);
        expect(await ask(request, { as: "user", body })).toMatchObject(denied("USER"));
        expect(await ask(request, { as: "inactive", body })).toMatchObject(deactivated);
        for (const as of ["employee", "admin"] as const) {
          expect((await ask(request, { as, body })).status).toBe(/PATCH|size=0/.test(request) ? 422 : 200);
        }
      },
    );

    test("GET /users/{id}: customers themselves, staff everybody", async () => {
      const own = `GET /users/${userIds.user}`;
      expect(await ask(own, { as: "anonymous" })).toMatchObject(missing);
      expect(await ask(own, { as: "user" })).toMatchObject({ status: 200, body: { id: userIds.user } });
      expect(await ask(own, { as: "employee" })).toMatchObject({ status: 200, body: { id: userIds.user } });
      expect(await ask(`GET /users/${userIds.inactive}`, { as: "inactive" })).toMatchObject(deactivated);
    });

    test("GET /users/{id}: a customer cannot tell others from those who do not exist", async () => {
      const texts = new Set<unknown>();
      for (const id of [userIds.admin, userIds.inactive, randomUUID()]) {
        const { status, body } = await ask(`GET /users/${id}`, { as: "user" });
        expect(status).toBe(403);
        texts.add(JSON.stringify({ ...body, request_id: "" }));
      }
      expect(texts.size).toBe(1);
    });

    test("GET /users/clerk/{clerk_id}: customers themselves, staff everybody", async () => {
      const clerkId = `user_${randomUUID()}`;
      const { id } = await add({ clerkId });
      const own = { token: await api.identity.token(id) };
      const path = `GET /users/clerk/${clerkId}`;
      expect(await ask(path, { as: own })).toMatchObject({ status: 200, body: { id, clerk_id: clerkId } });
      expect(await ask(path, { as: "employee" })).toMatchObject({ status: 200, body: { id } });
      expect(await ask(path, { as: "user" })).toMatchObject(denied("USER"));
      expect(await ask(path, { as: "anonymous" })).toMatchObject(missing);
    });
  });

  describe("GET", () => {
    test("lists newest first, in pages, ties by id", async () => {
      const createdAt = new Date("2099-01-01");
      const made = await Promise.all(Array.from({ length: 5 }, () => add({ createdAt, lastName: "Страничкин" })));
      const expected = made.map(({ id }) => id).toSorted((a, b) => (a < b ? 1 : -1));
      expect(await idsOf("search_term=страничкин")).toEqual(expected);
      expect(await idsOf("search_term=страничкин&size=2&page=2")).toEqual(expected.slice(2, 4));
      const older = await add({ createdAt: new Date("2098-01-01"), lastName: "Страничкин" });
      expect(await ask("GET /users?search_term=страничкин&size=2&page=9")).toMatchObject({
        status: 200,
        body: { items: [], total: 6, page: 9, size: 2, pages: 3 },
      });
      expect((await idsOf("search_term=страничкин")).at(-1)).toBe(older.id);
    });

    test("filters by role and customer type, and ignores what it does not know", async () => {
      const word = `w${randomUUID()}`;
      const staff = await add({ city: word, firstName: word, role: "EMPLOYEE" });
      const dealer = await add({ firstName: word, customerType: "USER_WHOLESALE" });
      const both = `search_term=${word}`;
      expect((await idsOf(both)).toSorted()).toEqual([staff.id, dealer.id].toSorted());
      expect(await idsOf(`${both}&role=EMPLOYEE`)).toEqual([staff.id]);
      expect(await idsOf(`${both}&customer_type=USER_WHOLESALE&order_by=x`)).toEqual([dealer.id]);
      expect(await idsOf(`${both}&customer_type=USER_WHOLESALE&role=EMPLOYEE`)).toEqual([]);
      expect((await ask<Page>("GET /users?search_term=")).body.total).toBe(await api.db.manager.count(User));
    });

    test("finds a part of the first name, last name, phone number and e-mail, in any case", async () => {
      const email = "Zoe.Search@Example.ru";
      const { id } = await add({ firstName: "Зоя", lastName: "Ёлкина", phone: "+79785550011", email });
      for (const term of ["зОЯ", "ёлк", "978555", "zoe.search@EXAMPLE"]) {
        expect(await idsOf(`search_term=${encodeURIComponent(term)}`), term).toEqual([id]);
      }
      expect(await idsOf(`search_term=${encodeURIComponent("Ёлкина Зоя")}`)).toEqual([]);
    });

    test("percent, underscore and backslash mean themselves in a search", async () => {
      const { id } = await add({ lastName: String.raw`100%_\ скидка` });
      for (const term of ["100%", "%_", String.raw`_\ `, "\\"]) {
        expect(await idsOf(`search_term=${encodeURIComponent(term)}`), term).toEqual([id]);
      }
      expect(await idsOf("search_term=1%25%25")).toEqual([]);
    });

    test.each([
      ["role=admin", "'USER', 'EMPLOYEE' or 'ADMIN'"],
      ["customer_type=", "'USER_RETAIL', 'USER_WHOLESALE' or 'USER_SUPER_WHOLESALE'"],
    ])("answers 422 to %s", async (query, expected) => {
      const [name] = query.split("=");
      const answer = { type: "enum", loc: ["query", name], msg: `Input should be ${expected}`, ctx: { expected } };
      expect(await ask(`GET /users?${query}`)).toMatchObject({ status: 422, body: { detail: [answer] } });
    });

    test("no text of a search leads to a 5xx", async () => {
      for (const text of naughtyTexts) {
        const query = new URLSearchParams({ search_term: text.slice(0, 1_000) });
        expect((await ask(`GET /users?size=1&${query}`)).status, JSON.stringify(text)).toBeOneOf([200, 422]);
      }
    });

    test("counts, by role if wanted", async () => {
      const count = (role?: "ADMIN") => api.db.manager.countBy(User, role ? { role } : {});
      expect((await ask("GET /users/meta/count")).body).toEqual({ count: await count() });
      expect((await ask("GET /users/meta/count?role=ADMIN")).body).toEqual({ count: await count("ADMIN") });
      expect((await ask("GET /users/meta/count?role=BOSS")).status).toBe(422);
    });

    test("finds one by id in any spelling; 404 and 422 otherwise", async () => {
      for (const spelling of [userIds.user, userIds.user.toUpperCase(), userIds.user.replaceAll("-", "")]) {
        expect((await ask(`GET /users/${spelling}`)).body.id).toBe(userIds.user);
      }
      expect(await ask(`GET /users/${randomUUID()}`)).toMatchObject({
        status: 404,
        body: { detail: "User not found" },
      });
      expect(await ask("GET /users/me")).toMatchObject({
        status: 422,
        body: { detail: [{ type: "uuid_parsing", loc: ["path", "user_id"], input: "me" }] },
      });
    });

    test("404 to an unknown clerk_id, with it in the text, and 422 to one that cannot be", async () => {
      const missing = { status: 404, body: { detail: "User with clerk_id user_nobody not found." } };
      for (const as of ["user", "employee"] as const) {
        expect(await ask("GET /users/clerk/user_nobody", { as })).toMatchObject(missing);
      }
      expect((await ask("GET /users/clerk/%00")).status).toBe(422);
    });

    test("has the fields of the contract and the language of mails, and OTHER for the warehouse alone", async () => {
      const { id } = await add({ shippingMethod: "OTHER", balanceRub: -1_350, phone: "+79780000000" });
      const { created_at, updated_at, ...user } = await shown(id);
      expect(user).toEqual({
        id,
        clerk_id: "",
        email: `${id}@test.example`,
        first_name: "Нина",
        last_name: "Ли",
        is_active: true,
        role: "USER",
        customer_type: "USER_RETAIL",
        balance_rub: -1_350,
        balance_usd: 0,
        balance_eur: 0,
        balance_try: 0,
        mailing: false,
        language: "ru",
        phone: "+79780000000",
        city: null,
        note: null,
        shipping_method: "OTHER",
        shipping_company: null,
      });
      for (const time of [created_at, updated_at]) expect(new Date(time).toISOString()).toBe(time);
      expect(await shown(id, "")).toEqual({ ...user, created_at, updated_at, shipping_method: null });
      const { items } = (await ask<Page>(`GET /users?search_term=${id}`)).body;
      expect(items).toEqual([{ ...user, created_at, updated_at, shipping_method: null }]);
    });

    test("shows a stored phone number that is none, and its owner is not locked out", async () => {
      const { id } = await add({ phone: "спросить Марину" });
      const own = { token: await api.identity.token(id) };
      expect(await ask(`GET /users/${id}`, { as: own })).toMatchObject({
        status: 200,
        body: { phone: "спросить Марину" },
      });
      expect((await ask("GET /users?size=500")).status).toBe(200);
    });

    test("costs two statements for a list of any length, and the one that finds the caller", async () => {
      const word = `w${randomUUID()}`;
      const statements = (size: number) =>
        countStatements(api.db, () => ask(`GET /users?search_term=${word}&size=${size}`));
      await add({ lastName: word });
      const one = await statements(1);
      for (let n = 0; n < 19; n++) await add({ lastName: word });
      expect([one, await statements(20)]).toEqual([3, 3]);
    });
  });
});
