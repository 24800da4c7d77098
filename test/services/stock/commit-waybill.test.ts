import type { EntityManager } from "typeorm";
import { In } from "typeorm";
import { beforeAll, describe, expect, test } from "vitest";
import { User } from "../../../src/db/entities/accounts/user.ts";
import { Offer } from "../../../src/db/entities/catalogue/offer.ts";
import { BalanceEntry } from "../../../src/db/entities/payments/balance-entry.ts";
import { StockMovement } from "../../../src/db/entities/stock/stock-movement.ts";
import { Waybill, waybillTypes } from "../../../src/db/entities/stock/waybill.ts";
import { ConflictError, NotFoundError } from "../../../src/errors.ts";
import { commitWaybill } from "../../../src/services/stock/commit-waybill.ts";
import { userIds } from "../../support/api.ts";
import { addOffer } from "../../support/catalogue.ts";
import { countStatements } from "../../support/count-statements.ts";
import { useDatabase } from "../../support/database.ts";
import { brokenRules } from "../../support/invariants.ts";
import { untilBlocked } from "../../support/locks.ts";
import { addOrder, addPayment } from "../../support/orders.ts";
import { addUser } from "../../support/users.ts";
import { addWaybill } from "../../support/waybills.ts";

describe("commitWaybill", () => {
  const db = useDatabase();
  const unknownId = "6a0b7e0e-3c1d-4f6a-9b0e-2d4c5e6f7a81";

  beforeAll(async () => {
    await addUser(db, { id: userIds.employee, role: "EMPLOYEE" });
    await addUser(db, { id: userIds.user });
  });

  const commit = (waybillId: string) =>
    db.transaction((tx: EntityManager) => commitWaybill(tx, { waybillId, userId: userIds.employee }));
  const balanceOf = async (id: string) => (await db.manager.findOneByOrFail(User, { id })).balanceRub;
  const entriesOf = (waybillId: string) => db.manager.findBy(BalanceEntry, { waybillId });
  const quantityOf = async (id: string) => (await db.manager.findOneByOrFail(Offer, { id })).quantity;

  test("writes one movement for each line, which continue each other when an offer comes several times", async () => {
    const [one, other] = [await addOffer(db, { quantity: 10 }), await addOffer(db, { quantity: 5 })];
    const lines = [
      { offerId: one.id, quantity: 3 },
      { offerId: other.id, quantity: 5 },
      { offerId: one.id, quantity: 7 },
    ];
    const { id, lineIds } = await addWaybill(db, { lines });
    await commit(id);
    const movements = await db.manager.find(StockMovement, {
      where: { waybillId: id },
      order: { createdAt: 1, id: 1 },
    });
    expect(movements.map((one) => [one.waybillOfferId, one.delta, one.quantityBefore, one.quantityAfter])).toEqual([
      [lineIds[0], -3, 10, 7],
      [lineIds[1], -5, 5, 0],
      [lineIds[2], -7, 7, 0],
    ]);
    expect(
      movements.every(({ waybillType, userId }) => waybillType === "WAYBILL_OUT" && userId === userIds.employee),
    ).toBe(true);
    expect(await brokenRules(db)).toEqual({});
  });

  test("enters one row of history with the balance before and after, and who and when in the waybill", async () => {
    const [customer, offer] = [await addUser(db, { balanceRub: 0 }), await addOffer(db)];
    const first = await addWaybill(db, { customerId: customer.id, lines: [{ offerId: offer.id, priceRub: 300 }] });
    const lines = [{ offerId: offer.id, quantity: 2, priceRub: 50 }];
    const second = await addWaybill(db, { customerId: customer.id, waybillType: "WAYBILL_RETURN", lines });
    await commit(first.id);
    await commit(second.id);
    const [[out], [back]] = [await entriesOf(first.id), await entriesOf(second.id)];
    const common = { userId: customer.id, currency: "RUB", reason: "WAYBILL_PAYMENT", paymentId: null };
    expect(out).toMatchObject({ ...common, delta: -300, balanceBefore: 0, balanceAfter: -300 });
    expect(back).toMatchObject({ ...common, delta: 100, balanceBefore: -300, balanceAfter: -200 });
    const waybill = await db.manager.findOneByOrFail(Waybill, { id: first.id });
    expect(waybill).toMatchObject({ isPending: false, committedBy: userIds.employee, committedAt: expect.any(Date) });
  });

  test("owes nothing to an author who is the customer", async () => {
    const offer = await addOffer(db);
    const lines = [{ offerId: offer.id }];
    for (const waybillType of waybillTypes) {
      const { id } = await addWaybill(db, { customerId: userIds.employee, waybillType, lines });
      await commit(id);
      expect(await entriesOf(id)).toEqual([]);
    }
    expect([await balanceOf(userIds.employee), await quantityOf(offer.id)]).toEqual([0, 11]);
  });

  test("enters nothing when nothing is owed", async () => {
    const offer = await addOffer(db);
    const free = await addWaybill(db, { lines: [{ offerId: offer.id, priceRub: 0 }] });
    const empty = await addWaybill(db);
    for (const { id } of [free, empty]) {
      await commit(id);
      expect(await entriesOf(id)).toEqual([]);
    }
    expect(await quantityOf(offer.id)).toBe(9);
  });

  test.each([
    ["nothing", [], -2_000],
    ["a part", [{ amountRub: 500 }, { amountRub: 700 }], -800],
    ["all", [{ amountRub: 2_000 }], 0],
    [
      "nothing yet",
      [
        { amountRub: 1_900, state: "pending" as const },
        { amountRub: 9, state: "authorized" as const },
      ],
      -2_000,
    ],
    ["nothing any more", [{ amountRub: 2_000, refundedRub: 2_000, state: "refunded" as const }], -2_000],
  ])("charges what is open of an order of which %s is paid", async (_what, payments, delta) => {
    const [customer, offer] = [await addUser(db), await addOffer(db)];
    const lines = [{ offerId: offer.id, quantity: 2 }];
    const order = await addOrder(db, { userId: customer.id, lines });
    for (const payment of payments) await addPayment(db, { orderId: order.id, ...payment });
    const { id } = await addWaybill(db, { customerId: customer.id, orderId: order.id, lines });
    await commit(id);
    expect(await balanceOf(customer.id)).toBe(delta);
    expect(await entriesOf(id)).toHaveLength(delta === 0 ? 0 : 1);
    expect(await brokenRules(db)).toEqual({});
  });

  test("waits for the transaction that holds the order, and sees what was paid meanwhile", async () => {
    const [customer, offer] = [await addUser(db), await addOffer(db)];
    const lines = [{ offerId: offer.id }];
    const order = await addOrder(db, { userId: customer.id, lines });
    const { id } = await addWaybill(db, { customerId: customer.id, orderId: order.id, lines });
    const other = db.createQueryRunner();
    await other.startTransaction();
    await other.query("SELECT 1 FROM orders WHERE id = $1 FOR UPDATE", [order.id]);
    const committed = commit(id);
    await untilBlocked(db, 1);
    await addPayment(other, { orderId: order.id, amountRub: 1_000 });
    await other.commitTransaction();
    await other.release();
    await committed;
    expect([await balanceOf(customer.id), await quantityOf(offer.id)]).toEqual([0, 9]);
  });

  test("gives back all that comes back, paid or not", async () => {
    const [customer, offer] = [await addUser(db), await addOffer(db)];
    const lines = [{ offerId: offer.id }];
    const order = await addOrder(db, { userId: customer.id, lines });
    await addPayment(db, { orderId: order.id, amountRub: 1_000 });
    const delivery = await addWaybill(db, { customerId: customer.id, orderId: order.id, lines });
    await commit(delivery.id);
    const back = { customerId: customer.id, returnOf: delivery.id, waybillType: "WAYBILL_RETURN" as const, lines };
    await commit((await addWaybill(db, back)).id);
    expect(await balanceOf(customer.id)).toBe(1_000);
    expect(await brokenRules(db)).toEqual({});
  });

  test("gives nothing to a member of staff on whom a guest's goods were booked, when they come back", async () => {
    const [colleague, offer] = [await addUser(db, { role: "EMPLOYEE" }), await addOffer(db)];
    const lines = [{ offerId: offer.id }];
    const order = await addOrder(db, { lines });
    const delivery = await addWaybill(db, { customerId: userIds.employee, orderId: order.id, lines });
    await commit(delivery.id);
    const back = { returnOf: delivery.id, waybillType: "WAYBILL_RETURN" as const, lines };
    const { id } = await addWaybill(db, { authorId: colleague.id, customerId: userIds.employee, ...back });
    await commit(id);
    expect([await entriesOf(id), await quantityOf(offer.id)]).toEqual([[], 10]);
    expect(await brokenRules(db)).toEqual({});
  });

  test("takes the next number, also when twenty are committed at once, and none when it fails", async () => {
    // One offer would make them wait for its stock, and one customer for the balance.
    const added: string[] = [];
    for (let n = 0; n < 20; n++) {
      const [offer, customer] = [await addOffer(db), await addUser(db)];
      added.push((await addWaybill(db, { customerId: customer.id, lines: [{ offerId: offer.id }] })).id);
    }
    const offer = await addOffer(db);
    const tooMany = await addWaybill(db, { lines: [{ offerId: offer.id, quantity: 1_000 }] });
    await Promise.allSettled([...added.slice(0, 10), tooMany.id, ...added.slice(10)].map(commit));
    const waybills = await db.manager.findBy(Waybill, { id: In([...added, tooMany.id]) });
    const numbers = waybills.flatMap(({ paperNumber }) => paperNumber ?? []).toSorted((a, b) => a - b);
    expect(numbers).toEqual(added.map((_, n) => (numbers[0] ?? 0) + n));
    expect((await brokenRules(db)).numbers).toBeUndefined();
  });

  test("throws when there is no such waybill", async () => {
    await expect(commit(unknownId)).rejects.toEqual(new NotFoundError("Waybill not found"));
  });

  test("refuses more pieces than the stock can count, and more roubles than can be booked", async () => {
    const full = await addOffer(db, { quantity: 2 ** 31 - 10 });
    const lines = [{ offerId: full.id, quantity: 5 }];
    const fits = await addWaybill(db, { waybillType: "WAYBILL_IN", lines });
    const tooMany = await addWaybill(db, { waybillType: "WAYBILL_IN", lines });
    await commit(fits.id);
    await expect(commit(tooMany.id)).rejects.toThrow(
      `The stock would grow above 2147483647 pieces of 'ACME AC-100' (offer '${full.id}'): 2147483648`,
    );
    expect(await quantityOf(full.id)).toBe(2 ** 31 - 5);

    const [customer, offer] = [await addUser(db), await addOffer(db)];
    const dear = { offerId: offer.id, quantity: 1_000_000, priceRub: 1_000_000_000 };
    const addDear = (size: number) =>
      addWaybill(db, {
        customerId: customer.id,
        waybillType: "WAYBILL_IN",
        lines: Array.from({ length: size }, () => dear),
      });
    const tooDear = await addDear(10);
    await expect(commit(tooDear.id)).rejects.toThrow(`Waybill '${tooDear.id}' adds up to more roubles`);
    await commit((await addDear(9)).id);
    await expect(commit((await addDear(1)).id)).rejects.toThrow(ConflictError);
    expect([await quantityOf(offer.id), await balanceOf(customer.id)]).toEqual([9_000_010, 9e15]);
  });

  test("takes as many statements for fifty lines as for one, with an order and without", async () => {
    const offers: { offerId: string }[] = [];
    for (let n = 0; n < 50; n++) offers.push({ offerId: (await addOffer(db)).id });
    const count = async (size: number, orderId: string | null) => {
      const { id } = await addWaybill(db, { orderId, lines: offers.slice(0, size) });
      return countStatements(db, () => commit(id));
    };
    const order = async () => (await addOrder(db, { userId: userIds.user })).id;
    // BEGIN; twice its order, the waybill, its lines, their offers; stock, movements, number, waybill, balance with
    // history, event; COMMIT.
    expect([await count(1, null), await count(50, null)]).toEqual([13, 13]);
    // The order is held, and its books are read.
    expect([await count(1, await order()), await count(50, await order())]).toEqual([15, 15]);
  });
});
