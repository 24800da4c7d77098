import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { z } from "zod";
import type { BalanceEntryView } from "../../../../src/api/views/balance-entry.ts";
import { User } from "../../../../src/db/entities/accounts/user.ts";
import { AuditEntry } from "../../../../src/db/entities/audit/audit-entry.ts";
import { BalanceEntry } from "../../../../src/db/entities/payments/balance-entry.ts";
import { changeBalance } from "../../../../src/services/payments/balances.ts";
import { useApi, userIds } from "../../../support/api.ts";
import { asker, type Question } from "../../../support/ask.ts";
import { countStatements } from "../../../support/count-statements.ts";
import { addUser } from "../../../support/users.ts";
import { addWaybill } from "../../../support/waybills.ts";

type Shown = z.output<typeof BalanceEntryView>;
interface Page {
  items: Shown[];
  total: number;
}

describe("balance", () => {
  const api = useApi({ relay: false });
  const ask = asker(api);
  const adjust = (id: string, query: string, question: Question = {}) =>
    ask<Shown>(`POST /balance/adjust/${id}${query && "?"}${query}`, { as: "admin", ...question });
  const history = (id: string, question: Question = {}, query = "") =>
    ask<Page>(`GET /balance/history/${id}${query}`, question);
  const userOf = (id: string) => api.db.manager.findOneByOrFail(User, { id });
  const entriesOf = (userId: string) => api.db.manager.countBy(BalanceEntry, { userId });

  /** A change that belongs to a waybill between two people. */
  async function addPayment(userId: string, authorId: string) {
    const { id: waybillId } = await addWaybill(api.db, { authorId, customerId: userId });
    const change = { userId, currency: "RUB", delta: -645, reason: "WAYBILL_PAYMENT", waybillId } as const;
    await api.context.transact({ actorId: null, traceId: null }, (tx) => changeBalance(tx, change));
    return waybillId;
  }

  describe("POST /balance/adjust", () => {
    test.each([
      ["anonymous", 401, "Missing Authorization header"],
      ["user", 403, "Access denied: role USER is not allowed."],
      ["employee", 403, "Access denied: role EMPLOYEE is not allowed."],
      ["inactive", 403, "Access denied: this account is deactivated."],
    ] as const)("is not for %s", async (as, status, detail) => {
      expect(await adjust(userIds.user, "delta=1&reason=OTHER", { as })).toMatchObject({ status, body: { detail } });
      expect(await adjust("no-id", "", { as })).toMatchObject({ status, body: { detail } });
      expect(await entriesOf(userIds.user)).toBe(0);
    });

    test("changes roubles unless told otherwise, and answers with the entry", async () => {
      const { id } = await addUser(api.db, { balanceRub: 700 });
      const { status, body } = await adjust(id, "delta=-1000&reason=ADMIN_ADJUSTMENT");
      expect(status).toBe(201);
      expect(body).toEqual({
        id: body.id,
        user_id: id,
        waybill_id: null,
        waybill: null,
        delta: -1_000,
        balance_before: 700,
        balance_after: -300,
        currency: "RUB",
        reason: "ADMIN_ADJUSTMENT",
        created_at: body.created_at,
        updated_at: body.created_at,
      });
      expect(body.created_at).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
      expect(await userOf(id)).toMatchObject({ balanceRub: -300, balanceUsd: 0, balanceEur: 0, balanceTry: 0 });
      expect((await history(id)).body.items).toEqual([body]);
    });

    test.each([
      ["delta=5&reason=PROMOTION_CREDIT&currency=USD", undefined],
      ["", { delta: 5, reason: "PROMOTION_CREDIT", currency: "USD" }],
      ["", { delta: "+5.0", reason: "PROMOTION_CREDIT", currency: "USD", note: "ignored" }],
      ["reason=PROMOTION_CREDIT&currency=USD&x=1", { delta: 5 }],
      ["delta=7&reason=OTHER&currency=USD", { delta: 5, reason: "PROMOTION_CREDIT" }],
    ])("takes its values from the query %j and the body %j", async (query, body) => {
      const { id } = await addUser(api.db);
      const expected = { delta: 5, reason: "PROMOTION_CREDIT", currency: "USD", balance_after: 5 };
      expect(await adjust(id, query, { body })).toMatchObject({ status: 201, body: expected });
      expect((await userOf(id)).balanceUsd).toBe(5);
    });

    test("takes an empty body that is said to be JSON", async () => {
      const headers = { "content-type": "application/json" };
      expect((await adjust(userIds.inactive, "delta=0&reason=OTHER", { headers })).status).toBe(201);
    });

    test("enters a delta of 0 and the largest that there is", async () => {
      const { id } = await addUser(api.db);
      expect(await adjust(id, "delta=0&reason=OTHER")).toMatchObject({ status: 201, body: { balance_after: 0 } });
      const largest = Number.MAX_SAFE_INTEGER;
      expect(await adjust(id, `delta=${largest}&reason=OTHER`)).toMatchObject({ body: { balance_after: largest } });
      const { status, body } = await adjust(id, "delta=1&reason=OTHER");
      const detail = `A change by '1' makes the RUB balance of user '${id}' too large`;
      expect([status, body]).toMatchObject([409, { detail }]);
      expect(await adjust(id, "", { body: { delta: -largest, reason: "OTHER" } })).toMatchObject({ status: 201 });
      expect([(await userOf(id)).balanceRub, await entriesOf(id)]).toEqual([0, 3]);
    });

    test("answers 404 to an unknown user", async () => {
      const id = randomUUID();
      const { status, body } = await adjust(id, "delta=1&reason=OTHER");
      expect([status, body]).toMatchObject([404, { detail: `User ${id} not found` }]);
    });

    test.each([
      [
        "",
        undefined,
        [
          ["missing", "query", "delta"],
          ["missing", "query", "reason"],
        ],
      ],
      ["delta=5", undefined, [["missing", "query", "reason"]]],
      [
        "",
        {},
        [
          ["missing", "body", "delta"],
          ["missing", "body", "reason"],
        ],
      ],
      ["delta=&reason=OTHER", undefined, [["int_parsing", "query", "delta"]]],
      ["delta=1.5&reason=OTHER", undefined, [["int_parsing", "query", "delta"]]],
      ["delta=NaN&reason=OTHER", undefined, [["int_parsing", "query", "delta"]]],
      ["delta=9007199254740992&reason=OTHER", undefined, [["less_than_equal", "query", "delta"]]],
      ["delta=-9007199254740992&reason=OTHER", undefined, [["greater_than_equal", "query", "delta"]]],
      ["delta=9223372036854775808&reason=OTHER", undefined, [["int_parsing", "query", "delta"]]],
      ["", { delta: 2 ** 53, reason: "OTHER" }, [["less_than_equal", "body", "delta"]]],
      ["", { delta: 1.5, reason: "OTHER" }, [["int_from_float", "body", "delta"]]],
      ["", { delta: null, reason: "OTHER" }, [["int_parsing", "body", "delta"]]],
      ["delta=1&reason=ORDER_PAYMENT", undefined, [["enum", "query", "reason"]]],
      ["delta=1&reason=other", undefined, [["enum", "query", "reason"]]],
      ["delta=1&reason=OTHER&currency=GBP", undefined, [["enum", "query", "currency"]]],
      ["delta=1&reason=OTHER", [], [["model_attributes_type", "body"]]],
    ])("answers 422 to the query %j with the body %j", async (query, sent, expected) => {
      const { status, body } = await adjust(userIds.user, query, { body: sent });
      const detail = expected.map(([type, ...loc]) => ({ type, loc }));
      expect([status, body]).toMatchObject([422, { detail }]);
      expect(await entriesOf(userIds.user)).toBe(0);
    });

    test("refuses 1e309 as well, which JSON can say and a number cannot", async () => {
      const { id } = await addUser(api.db);
      const answer = await fetch(`${api.url}/balance/adjust/${id}`, {
        method: "POST",
        headers: { authorization: `Bearer ${api.tokens.admin}`, "content-type": "application/json" },
        body: '{"delta":1e309,"reason":"OTHER"}',
      });
      expect([answer.status, await entriesOf(id)]).toEqual([422, 0]);
    });

    test("does it once under one Idempotency-Key, however often and at once it is sent", async () => {
      const { id } = await addUser(api.db);
      const headers = { "idempotency-key": randomUUID() };
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => adjust(id, "delta=50&reason=OTHER", { headers })),
      );
      expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
      expect(answers.filter((answer) => answer.headers.get("idempotency-replayed") === null)).toHaveLength(1);
      expect([(await userOf(id)).balanceRub, await entriesOf(id)]).toEqual([50, 1]);
      const other = await adjust(id, "delta=51&reason=OTHER", { headers });
      expect([other.status, (await userOf(id)).balanceRub]).toEqual([422, 50]);
    });

    test("200 parallel adjustments over HTTP add up exactly, in one unbroken chain", async () => {
      const { id } = await addUser(api.db);
      const deltas = Array.from({ length: 200 }, (_, n) => (n % 2 === 0 ? n : -3 * n));
      for (let n = 0; n < deltas.length; n += 40) {
        const some = deltas.slice(n, n + 40);
        const answers = await Promise.all(some.map((delta) => adjust(id, `delta=${delta}&reason=OTHER`)));
        expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
      }
      const { items, total } = (await history(id)).body;
      const sum = deltas.reduce((all, delta) => all + delta, 0);
      expect([total, items[0]?.balance_after, (await userOf(id)).balanceRub]).toEqual([200, sum, sum]);
      expect(items.slice(0, -1).map((entry) => entry.balance_before)).toEqual(
        items.slice(1).map((entry) => entry.balance_after),
      );
    });

    test("waits three seconds for a transaction that holds the user's row, then answers 503, and others are not held up", async () => {
      const { id } = await addUser(api.db);
      const other = await addUser(api.db);
      const holder = api.db.createQueryRunner();
      await holder.startTransaction();
      await holder.query("SELECT 1 FROM users WHERE id = $1 FOR UPDATE", [id]);
      try {
        const stuck = adjust(id, "delta=1&reason=OTHER");
        expect((await adjust(other.id, "delta=1&reason=OTHER")).status).toBe(201);
        const { status, headers } = await stuck;
        expect([status, headers.get("retry-after")]).toEqual([503, "5"]);
      } finally {
        await holder.rollbackTransaction();
        await holder.release();
      }
      expect((await adjust(id, "delta=1&reason=OTHER")).body.balance_after).toBe(1);
    });

    test("is in the audit log with its query", async () => {
      const { headers } = await adjust(userIds.inactive, "delta=0&reason=OTHER");
      const requestId = headers.get("x-request-id") ?? "";
      expect(await api.db.manager.findBy(AuditEntry, { requestId })).toMatchObject([
        {
          method: "POST",
          status: 201,
          payload: null,
          endpoint: `https://api.test/balance/adjust/${userIds.inactive}?delta=0&reason=OTHER`,
        },
      ]);
    });
  });

  describe("GET /balance/history", () => {
    test("is for oneself and for staff, and a customer cannot tell others from those who do not exist", async () => {
      const denied = { status: 403, body: { detail: "Access denied: role USER is not allowed." } };
      expect(await history(userIds.user, { as: "anonymous" })).toMatchObject({
        status: 401,
        body: { detail: "Missing Authorization header" },
      });
      expect(await history(userIds.user, { as: "user" })).toMatchObject({ status: 200, body: { items: [] } });
      expect(await history(userIds.admin, { as: "user" })).toMatchObject(denied);
      expect(await history(randomUUID(), { as: "user" })).toMatchObject(denied);
      expect((await history(userIds.user, { as: "employee" })).status).toBe(200);
    });

    test("is empty for an unknown user, and 422 for what is no id or no page", async () => {
      const empty = { items: [], total: 0, page: 1, size: 300, pages: 0 };
      expect(await history(randomUUID())).toMatchObject({ status: 200, body: empty });
      expect((await history("x")).status).toBe(422);
      expect((await history(userIds.user, {}, "?size=501")).status).toBe(422);
    });

    test("comes newest first, in pages", async () => {
      const { id } = await addUser(api.db);
      for (const delta of [1, 2, 3, 4, 5]) await adjust(id, `delta=${delta}&reason=OTHER`);
      const deltas = async (query: string) => (await history(id, {}, query)).body.items.map(({ delta }) => delta);
      expect(await deltas("")).toEqual([5, 4, 3, 2, 1]);
      expect(await deltas("?size=2&page=2")).toEqual([3, 2]);
      expect((await history(id, {}, "?size=2&page=4")).body).toMatchObject({ items: [], total: 5, pages: 3 });
    });

    test("shows the waybill with the people on it, for the warehouse with OTHER", async () => {
      const customer = await addUser(api.db, { shippingMethod: "OTHER" });
      const waybillId = await addPayment(customer.id, userIds.employee);
      const expected = {
        waybill_id: waybillId,
        delta: -645,
        reason: "WAYBILL_PAYMENT",
        waybill: {
          id: waybillId,
          customer_id: customer.id,
          customer: { id: customer.id, balance_rub: -645, shipping_method: "OTHER" },
          author: { id: userIds.employee },
        },
      };
      const warehouse = await ask<Page>(`GET /warehouse/balance/history/${customer.id}`);
      expect(warehouse.body.items).toMatchObject([expected]);
      expect((await history(customer.id)).body.items[0]?.waybill?.customer.shipping_method).toBeNull();
    });

    test("costs two statements for a list of any length, and the one that finds the caller", async () => {
      const { id } = await addUser(api.db);
      const statements = (size: number) => countStatements(api.db, () => history(id, {}, `?size=${size}`));
      await addPayment(id, userIds.employee);
      const one = await statements(1);
      for (let n = 0; n < 19; n++) await addPayment(id, userIds.employee);
      expect([one, await statements(20)]).toEqual([3, 3]);
    });
  });
});
