import { randomUUID } from "node:crypto";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createDataSource } from "../../../../src/db/data-source.ts";
import { Order } from "../../../../src/db/entities/orders/order.ts";
import { OrderOffer } from "../../../../src/db/entities/orders/order-offer.ts";
import { createTransact } from "../../../../src/engine/transaction.ts";
import { dropCatalogue } from "../../../../src/platform/cache-tags.ts";
import { useApi, userIds } from "../../../support/api.ts";
import { addOffer } from "../../../support/catalogue.ts";
import { hangUpAfter } from "../../../support/http.ts";
import { addOrder } from "../../../support/orders.ts";
import { startPostgresProxy } from "../../../support/postgres-proxy.ts";
import { guest, lineOf, type Sending, send, sendPatiently } from "../../../support/shop.ts";

const api = useApi({ relay: false });
let offerId = "";
const user = () => ({ token: api.tokens.user });

beforeAll(async () => {
  offerId = (await addOffer(api.db, { quantity: 1_000_000, priceRub: 100 })).id;
});

const order = (note: string, quantity = 1) => ({ ...guest, note, order_offers: [lineOf(offerId, quantity)] });
const post = (body: object, options: Sending = user()) => send(api, "POST", "/orders", body, options);
const stored = async (note: string) => {
  const [orders, lines] = [
    await api.db.manager.countBy(Order, { note }),
    await api.db.manager.countBy(OrderOffer, { order: { note } }),
  ];
  return { orders, lines };
};

describe("an order that is sent again", () => {
  test("60 orders with 5 parallel requests each are 60 orders and 300 equal answers", { timeout: 60_000 }, async () => {
    const note = randomUUID();
    const five = (n: number) => {
      const options = { ...user(), key: randomUUID() };
      return Promise.all(
        Array.from({ length: 5 }, () => sendPatiently(api, "POST", "/orders", order(note, n + 1), options)),
      );
    };
    const answers: Awaited<ReturnType<typeof five>>[] = [];
    for (let wave = 0; wave < 3; wave++) {
      answers.push(...(await Promise.all(Array.from({ length: 20 }, (_, n) => five(20 * wave + n)))));
    }
    for (const [n, same] of answers.entries()) {
      expect(same.map(({ status }) => status)).toEqual([201, 201, 201, 201, 201]);
      expect(new Set(same.map(({ text }) => text)).size).toBe(1);
      expect(same[0]?.body.total_sum).toBe(100 * (n + 1));
      expect(same.filter(({ headers }) => headers.has("idempotency-replayed"))).toHaveLength(4);
    }
    expect(await stored(note)).toEqual({ orders: 60, lines: 60 });
    const [{ pieces }] = await api.db.query(
      "SELECT sum(l.quantity)::int AS pieces FROM order_offers l JOIN orders o ON o.id = l.order_id WHERE o.note = $1",
      [note],
    );
    expect(pieces).toBe((60 * 61) / 2);
  });

  test("50 times at once under one key is one order", async () => {
    const note = randomUUID();
    const options = { key: randomUUID() };
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => sendPatiently(api, "POST", "/orders", order(note), options)),
    );
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(await stored(note)).toEqual({ orders: 1, lines: 1 });
  });

  test("more often than there are connections is answered at once, also while nothing is cached", async () => {
    const note = randomUUID();
    const options = { key: randomUUID() };
    await dropCatalogue(api.context.cache, "category");
    const answers = await Promise.all(Array.from({ length: 12 }, () => post(order(note), options)));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
    expect(await stored(note)).toEqual({ orders: 1, lines: 1 });
  });

  test("with another body under the same key is refused, and nothing happens", async () => {
    const [note, other] = [randomUUID(), randomUUID()];
    const options = { ...user(), key: randomUUID() };
    expect((await post(order(note), options)).status).toBe(201);
    for (const body of [order(other), order(note, 2), { ...order(note), city: null }]) {
      const { status, body: refusal } = await post(body, options);
      expect(status).toBe(422);
      expect(refusal.detail).toMatchObject([{ loc: ["header", "idempotency-key"], input: options.key }]);
    }
    expect([await stored(note), await stored(other)]).toEqual([
      { orders: 1, lines: 1 },
      { orders: 0, lines: 0 },
    ]);
  });

  test("under the key of another user is another order", async () => {
    const note = randomUUID();
    const key = randomUUID();
    for (const token of [api.tokens.user, api.tokens.employee, undefined]) {
      expect((await post(order(note), { token, key })).status).toBe(201);
    }
    expect(await stored(note)).toEqual({ orders: 3, lines: 3 });
  });

  test("after a refusal under the same key is done when there is no more reason to refuse", async () => {
    const { id } = await addOffer(api.db, { quantity: 1 });
    const note = randomUUID();
    const options = { ...user(), key: randomUUID() };
    const body = { ...guest, note, order_offers: [lineOf(id, 2)] };
    expect((await post(body, options)).status).toBe(409);
    await api.db.query("UPDATE offers SET quantity = 2 WHERE id = $1", [id]);
    expect((await post(body, options)).status).toBe(201);
    expect(await stored(note)).toEqual({ orders: 1, lines: 1 });
  });

  test("because the caller hung up before the answer is the same order", async () => {
    for (let n = 0; n < 10; n++) {
      const note = randomUUID();
      const key = randomUUID();
      const body = JSON.stringify(order(note));
      const head = [
        "POST /orders HTTP/1.1",
        "host: shop.test",
        `authorization: Bearer ${api.tokens.user}`,
        "content-type: application/json",
        `content-length: ${Buffer.byteLength(body)}`,
        `idempotency-key: ${key}`,
      ];
      await hangUpAfter(api.url, `${head.join("\r\n")}\r\n\r\n`, Buffer.from(body));
      const { status } = await post(order(note), { ...user(), key });
      expect(status).toBe(201);
      await vi.waitFor(async () => expect(await stored(note)).toEqual({ orders: 1, lines: 1 }), 10_000);
    }
  });
});

describe("a connection to Postgres that breaks", () => {
  let proxy: Awaited<ReturnType<typeof startPostgresProxy>>;
  let throughProxy: ReturnType<typeof createDataSource>;
  let transact: typeof api.context.transact;

  beforeAll(async () => {
    const { options } = api.db;
    proxy = await startPostgresProxy(String("url" in options && options.url));
    throughProxy = await createDataSource(proxy.url).initialize();
    ({ transact } = api.context);
    api.context.transact = createTransact(throughProxy, () => undefined);
  });
  afterAll(async () => {
    api.context.transact = transact;
    await throughProxy.destroy();
    await proxy.stop();
  });

  test.each(["before commit", "after commit"] as const)(
    "%s is a 503, and a retry gives the one order",
    async (fault) => {
      const note = randomUUID();
      for (let n = 0; n < 20; n++) {
        const options = { ...user(), key: randomUUID() };
        Object.assign(proxy, { fault, left: 1, cuts: 0 });
        const first = await post(order(note), options);
        expect([first.status, first.headers.get("retry-after")]).toEqual([503, "5"]);
        expect([proxy.cuts, await stored(note)]).toEqual([
          1,
          { orders: n + Number(fault === "after commit"), lines: n + Number(fault === "after commit") },
        ]);
        const again = await post(order(note), options);
        expect(again.status).toBe(201);
        expect(again.headers.has("idempotency-replayed")).toBe(fault === "after commit");
      }
      expect(await stored(note)).toEqual({ orders: 20, lines: 20 });
    },
  );

  test("in the middle of a payment leaves the books as they were, or as they are to be", async () => {
    const balance = async () =>
      Number((await api.db.query("SELECT balance_rub FROM users WHERE id = $1", [userIds.user]))[0].balance_rub);
    await api.db.query("UPDATE users SET balance_rub = 1000 WHERE id = $1", [userIds.user]);
    for (const [n, fault] of (["before commit", "after commit", "before commit", "after commit"] as const).entries()) {
      const { id } = await addOrder(api.db, { userId: userIds.user, lines: [{ offerId, priceRub: 100 }] });
      const pay = (key: string) =>
        send(api, "POST", `/orders/${id}/payments`, { method: "BALANCE" }, { ...user(), key });
      const key = randomUUID();
      Object.assign(proxy, { fault, left: 1 });
      expect((await pay(key)).status).toBe(503);
      expect((await pay(key)).status).toBe(201);
      expect(await balance()).toBe(1_000 - 100 * (n + 1));
    }
  });
});

describe("more requests than connections", () => {
  test("are answered while a row is stuck, and afterwards as usual", { timeout: 60_000 }, async () => {
    const { id } = await addOrder(api.db, { userId: userIds.user, lines: [{ offerId, priceRub: 1_000 }] });
    const { options } = api.db;
    const stuck = new pg.Client(String("url" in options && options.url));
    await stuck.connect();
    await stuck.query("BEGIN");
    await stuck.query("SELECT 1 FROM orders WHERE id = $1 FOR UPDATE", [id]);
    const pay = () => send(api, "POST", `/orders/${id}/payments`, { method: "CASH", amount_rub: 1 }, user());
    const answers = await Promise.all(Array.from({ length: 200 }, pay));
    await stuck.end();
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([503]));
    expect(answers.every(({ headers }) => headers.get("retry-after") === "5")).toBe(true);
    expect((await pay()).status).toBe(201);
  });
});
