import { describe, expect, test } from "vitest";
import { BalanceEntry } from "../../../../src/db/entities/payments/balance-entry.ts";
import { StockMovement } from "../../../../src/db/entities/stock/stock-movement.ts";
import { Waybill } from "../../../../src/db/entities/stock/waybill.ts";
import { WaybillOffer } from "../../../../src/db/entities/stock/waybill-offer.ts";
import { useApi, userIds } from "../../../support/api.ts";
import { addOffer } from "../../../support/catalogue.ts";
import { brokenRules } from "../../../support/invariants.ts";
import { addOrder } from "../../../support/orders.ts";
import { parallel, send } from "../../../support/send.ts";
import { addUser } from "../../../support/users.ts";
import { addWaybill } from "../../../support/waybills.ts";

/** `MONEY_RUN=full` takes the numbers of the release gate; the usual ones show the same within seconds. */
const isFull = process.env.MONEY_RUN === "full";
const sizes = isFull ? { waybills: 100, buyers: 1_000, stock: 100 } : { waybills: 16, buyers: 100, stock: 10 };

describe("at the same moment", () => {
  const api = useApi({ relay: false });
  const timeout = isFull ? 300_000 : 30_000;

  const commit = (id: string, token = api.tokens.employee) => send(api, "POST", `/waybills/${id}/commit`, { token });
  const repeat = <T>(times: number, work: (n: number) => T) => Array.from({ length: times }, (_, n) => work(n));
  const quantityOf = async (id: string) =>
    (await api.db.query("SELECT quantity FROM offers WHERE id = $1", [id]))[0].quantity as number;
  const balanceOf = async (id: string) =>
    Number((await api.db.query("SELECT balance_rub FROM users WHERE id = $1", [id]))[0].balance_rub);
  const statuses = (answers: { status: number }[]) => {
    const counts: Record<number, number> = {};
    for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
    return counts;
  };
  const shuffled = <T>(items: readonly T[]) =>
    items
      .map((item) => ({ item, rank: Math.random() }))
      .sort((a, b) => a.rank - b.rank)
      .map(({ item }) => item);

  test("twelve waybills of one piece each leave the stock and the balance exact", async () => {
    const [offer, customer] = [await addOffer(api.db, { quantity: 42 }), await addUser(api.db)];
    const lines = [{ offerId: offer.id, priceRub: 645 }];
    const waybills = await Promise.all(repeat(12, () => addWaybill(api.db, { customerId: customer.id, lines })));
    const answers = await parallel(
      waybills.map(
        ({ id }) =>
          () =>
            commit(id),
      ),
    );
    expect(statuses(answers)).toEqual({ 201: 12 });
    expect([await quantityOf(offer.id), await balanceOf(customer.id)]).toEqual([30, -7_740]);
    const entries = await api.db.manager.findBy(BalanceEntry, { userId: customer.id });
    expect(entries.reduce((sum, { delta }) => sum + delta, 0)).toBe(-7_740);
    expect(await brokenRules(api.db)).toEqual({});
  });

  test(
    `${sizes.waybills} waybills that are committed twenty times each move their lines once`,
    async () => {
      const offers = await Promise.all(repeat(3, () => addOffer(api.db, { quantity: 10_000 })));
      const customers = await Promise.all(repeat(4, () => addUser(api.db)));
      const lines = offers.map(({ id }, n) => ({ offerId: id, quantity: n + 1, priceRub: 10 }));
      const waybills = [];
      for (const n of repeat(sizes.waybills, (n) => n)) {
        waybills.push(await addWaybill(api.db, { customerId: String(customers[n % 4]?.id), lines }));
      }
      for (let at = 0; at < waybills.length; at += 2) {
        // Two neighbours at a time, so that each commit meets others of the same waybill and of the same offers.
        const two = waybills.slice(at, at + 2);
        const answers = await parallel(two.flatMap(({ id }) => repeat(20, () => () => commit(id))));
        expect(statuses(answers)).toEqual({ 201: two.length * 20 });
      }
      for (const [n, { id }] of offers.entries()) {
        expect(await quantityOf(id)).toBe(10_000 - sizes.waybills * (n + 1));
        expect(await api.db.manager.countBy(StockMovement, { offerId: id })).toBe(sizes.waybills);
      }
      for (const { id } of waybills) expect(await api.db.manager.countBy(BalanceEntry, { waybillId: id })).toBe(1);
      const owed = await Promise.all(customers.map(({ id }) => balanceOf(id)));
      expect(owed.reduce((sum, rub) => sum + rub, 0)).toBe(-60 * sizes.waybills);
      expect(await brokenRules(api.db)).toEqual({});
    },
    timeout,
  );

  test("32 waybills with the same five offers in any order never block each other for good", async () => {
    const offers = await Promise.all(repeat(5, () => addOffer(api.db, { quantity: 100 })));
    const people = [userIds.employee, userIds.admin, userIds.user];
    const waybills = await Promise.all(
      repeat(32, (n) =>
        addWaybill(api.db, {
          authorId: String(people[n % 2]),
          // Staff is charged as well, by waybills that the other one commits.
          customerId: String(people[(n + 1) % 3]),
          waybillType: n % 4 === 3 ? "WAYBILL_IN" : "WAYBILL_OUT",
          lines: shuffled([...offers, ...offers]).map(({ id }) => ({ offerId: id })),
        }),
      ),
    );
    const tokens = [api.tokens.employee, api.tokens.admin];
    const answers = await parallel(
      waybills.map(
        ({ id }, n) =>
          () =>
            commit(id, tokens[n % 2]),
      ),
    );
    expect(statuses(answers)).toEqual({ 201: 32 });
    for (const { id } of offers) expect(await quantityOf(id)).toBe(100 - 24 * 2 + 8 * 2);
    expect(await brokenRules(api.db)).toEqual({});
  });

  test(
    `${sizes.buyers} buyers get the ${sizes.stock} pieces that there are, and no more`,
    async () => {
      const [offer, customer] = [await addOffer(api.db, { quantity: sizes.stock }), await addUser(api.db)];
      const lines = [{ offerId: offer.id, priceRub: 7 }];
      const waybills = [];
      for (let n = 0; n < sizes.buyers; n++)
        waybills.push(await addWaybill(api.db, { customerId: customer.id, lines }));
      const answers = await parallel(
        waybills.map(
          ({ id }) =>
            () =>
              commit(id),
        ),
        50,
      );
      expect(statuses(answers)).toEqual({ 201: sizes.stock, 409: sizes.buyers - sizes.stock });
      expect([await quantityOf(offer.id), await balanceOf(customer.id)]).toEqual([0, -7 * sizes.stock]);
      expect(await api.db.manager.countBy(Waybill, { customerId: customer.id, isPending: false })).toBe(sizes.stock);
      expect(await brokenRules(api.db)).toEqual({});
    },
    timeout,
  );

  test("a commit and changes of its lines leave what was committed, and nothing else moves", async () => {
    for (let round = 0; round < 12; round++) {
      const [offer, customer] = [await addOffer(api.db, { quantity: 1_000 }), await addUser(api.db)];
      const lines = repeat(3, () => ({ offerId: offer.id, quantity: 2, priceRub: 10 }));
      const { id, lineIds } = await addWaybill(api.db, { customerId: customer.id, lines });
      const [changed, removed] = lineIds;
      const answers = await parallel([
        () => commit(id),
        () => commit(id),
        () => send(api, "PATCH", `/waybill-offers/${changed}`, { body: { quantity: 50, price_rub: 3 } }),
        () => send(api, "DELETE", `/waybill-offers/${removed}`),
        () => send(api, "POST", `/waybills/${id}/offers`, { body: { offer_id: offer.id, quantity: 9 } }),
        () => send(api, "PATCH", `/waybills/${id}`, { body: { customer_id: userIds.user } }),
        () => send(api, "PATCH", `/waybills/${id}`, { body: { waybill_type: "WAYBILL_IN" } }),
      ]);
      expect(answers.every(({ status }) => [200, 201, 204, 409].includes(status))).toBe(true);
      // Whatever the lines are now, exactly that has moved: one of the promises that are checked here.
      expect(await brokenRules(api.db)).toEqual({});
      expect(await api.db.manager.findOneBy(Waybill, { id })).toMatchObject({ isPending: false });
    }
  });

  test("a commit and a deletion leave either a committed waybill or none at all", async () => {
    const outcomes = new Set<string>();
    for (let round = 0; round < 20; round++) {
      const offer = await addOffer(api.db);
      const { id } = await addWaybill(api.db, { lines: [{ offerId: offer.id }] });
      const remove = () => send(api, "DELETE", `/waybills/${id}`);
      const ask = [() => commit(id), remove, () => commit(id), remove];
      const answers = await Promise.all((round % 2 ? ask : ask.reverse()).map((one) => one()));
      const isThere = (await api.db.manager.findOneBy(Waybill, { id })) !== null;
      outcomes.add(String(isThere));
      expect(statuses(answers)).toEqual(isThere ? { 201: 2, 409: 2 } : { 204: 1, 404: 3 });
      expect(await quantityOf(offer.id)).toBe(isThere ? 9 : 10);
      expect(await api.db.manager.countBy(WaybillOffer, { waybillId: id })).toBe(isThere ? 1 : 0);
    }
    expect(await brokenRules(api.db)).toEqual({});
  });

  test.each(["CASH", "BALANCE"])(
    "a commit and a payment of the same order by %s charge the customer once for the same goods",
    async (method) => {
      for (let round = 0; round < 8; round++) {
        const [offer, customer] = [await addOffer(api.db), await addUser(api.db)];
        const order = await addOrder(api.db, { userId: customer.id, lines: [{ offerId: offer.id, priceRub: 1_000 }] });
        const { id } = (await send(api, "POST", `/orders/${order.id}/convert`)).body;
        const ask = (path: string, body?: object) => send(api, "POST", path, { token: api.tokens.admin, body });
        const enter = () => ask(`/orders/${order.id}/payments`, { method });
        // With cash it is the confirmation that counts; with the balance a payment counts at once.
        const funds = { delta: 1_000, currency: "RUB", reason: "OTHER" };
        const cash = method === "CASH" ? (await enter()).body.id : undefined;
        if (!cash) expect((await ask(`/balance/adjust/${customer.id}`, funds)).status).toBe(201);
        const pay = () => (cash ? ask(`/payments/${cash}/confirm`) : enter());
        const [committed, paid] = await Promise.all(round % 2 ? [commit(id), pay()] : [pay(), commit(id)].reverse());
        expect(committed?.status).toBe(201);
        expect(paid?.status).toBeOneOf(cash ? [200] : [201, 409]);
        // Paid before or after, or taken by the commit because the payment came too late.
        expect(await balanceOf(customer.id)).toBe(0);
      }
      expect(await brokenRules(api.db)).toEqual({});
    },
  );
});
