import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { z } from "zod";
import type { AddressView } from "../../../../src/api/views/address.ts";
import { Address } from "../../../../src/db/entities/accounts/address.ts";
import type { User } from "../../../../src/db/entities/accounts/user.ts";
import { AuditEntry } from "../../../../src/db/entities/audit/audit-entry.ts";
import { Order } from "../../../../src/db/entities/orders/order.ts";
import { useApi, userIds } from "../../../support/api.ts";
import { asker, type Question } from "../../../support/ask.ts";
import { countStatements } from "../../../support/count-statements.ts";
import { groups } from "../../../support/groups.ts";
import { naughtyBodies, refusedLines } from "../../../support/naughty.ts";
import { addUser } from "../../../support/users.ts";

type Shown = z.output<typeof AddressView>;
interface Page {
  items: Shown[];
  total: number;
}

const home = {
  first_name: "Нина",
  last_name: "Ли",
  phone: "8 (978) 042-46-66",
  city: "Севастополь",
  street: "ул. Хрусталёва, 74Ж",
  postal_code: "299000",
};

describe("addresses", () => {
  const api = useApi({ relay: false });
  const ask = asker(api);

  /** A customer who sends requests. */
  async function customer(values: Partial<User> = {}) {
    const { id } = await addUser(api.db, values);
    const as = { token: await api.identity.token(id) };
    const me = {
      id,
      as,
      create: (values: object = {}, question: Question = {}) =>
        ask<Shown>("POST /addresses", { as, body: { ...home, ...values }, ...question }),
      patch: (address: string, body: object) => ask<Shown>(`PATCH /addresses/${address}`, { as, body }),
      remove: (address: string) => ask(`DELETE /addresses/${address}`, { as }),
      list: async (query = "") => (await ask<Page>(`GET /addresses${query}`, { as })).body.items,
      /** In the order of their making. */
      async with(count: number) {
        const made: Shown[] = [];
        for (let n = 0; n < count; n++) made.push((await me.create({ street: `ул. ${n}` })).body);
        return made;
      },
      defaults: () => api.db.manager.findBy(Address, { userId: id, isDefault: true }),
    };
    return me;
  }

  const notFound = { status: 404, body: { detail: "Address not found" } };
  const noEntity = { status: 404, body: { detail: "Entity not found" } };
  const denied = { status: 403, body: { detail: "Access denied: role USER is not allowed." } };

  describe("who may", () => {
    test.each([
      "GET /addresses",
      "POST /addresses",
      `GET /addresses/${userIds.user}`,
      "PATCH /addresses/x",
      "DELETE /addresses/x",
    ])("%s: every signed-in user", async (request) => {
      const body = /POST|PATCH/.test(request) ? { city: 5 } : undefined;
      const missing = { status: 401, body: { detail: "Missing Authorization header" } };
      expect(await ask(request, { as: "anonymous", body })).toMatchObject(missing);
      expect((await ask(request, { as: "inactive", body })).status).toBe(403);
      expect((await ask(request, { as: "user", body })).status).toBeOneOf([200, 404, 422]);
    });

    test("another user's address looks like one that is not there, and stays as it is", async () => {
      const [owner, other] = [await customer(), await customer()];
      const { body: address } = await owner.create();
      for (const id of [address.id, randomUUID()]) {
        const shape = (answer: { status: number; body: object }) => ({ ...answer.body, request_id: "" });
        expect(shape(await ask(`GET /addresses/${id}`, { as: other.as }))).toEqual(
          shape(await ask(`GET /addresses/${randomUUID()}`, { as: other.as })),
        );
        expect(await ask(`GET /addresses/${id}`, { as: other.as })).toMatchObject(notFound);
        expect(await other.patch(id, { city: "Ялта" })).toMatchObject(noEntity);
        expect(await other.remove(id)).toMatchObject(notFound);
      }
      expect(await owner.list()).toEqual([address]);
    });

    test("staff sees, saves, changes and deletes any user's", async () => {
      const owner = await customer();
      const { status, body } = await ask<Shown>("POST /addresses", { body: { ...home, user_id: owner.id } });
      expect([status, body.user_id, body.is_default]).toEqual([201, owner.id, true]);
      expect(await ask(`GET /addresses/${body.id}`)).toMatchObject({ status: 200, body });
      expect((await ask<Page>(`GET /addresses?user_id=${owner.id}`)).body.items).toEqual([body]);
      expect((await ask<Page>("GET /addresses?size=500")).body.items).toContainEqual(body);
      expect((await ask<Page>(`GET /addresses?user_id=${userIds.employee}`)).body.items).toEqual([]);
      expect(await ask(`PATCH /addresses/${body.id}`, { body: { city: "Ялта" } })).toMatchObject({ status: 200 });
      expect((await ask(`DELETE /addresses/${body.id}`)).status).toBe(204);
      expect(await owner.list()).toEqual([]);
    });

    test("a customer neither lists nor saves for others", async () => {
      const me = await customer();
      const { body: mine } = await me.create({ user_id: me.id });
      expect(await me.list(`?user_id=${me.id}`)).toEqual([mine]);
      expect(await ask(`GET /addresses?user_id=${userIds.user}`, { as: me.as })).toMatchObject(denied);
      expect(await me.create({ user_id: userIds.user })).toMatchObject(denied);
      expect(await me.create({ user_id: randomUUID() })).toMatchObject(denied);
    });

    test("404 to staff who saves one for an unknown user", async () => {
      const body = { ...home, user_id: randomUUID() };
      expect(await ask("POST /addresses", { body })).toMatchObject({ status: 404, body: { detail: "User not found" } });
    });

    test("each change by staff is in the audit log, a customer's is not", async () => {
      const me = await customer();
      const mine = await me.create();
      const staff = await ask("POST /addresses", { body: { ...home, user_id: me.id } });
      const rows = (requestId: string | null) => api.db.manager.findBy(AuditEntry, { requestId: requestId ?? "" });
      expect(await rows(mine.headers.get("x-request-id"))).toEqual([]);
      expect(await rows(staff.headers.get("x-request-id"))).toMatchObject([
        { status: 201, endpoint: "https://api.test/addresses", payload: { user_id: me.id, city: "Севастополь" } },
      ]);
    });
  });

  describe("saving", () => {
    test("answers with all fields, and OTHER for the warehouse alone", async () => {
      const me = await customer();
      const { status, body } = await me.create({ shipping_company: "CDEK", id: userIds.user, created_at: 5 });
      expect(status).toBe(201);
      expect(body).toEqual({
        ...home,
        id: body.id,
        user_id: me.id,
        phone: "+79780424666",
        shipping_method: null,
        shipping_company: "CDEK",
        is_default: true,
        created_at: body.created_at,
        updated_at: body.created_at,
      });
      expect(body.id).not.toBe(userIds.user);
      const warehouse = await ask(`GET /warehouse/addresses/${body.id}`, { as: me.as });
      expect(warehouse.body).toEqual({ ...body, shipping_method: "OTHER" });
    });

    test.each([
      [{ shipping_method: "CARGO" }, { shipping_method: "CARGO" }],
      [{ shipping_method: null }, { shipping_method: null }],
      [{ shipping_company: " " }, { shipping_company: null }],
      [{ city: "  Ялта " }, { city: "Ялта" }],
      [{ phone: "tel:+7-978-042-46-66" }, { phone: "+79780424666" }],
      [{ is_default: "no" }, { is_default: true }],
    ])("takes %j", async (sent, shown) => {
      expect(await (await customer()).create(sent)).toMatchObject({ status: 201, body: shown });
    });

    test.each([
      ["first_name", undefined, "missing"],
      ["last_name", "", "string_too_short"],
      ["phone", "", "value_error"],
      ["phone", null, "string_type"],
      ["city", "Ялта\0", "value_error"],
      ["street", 5, "string_type"],
      ["street", " ", "string_too_short"],
      ["postal_code", "9".repeat(31), "string_too_long"],
      ["shipping_method", "PIGEON", "enum"],
      ["shipping_company", {}, "string_type"],
      ["is_default", "maybe", "bool_parsing"],
      ["user_id", "me", "uuid_parsing"],
    ])("answers 422 to %s %j", async (field, value, type) => {
      const me = await customer();
      const { status, body } = await me.create({ [field]: value });
      expect([status, body]).toMatchObject([422, { detail: [{ type, loc: ["body", field] }] }]);
      expect(await me.list()).toEqual([]);
    });

    test("does it once under one Idempotency-Key", async () => {
      const me = await customer();
      const headers = { "idempotency-key": randomUUID() };
      const answers = await Promise.all(Array.from({ length: 10 }, () => me.create({}, { headers })));
      expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
      expect(await me.list()).toHaveLength(1);
    });

    test("of 60 at once 50 are saved, one of them as the default, and the rest are told what to do", async () => {
      const me = await customer();
      const statuses: number[] = [];
      for (let n = 0; n < 6; n++) {
        const answers = await Promise.all(Array.from({ length: 10 }, () => me.create({ is_default: true })));
        statuses.push(...answers.map(({ status }) => status));
      }
      expect(groups(statuses.toSorted(), String).map((same) => same.length)).toEqual([50, 10]);
      expect(await me.create()).toMatchObject({
        status: 409,
        body: { detail: "There are 50 addresses already; delete one that is not needed" },
      });
      expect(await me.defaults()).toHaveLength(1);
    });

    test("no text in any field leads to a 5xx", async () => {
      const me = await customer();
      const { body: address } = await me.create();
      for (const body of naughtyBodies(["first_name", "last_name", "city", "street", "shipping_company"])) {
        expect((await me.patch(address.id, body)).status, JSON.stringify(body)).toBe(200);
      }
      for (const city of refusedLines) {
        expect((await me.create({ city })).status, JSON.stringify(city.slice(0, 40))).toBe(422);
      }
    });
  });

  describe("the default", () => {
    test("is the first one, until another one is saved as the default", async () => {
      const me = await customer();
      const [first, second] = await me.with(2);
      expect([first?.is_default, second?.is_default]).toEqual([true, false]);
      const { body: third } = await me.create({ is_default: true });
      expect(third.is_default).toBe(true);
      expect((await me.list()).map(({ is_default }) => is_default)).toEqual([true, false, false]);
    });

    test("moves when another one is made the default", async () => {
      const me = await customer();
      const [first, second] = await me.with(2);
      const { status, body } = await me.patch(second?.id ?? "", { is_default: true, city: "Ялта" });
      expect([status, body.is_default, body.city]).toEqual([200, true, "Ялта"]);
      expect(await me.list()).toMatchObject([
        { id: second?.id, is_default: true },
        { id: first?.id, is_default: false },
      ]);
    });

    test("cannot be given up without another one", async () => {
      const me = await customer();
      const [first, second] = await me.with(2);
      const refused = await me.patch(first?.id ?? "", { is_default: false, city: "Ялта" });
      const msg = "Value error, one address has to be the default; make another one the default instead";
      expect([refused.status, refused.body]).toMatchObject([
        422,
        { detail: [{ type: "value_error", loc: ["body", "is_default"], msg, input: false }] },
      ]);
      expect((await me.patch(second?.id ?? "", { is_default: false })).status).toBe(200);
      expect(await me.list()).toEqual([second, first]);
    });

    test("is the newest of the others after it is deleted", async () => {
      const me = await customer();
      const [first, second, third] = await me.with(3);
      expect(await me.remove(first?.id ?? "")).toMatchObject({ status: 204, text: "" });
      expect(await me.defaults()).toMatchObject([{ id: third?.id }]);
      await me.remove(second?.id ?? "");
      expect(await me.defaults()).toMatchObject([{ id: third?.id }]);
      await me.remove(third?.id ?? "");
      expect(await me.list()).toEqual([]);
      expect((await me.create()).body.is_default).toBe(true);
    });

    test("stays exactly one while a dozen requests at once save, move and delete", async () => {
      const me = await customer();
      for (let round = 0; round < 6; round++) {
        const known = await me.list();
        const now = known.find(({ is_default }) => is_default);
        const work = [
          ...Array.from({ length: 4 }, (_, n) => me.create({ is_default: n % 2 === 0 })),
          ...known.slice(0, 4).map(({ id }) => me.patch(id, { is_default: true })),
          ...known.slice(2, 4).map(({ id }) => me.remove(id)),
          ...(now ? [me.remove(now.id), me.patch(now.id, { is_default: false })] : []),
        ];
        const statuses = (await Promise.all<{ status: number }>(work)).map(({ status }) => status);
        expect(statuses.filter((status) => ![200, 201, 204, 404, 422].includes(status))).toEqual([]);
        expect(await me.defaults()).toHaveLength(1);
      }
    });

    test("saving the first one twice at once makes one default", async () => {
      const me = await customer();
      await Promise.all([me.create(), me.create(), me.create({ is_default: true })]);
      expect([(await me.list()).length, (await me.defaults()).length]).toEqual([3, 1]);
    });
  });

  describe("changing", () => {
    test("writes what is sent and keeps the rest", async () => {
      const me = await customer();
      const { body: before } = await me.create({ shipping_company: "KIT" });
      const change = { last_name: "Ро", shipping_method: "CARGO", shipping_company: "" };
      const { status, body } = await me.patch(before.id, change);
      expect(status).toBe(200);
      expect(body).toEqual({ ...before, ...change, shipping_company: null, updated_at: body.updated_at });
      expect(body.updated_at > before.updated_at).toBe(true);
    });

    test("takes back the whole object, and writes neither owner nor times nor what it does not know", async () => {
      const me = await customer();
      const { body: before } = await me.create();
      expect((await me.patch(before.id, before)).body).toEqual(before);
      const odd = { id: randomUUID(), user_id: userIds.user, created_at: "x", isDefault: false, __proto__: { a: 1 } };
      expect((await me.patch(before.id, odd)).body).toEqual(before);
      expect((await me.patch(before.id, {})).body).toEqual(before);
    });

    test("takes back what was stored before there were rules", async () => {
      const me = await customer();
      const id = randomUUID();
      const odd = { phone: null, city: "", street: "", postalCode: "" };
      const names = { firstName: "", lastName: "" };
      await api.db.manager.insert(Address, { id, userId: me.id, isDefault: true, ...odd, ...names });
      const { body: shown } = await ask<Shown>(`GET /addresses/${id}`, { as: me.as });
      expect((await me.patch(id, { ...shown, city: "Ялта" })).body).toMatchObject({
        ...shown,
        city: "Ялта",
        updated_at: expect.any(String),
      });
    });

    test.each([
      ["first_name", null, "string_type"],
      ["phone", "", "value_error"],
      ["postal_code", "", "string_too_short"],
      ["shipping_method", "pigeon", "enum"],
      ["is_default", null, "bool_parsing"],
    ])("answers 422 to %s %j", async (field, value, type) => {
      const me = await customer();
      const { body: address } = await me.create();
      const { status, body } = await me.patch(address.id, { [field]: value });
      expect([status, body]).toMatchObject([422, { detail: [{ type, loc: ["body", field] }] }]);
      expect((await me.patch(randomUUID(), { [field]: value })).status).toBe(422);
    });

    test("happens only to the state that the caller expects, if the caller says which", async () => {
      const me = await customer();
      const [first, second] = await me.with(2);
      const get = await ask(`GET /addresses/${second?.id}`, { as: me.as });
      const headers = { "if-match": get.headers.get("etag") ?? "" };
      const send = () => ask(`PATCH /addresses/${second?.id}`, { as: me.as, headers, body: { is_default: true } });
      const answers = await Promise.all([send(), send(), me.patch(first?.id ?? "", { city: "Ялта" })]);
      expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 200, 412]);
    });
  });

  test("deleting an address leaves the orders that went to it, and takes part in their lock order", async () => {
    const me = await customer();
    const [address] = await me.with(1);
    const contact = { firstName: "Нина", lastName: "Ли", email: "nina@test.example", phone: "+79780424666" };
    const orderId = randomUUID();
    const order = {
      id: orderId,
      userId: me.id,
      addressId: address?.id ?? "",
      shippingMethod: "CARGO",
      ...contact,
    } as const;
    await api.db.manager.insert(Order, order);
    // A transaction that holds the order and then wants the user must not meet a delete that holds the user and wants the order.
    const holder = api.db.createQueryRunner();
    await holder.startTransaction();
    try {
      await holder.query("SELECT 1 FROM orders WHERE id = $1 FOR UPDATE", [orderId]);
      const removed = me.remove(address?.id ?? "");
      const waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
      await expect.poll(() => api.db.query(waiting)).toHaveLength(1);
      await holder.query("SELECT 1 FROM users WHERE id = $1 FOR UPDATE NOWAIT", [me.id]);
      await holder.commitTransaction();
      expect((await removed).status).toBe(204);
    } finally {
      if (holder.isTransactionActive) await holder.rollbackTransaction();
      await holder.release();
    }
    expect(await api.db.manager.findOneByOrFail(Order, { id: orderId })).toMatchObject({ addressId: null });
  });

  test("are listed newest first, in pages", async () => {
    const me = await customer();
    const made = (await me.with(5)).map(({ id }) => id);
    const ids = async (query: string) => (await me.list(query)).map(({ id }) => id);
    expect(await ids("")).toEqual(made.toReversed());
    expect(await ids("?size=2&page=2")).toEqual([made[2], made[1]]);
    expect((await ask("GET /addresses?size=2&page=9", { as: me.as })).body).toMatchObject({
      items: [],
      total: 5,
      pages: 3,
    });
    expect((await ask("GET /addresses?user_id=x", { as: me.as })).status).toBe(422);
  });

  test("cost two statements for a list of any length, and the one that finds the caller", async () => {
    const me = await customer();
    const statements = (size: number) => countStatements(api.db, () => me.list(`?size=${size}`));
    await me.with(1);
    const one = await statements(1);
    await me.with(19);
    expect([one, await statements(20)]).toEqual([3, 3]);
  });
});
