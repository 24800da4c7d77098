import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { Mail } from "../../../src/db/entities/mail/mail.ts";
import { StockMovement } from "../../../src/db/entities/stock/stock-movement.ts";
import { eventTypes } from "../../../src/db/entities/webhooks/event.ts";
import { takeOverUser } from "../../../src/services/accounts/identity-events.ts";
import { requestEventMails } from "../../../src/services/mail/event-mails.ts";
import { changeOrder } from "../../../src/services/orders/orders.ts";
import { movePayment } from "../../../src/services/payments/payment-states.ts";
import { refundPayment } from "../../../src/services/payments/refunds.ts";
import { requestLowStockMails } from "../../../src/services/stock/low-stock.ts";
import { fanOutEvents } from "../../../src/services/webhooks/events.ts";
import { userIds } from "../../support/api.ts";
import { addOffer } from "../../support/catalogue.ts";
import { useDatabase } from "../../support/database.ts";
import { addOrder, addPayment } from "../../support/orders.ts";
import { addUser } from "../../support/users.ts";
import { addWaybill } from "../../support/waybills.ts";

const db = useDatabase();
const staff = ["Boss@shop.example", "store@shop.example"];
const rules = { staff, unprovedPerDay: 5 };
beforeAll(async () => {
  await addUser(db, { id: userIds.employee, role: "EMPLOYEE" });
  await addUser(db, { id: userIds.user, email: "reader@test.example", language: "en" });
  await addUser(db, { email: "boss@shop.example", language: "en" });
});

/** Mails about something, as `kind recipient language`. */
async function mailsAbout(id: string) {
  const mails = await db.manager.find(Mail, { order: { kind: "ASC", recipient: "ASC" } });
  return mails
    .filter(({ parameters }) => Object.values(parameters).includes(id))
    .map(({ kind, recipient, language }) => `${kind} ${recipient} ${language}`);
}
const tell = (type: string, entityId: string, data = {}) =>
  db.transaction((tx) => requestEventMails(tx, [{ id: randomUUID(), type: type as never, entityId, data }], rules));
const passOn = () => db.transaction((tx) => fanOutEvents(tx, rules));

describe("an event", () => {
  test("of a new order is mailed to its customer and to staff, in their languages, once", async () => {
    const { id } = await addOrder(db, { userId: userIds.user, email: "gift@test.example" });
    await tell("order.created", id);
    await tell("order.created", id);
    expect(await mailsAbout(id)).toEqual([
      "order-received gift@test.example en",
      "order-received-staff Boss@shop.example en",
      "order-received-staff store@shop.example ru",
    ]);
  });

  test("of a guest's order is mailed in Russian", async () => {
    const { id } = await addOrder(db, { email: "guest@test.example" });
    await tell("order.created", id);
    expect(await mailsAbout(id)).toContain("order-received guest@test.example ru");
  });

  test("of a status is mailed each time that it is reached", async () => {
    const { id } = await addOrder(db, { userId: userIds.user, status: "NEW" });
    for (const status of ["SHIPPING", "NEW", "SHIPPING"] as const) {
      await db.transaction((tx) => changeOrder(tx, { id, change: { status } }));
      await passOn();
    }
    const mails = await db.manager.findBy(Mail, { kind: "order-status" });
    expect(mails.map(({ parameters }) => parameters.status).sort()).toEqual(["NEW", "SHIPPING", "SHIPPING"]);
  });

  test("of a payment that is paid is mailed, of one that is not yet is not", async () => {
    const offer = await addOffer(db);
    const order = await addOrder(db, { userId: userIds.user, lines: [{ offerId: offer.id, priceRub: 1_000 }] });
    const id = randomUUID();
    await addPayment(db, { id, orderId: order.id, amountRub: 400, state: "pending" });
    await passOn();
    expect(await mailsAbout(id)).toEqual([]);
    await db.transaction((tx) => movePayment(tx, { id, from: ["pending"], to: "paid" }));
    await passOn();
    expect(await mailsAbout(id)).toEqual(["payment-received buyer@test.example en"]);
  });

  test.each([
    ["goods for a customer", {}, ["waybill-committed reader@test.example en"]],
    ["goods that come back", { waybillType: "WAYBILL_RETURN" }, ["waybill-committed reader@test.example en"]],
    ["goods from a supplier", { waybillType: "WAYBILL_IN" }, []],
    ["goods that staff takes itself", { customerId: userIds.employee }, []],
  ] as const)("of a waybill for %s is mailed as it should be", async (_name, values, expected) => {
    const { id } = await addWaybill(db, values);
    await tell("waybill.committed", id);
    expect(await mailsAbout(id)).toEqual(expected);
  });

  test("of a waybill for a guest's order is mailed to the guest", async () => {
    const order = await addOrder(db, { email: "guest2@test.example" });
    const { id } = await addWaybill(db, { orderId: order.id, customerId: userIds.employee });
    await tell("waybill.committed", id);
    expect(await mailsAbout(id)).toEqual(["waybill-committed guest2@test.example ru"]);
  });

  test("of goods that staff has taken itself is not mailed when another employee takes them back", async () => {
    const { id: returnOf } = await addWaybill(db, { customerId: userIds.employee });
    const { id: authorId } = await addUser(db, { role: "EMPLOYEE" });
    const values = { returnOf, authorId, customerId: userIds.employee, waybillType: "WAYBILL_RETURN" as const };
    const { id } = await addWaybill(db, values);
    await tell("waybill.committed", id);
    expect(await mailsAbout(id)).toEqual([]);
  });

  test("of money that its order cannot take is mailed to the payer and to staff, once, and thanks for nothing", async () => {
    const { id: orderId } = await addOrder(db, { userId: userIds.user, status: "CANCELED" });
    const id = randomUUID();
    await addPayment(db, { id, orderId, amountRub: 100, state: "unmatched", unmatchedReason: "order_canceled" });
    await tell("payment.unmatched", id);
    await tell("payment.unmatched", id);
    expect(await mailsAbout(id)).toEqual([
      "payment-unmatched buyer@test.example en",
      "payment-unmatched-staff Boss@shop.example en",
      "payment-unmatched-staff store@shop.example ru",
    ]);
  });

  test("of each refund of a payment is mailed", async () => {
    const offer = await addOffer(db);
    const order = await addOrder(db, { lines: [{ offerId: offer.id, priceRub: 1_000 }] });
    const paymentId = randomUUID();
    await addPayment(db, { id: paymentId, orderId: order.id, amountRub: 400 });
    for (const amountRub of [100, 50]) {
      const refundId = await db.transaction((tx) => refundPayment(tx, { paymentId, amountRub, createdBy: null }));
      await passOn();
      expect(await mailsAbout(refundId)).toEqual(["payment-refunded buyer@test.example ru"]);
    }
  });

  test("of something that was deleted since is not mailed", async () => {
    const gone = randomUUID();
    const customers = eventTypes.filter((type) => !type.startsWith("job.") && type !== "payment.unmatched");
    for (const type of customers) await tell(type, gone, { status: "NEW" });
    expect(await mailsAbout(gone)).toEqual([]);
  });
});

describe("a welcome", () => {
  const takeOver = (id: string, hasRegistered: boolean, email = `${id}@test.example`) =>
    db.transaction((tx) =>
      takeOverUser(
        tx,
        { id, email, emailVerified: null, firstName: "Нина", lastName: "Ли", updatedAt: null },
        { hasRegistered, maxMails: 5 },
      ),
    );

  test("is sent once to a person who registers, and to none who was known", async () => {
    const [registered, known] = [randomUUID(), randomUUID()];
    await takeOver(registered, true);
    await takeOver(registered, true, "other@test.example");
    await takeOver(known, false);
    await takeOver(known, true);
    expect(await mailsAbout(registered)).toEqual([`welcome ${registered}@test.example ru`]);
    expect(await mailsAbout(known)).toEqual([]);
  });
});

describe("the digest of low stock", () => {
  const until = new Date("2026-11-22T05:00:00Z");
  const request = () => db.transaction((tx) => requestLowStockMails(tx, { until, staff }));

  async function move(offerId: string, delta: number, createdAt: string) {
    const { id, lineIds } = await addWaybill(db, { lines: [{ offerId }] });
    await db.manager.insert(StockMovement, {
      ...{ offerId, waybillId: id, waybillOfferId: String(lineIds[0]), waybillType: "WAYBILL_OUT", delta },
      ...{ quantityBefore: 5, quantityAfter: 5 + delta, userId: userIds.employee, createdAt: new Date(createdAt) },
    });
  }

  test("is about what went down in the day before and is nearly gone; on other days there is none", async () => {
    expect(await request()).toBe(0);
    expect(await db.manager.countBy(Mail, { kind: "low-stock" })).toBe(0);
    const scarce = await addOffer(db, { quantity: 2 });
    await move(scarce.id, -3, "2026-11-21T12:00:00Z");
    await move(scarce.id, -1, "2026-11-21T13:00:00Z");
    const others = [
      [{ quantity: 3 }, -2, "2026-11-21T12:00:00Z"],
      [{ quantity: 1 }, -4, "2026-11-20T12:00:00Z"],
      [{ quantity: 1 }, -4, "2026-11-22T05:00:00Z"],
      [{ quantity: 1 }, 1, "2026-11-21T12:00:00Z"],
      [{ quantity: 1, isDeleted: true }, -4, "2026-11-21T12:00:00Z"],
    ] as const;
    for (const [values, delta, at] of others) await move((await addOffer(db, values)).id, delta, at);
    expect(await request()).toBe(1);
    expect(await request()).toBe(1);
    const mails = await db.manager.findBy(Mail, { kind: "low-stock" });
    expect(mails.map(({ recipient, language }) => `${recipient} ${language}`).sort()).toEqual([
      "Boss@shop.example en",
      "store@shop.example ru",
    ]);
  });
});
