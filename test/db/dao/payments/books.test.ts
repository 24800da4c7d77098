import { randomUUID } from "node:crypto";
import type { EntityManager } from "typeorm";
import { beforeAll, describe, expect, test } from "vitest";
import { bookRules, findDisagreements } from "../../../../src/db/dao/payments/books.ts";
import { changeBalance } from "../../../../src/services/payments/balances.ts";
import { commitWaybill } from "../../../../src/services/stock/commit-waybill.ts";
import { userIds } from "../../../support/api.ts";
import { addOffer } from "../../../support/catalogue.ts";
import { useDatabase } from "../../../support/database.ts";
import { brokenRules } from "../../../support/invariants.ts";
import { addOrder, addPayment } from "../../../support/orders.ts";
import { addUser } from "../../../support/users.ts";
import { addWaybill } from "../../../support/waybills.ts";

const db = useDatabase();
const ids = { customer: randomUUID(), order: "", delivery: "", back: "", line: "", payment: randomUUID() };

/** How each rule is broken: SQL, and the side of it that the finding has to name. */
const breaks: Record<string, () => string> = {
  "waybill-customer": () => `UPDATE waybills SET customer_id = '${userIds.admin}' WHERE id = '${ids.delivery}'`,
  "ordered-goods": () => `UPDATE order_offers SET quantity = 1 WHERE order_id = '${ids.order}'`,
  "returned-goods": () => `UPDATE waybill_offers SET quantity = 9 WHERE waybill_id = '${ids.back}'`,
  "order-payments": () => `UPDATE order_offers SET price_rub = 1 WHERE order_id = '${ids.order}'`,
  refunds: () => `UPDATE payments SET refunded_rub = 5 WHERE id = '${ids.payment}'`,
  "money-on-record": () => `UPDATE payments SET paid_at = NULL WHERE id = '${ids.payment}'`,
  "balance-history": () => `UPDATE users SET balance_rub = balance_rub + 1 WHERE id = '${ids.customer}'`,
  "customer-balance": () => `UPDATE payments SET amount_rub = amount_rub - 1 WHERE id = '${ids.payment}'`,
  stock: () => "UPDATE offers SET quantity = quantity + 1",
  movements: () => `UPDATE waybill_offers SET quantity = quantity + 1 WHERE id = '${ids.line}'`,
  numbers: () => `UPDATE waybills SET paper_number = 7 WHERE id = '${ids.delivery}'`,
};

/** More ways in which money and papers contradict each other, one for each part of a rule. */
const otherBreaks: [rule: string, how: string, sql: () => string][] = [
  ...(["pending", "authorized", "failed"] as const).map((state): (typeof otherBreaks)[number] => [
    "money-on-record",
    `money that has arrived is called ${state}`,
    () => `UPDATE payments SET state = '${state}' WHERE id = '${ids.payment}'`,
  ]),
  ["refunds", "more is given back than the return is worth", () => refundSql(ids.back, 101)],
  ["refunds", "a refund is for a delivery", () => refundSql(ids.delivery, 1)],
  [
    "refunds",
    "a refund is for a return of another order",
    () => `${refundSql(ids.back, 1)}; UPDATE waybills SET order_id = NULL WHERE id = '${ids.delivery}'`,
  ],
  ...(["usd", "eur", "try"] as const).map((currency): (typeof otherBreaks)[number] => [
    "balance-history",
    `a balance in ${currency} is another one`,
    () => `UPDATE users SET balance_${currency} = 1 WHERE id = '${ids.customer}'`,
  ]),
  [
    "numbers",
    "a waybill has a number of another year",
    () => `UPDATE waybills SET paper_year = paper_year + 1 WHERE id = '${ids.delivery}'`,
  ],
  [
    "numbers",
    "an invoice has a number of another year",
    () => `INSERT INTO invoices (year, number, order_id) VALUES (2020, 1, '${ids.order}')`,
  ],
];

const refundSql = (waybillId: string, rub: number) =>
  `INSERT INTO refunds (id, payment_id, amount_rub, state, waybill_id, finished_at)
   VALUES (gen_random_uuid(), '${ids.payment}', ${rub}, 'succeeded', '${waybillId}', now());
   UPDATE payments SET refunded_rub = ${rub} WHERE id = '${ids.payment}'`;

class Undo extends Error {}

async function whenBroken<T>(sql: string, work: (tx: EntityManager) => Promise<T>): Promise<T | undefined> {
  let result: T | undefined;
  await db
    .transaction(async (tx) => {
      await tx.query(sql);
      result = await work(tx);
      throw new Undo();
    })
    .catch((error: unknown) => {
      if (!(error instanceof Undo)) throw error;
    });
  return result;
}

describe("the rules of the books", () => {
  beforeAll(async () => {
    await addUser(db, { id: userIds.employee, role: "EMPLOYEE" });
    await addUser(db, { id: userIds.admin, role: "ADMIN" });
    await addUser(db, { id: ids.customer });
    const offer = await addOffer(db, { quantity: 10 });
    const lines = [{ offerId: offer.id, quantity: 3, priceRub: 100 }];
    ids.order = (await addOrder(db, { userId: ids.customer, lines })).id;
    await addPayment(db, { id: ids.payment, orderId: ids.order, amountRub: 200 });
    const delivery = await addWaybill(db, { customerId: ids.customer, orderId: ids.order, lines });
    [ids.delivery, ids.line] = [delivery.id, String(delivery.lineIds[0])];
    const back = { customerId: ids.customer, waybillType: "WAYBILL_RETURN" as const, returnOf: delivery.id };
    ids.back = (await addWaybill(db, { ...back, lines: [{ ...lines[0], offerId: offer.id, quantity: 1 }] })).id;
    await db.transaction(async (tx) => {
      for (const currency of ["RUB", "USD", "EUR", "TRY"] as const)
        await changeBalance(tx, { userId: ids.customer, currency, delta: 50, reason: "ADMIN_ADJUSTMENT" });
      for (const waybillId of [ids.delivery, ids.back])
        await commitWaybill(tx, { waybillId, userId: userIds.employee });
    });
  });

  test("find nothing in books that agree", async () => {
    expect(await brokenRules(db)).toEqual({});
  });

  test("each have a way in which they are broken here", () => {
    expect(Object.keys(breaks).toSorted()).toEqual(bookRules.map(({ name }) => name).toSorted());
  });

  test.each(bookRules.map((rule) => [rule.name, rule] as const))("name what breaks %s", async (name, rule) => {
    const found = await whenBroken(breaks[name]?.() ?? "", (tx) => findDisagreements(tx, rule));
    expect(found?.count).toBe(1);
    expect(found?.examples[0]?.says).toMatch(/\w/);
  });

  test.each(otherBreaks)("of %s are broken when %s", async (name, _how, sql) => {
    const broken = await whenBroken(sql(), (tx) => brokenRules({ manager: tx }));
    expect(broken?.[name]).toEqual([expect.stringMatching(/\w/)]);
  });
});
