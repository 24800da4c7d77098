import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { payments } from "../../../../src/db/dao/payments/payments.ts";
import { changeOrder } from "../../../../src/services/orders/orders.ts";
import { dueBackRub, getOrderBooks } from "../../../../src/services/payments/order-balance.ts";
import { refundPayment } from "../../../../src/services/payments/refunds.ts";
import { commitWaybill } from "../../../../src/services/stock/commit-waybill.ts";
import { createWaybill, returnDelivery } from "../../../../src/services/stock/waybills.ts";
import { addOffer } from "../../../support/catalogue.ts";
import { useDatabase } from "../../../support/database.ts";
import { addOrder, addPayment } from "../../../support/orders.ts";
import { addUser } from "../../../support/users.ts";

const db = useDatabase();
let offerId = "";
let authorId = "";
beforeAll(async () => {
  offerId = (await addOffer(db, { quantity: 100 })).id;
  authorId = (await addUser(db, { role: "EMPLOYEE" })).id;
});

interface Paid {
  orderId: string;
  paymentId: string;
}

async function paidOrder(userId: string | null): Promise<Paid> {
  const lines = [{ offerId, quantity: 4, priceRub: 250 }];
  const [{ id: orderId }, paymentId] = [await addOrder(db, { userId, lines }), randomUUID()];
  await addPayment(db, { id: paymentId, orderId, amountRub: 1_000 });
  return { orderId, paymentId };
}

const commit = (waybillId: string) => db.transaction((tx) => commitWaybill(tx, { waybillId, userId: authorId }));
const refund = ({ paymentId }: Paid, amountRub: number) =>
  db.transaction((tx) => refundPayment(tx, { paymentId, amountRub, createdBy: null }));

async function deliver({ orderId }: Paid, quantity: number) {
  const wanted = { orderId, authorId, customerId: null, returnOf: null, note: null };
  const lines = [{ offerId, quantity }];
  const id = await db.transaction((tx) => createWaybill(tx, { ...wanted, waybillType: "WAYBILL_OUT", lines }));
  await commit(id);
  return id;
}

async function takeBack(deliveryId: string) {
  await commit(await db.transaction((tx) => returnDelivery(tx, { deliveryId, authorId })));
}

/** What may happen to an order that is paid. */
const histories: [name: string, happen: (paid: Paid) => Promise<unknown>][] = [
  ["is paid", () => Promise.resolve()],
  ["is paid and given back in part", (paid) => refund(paid, 300)],
  ["is paid and given back", (paid) => refund(paid, 1_000)],
  ["is paid and delivered", (paid) => deliver(paid, 4)],
  ["is paid and delivered in part", (paid) => deliver(paid, 1)],
  ["is paid, delivered and returned", async (paid) => takeBack(await deliver(paid, 4))],
  ["is paid, delivered in part and returned", async (paid) => takeBack(await deliver(paid, 1))],
  [
    "has a refund at the provider",
    ({ paymentId }) =>
      db.query("INSERT INTO refunds (id, payment_id, amount_rub, state) VALUES ($1, $2, 1000, 'pending')", [
        ...[randomUUID(), paymentId],
      ]),
  ],
];

describe.each(["guest", "customer", "member of staff"])("the payments of a %s from which money is due back", (who) => {
  const list = async (orderId: string) => {
    const [rows] = await payments.list(db.manager, { orderId, isDueBack: true }, { limit: 10, offset: 0 });
    return rows.map(({ id }) => id);
  };

  test.each(histories)(
    "are those of the rule when the order %s, and when it is canceled then",
    async (_name, happen) => {
      const customerId = who === "customer" ? (await addUser(db)).id : authorId;
      const paid = await paidOrder(who === "guest" ? null : customerId);
      await happen(paid);
      const agree = async () => {
        const due = dueBackRub(await getOrderBooks(db.manager, paid.orderId));
        expect(await list(paid.orderId)).toEqual(due > 0 ? [paid.paymentId] : []);
      };
      await agree();
      await db.transaction((tx) => changeOrder(tx, { id: paid.orderId, change: { status: "CANCELED" } }));
      await agree();
    },
  );
});

test("unmatched money is counted with what is left of it and how long it has waited", async () => {
  expect(await payments.unmatchedTotals(db.manager)).toEqual({ payments: 0, roubles: 0, oldestSeconds: 0 });
  const { id: orderId } = await addOrder(db);
  const money = { orderId, state: "unmatched", unmatchedReason: "nothing_due" } as const;
  await addPayment(db, { ...money, amountRub: 500, refundedRub: 200, paidAt: new Date(Date.now() - 3_600_000) });
  await addPayment(db, { ...money, amountRub: 100 });
  const { oldestSeconds, ...totals } = await payments.unmatchedTotals(db.manager);
  expect(totals).toEqual({ payments: 2, roubles: 400 });
  expect(oldestSeconds).toBeGreaterThanOrEqual(3_599);
});
