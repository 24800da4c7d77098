import { randomUUID } from "node:crypto";
import { beforeEach, describe, expect, test } from "vitest";
import { requestFaults } from "../../../dev/yookassa/faults.ts";
import { Payment } from "../../../src/db/entities/payments/payment.ts";
import { UnavailableError } from "../../../src/errors.ts";
import { checkCardPayments } from "../../../src/jobs/check-card-payments.ts";
import { createLogger } from "../../../src/platform/logger.ts";
import type { WorkerContext } from "../../../src/workers/context.ts";
import { checkCardPaymentsProcessor } from "../../../src/workers/processors/check-card-payments.ts";
import { scheduleConditions } from "../../../src/workers/schedule-conditions.ts";
import { addOffer } from "../../support/catalogue.ts";
import { useDatabase } from "../../support/database.ts";
import { startRun } from "../../support/job-run.ts";
import { addOrder, addPayment } from "../../support/orders.ts";
import { shopId, useYooKassa } from "../../support/yookassa.ts";

const db = useDatabase();
const yookassa = useYooKassa();
const log = createLogger("silent", "test");

beforeEach(async () => {
  await db.query(
    "DELETE FROM user_balance_history; DELETE FROM refunds; DELETE FROM payments; DELETE FROM received_events",
  );
  yookassa.data.refunds = [];
});

/** A payment of so many minutes ago that the customer has not decided yet. */
async function addCardPayment(minutesAgo = 10, more: Partial<Omit<Payment, "order">> = {}) {
  const offer = await addOffer(db, { quantity: 10 });
  const { id: orderId } = await addOrder(db, { lines: [{ offerId: offer.id, priceRub: 700 }] });
  const id = randomUUID();
  const { reference } = await yookassa.provider({ isTwoStage: true }).start({ id, orderId, amountRub: 700 });
  const card = { id, orderId, amountRub: 700, method: "CARD", provider: "yookassa" } as const;
  const createdAt = new Date(Date.now() - minutesAgo * 60_000);
  await addPayment(db, { ...card, state: "pending", providerReference: reference, createdAt, ...more });
  return { id, reference };
}

async function check(cards: WorkerContext["cards"] = yookassa.provider()) {
  const started = await startRun(db, checkCardPayments, { slot: new Date(Math.random() * 1e12).toISOString() });
  await checkCardPaymentsProcessor.run(started.run, { db, cards, log } as unknown as WorkerContext);
  return { result: (await started.find()).result, progress: started.progress };
}

const stateOf = async (id: string) => (await db.manager.findOneByOrFail(Payment, { id })).state;
const isDue = () => scheduleConditions["card-payments"]?.(db.manager);

describe("check-card-payments", () => {
  test("applies what the provider says when every notification was lost", async () => {
    const [open, authorized, paid, declined] = [
      await addCardPayment(),
      await addCardPayment(),
      await addCardPayment(),
      await addCardPayment(),
    ];
    yookassa.shop.decide(authorized.reference, "pay");
    yookassa.shop.decide(paid.reference, "pay");
    yookassa.shop.capture(shopId, paid.reference, {});
    yookassa.shop.decide(declined.reference, "decline");
    const { result, progress } = await check();
    expect(result).toEqual({ open: 1, done: 3, refunds: 0 });
    expect(progress.at(-1)).toEqual([4, 4]);
    expect(await Promise.all([open, authorized, paid, declined].map(({ id }) => stateOf(id)))).toEqual([
      ...["pending", "authorized", "paid", "failed"],
    ]);
  });

  test("applies nothing twice, whichever came first", async () => {
    const { id, reference } = await addCardPayment();
    yookassa.shop.decide(reference, "pay");
    expect((await check()).result).toEqual({ done: 1, refunds: 0 });
    expect((await check()).result).toEqual({ repeated: 1, refunds: 0 });
    expect(await stateOf(id)).toBe("authorized");
  });

  test("asks about unfinished payments that are not too young or too old, where any was ever charged", async () => {
    await addCardPayment(10, { provider: "test" });
    expect([await isDue(), (await check()).result]).toEqual([false, { refunds: 0 }]);
    await addCardPayment(2);
    await addCardPayment(31 * 24 * 60);
    await addCardPayment(10, { state: "paid" });
    expect([await isDue(), (await check()).result]).toEqual([true, { refunds: 0 }]);
    await addCardPayment(10, { state: "failed" });
    expect((await check()).result).toEqual({ open: 1, refunds: 0 });
  });

  test("books refunds of the cabinet whose notifications were lost, once, and goes on after one that it cannot book", async () => {
    const { id, reference } = await addCardPayment(10, { state: "paid" });
    const other = await addCardPayment(10);
    for (const one of [reference, other.reference]) {
      yookassa.shop.decide(one, "pay");
      yookassa.shop.capture(shopId, one, {});
      const body = { payment_id: one, amount: { value: "200.00", currency: "RUB" } };
      yookassa.shop.refund(shopId, body, { isPending: false });
    }
    yookassa.shop.find(other.reference).payment.status = "pending";
    expect((await check()).result).toEqual({ open: 1, refunds: 1 });
    expect((await check()).result).toEqual({ open: 1, refunds: 0 });
    expect(await db.manager.findOneByOrFail(Payment, { id })).toMatchObject({ state: "paid", refundedRub: 200 });
    await db.query("DELETE FROM received_events");
    expect((await check()).result).toMatchObject({ open: 1 });
    expect(await db.manager.findOneByOrFail(Payment, { id })).toMatchObject({ refundedRub: 200 });
  });

  test("asks no other provider than the one of the payment", async () => {
    await addCardPayment();
    expect((await check({ ...yookassa.provider(), name: "other" })).result).toEqual({ refunds: 0 });
    expect((await check()).result).toEqual({ open: 1, refunds: 0 });
  });

  test("goes on after a payment that the provider does not know, or that has kopecks", async () => {
    await addCardPayment(12, { providerReference: randomUUID() });
    const kopecks = await addCardPayment(11);
    const last = await addCardPayment(10);
    for (const { reference } of [kopecks, last]) yookassa.shop.decide(reference, "pay");
    yookassa.shop.find(kopecks.reference).payment.amount.value = "700.50";
    expect((await check()).result).toEqual({ unclear: 2, done: 1, refunds: 0 });
    expect([await stateOf(kopecks.id), await stateOf(last.id)]).toEqual(["pending", "authorized"]);
  });

  test.each(requestFaults.filter((fault) => fault !== "slow"))("is tried again after the fault %s", async (fault) => {
    const { id, reference } = await addCardPayment();
    yookassa.shop.decide(reference, "pay");
    yookassa.faults.plan("read", fault);
    await expect(check()).rejects.toThrow(UnavailableError);
    expect((await check()).result).toEqual({ done: 1, refunds: 0 });
    expect(await stateOf(id)).toBe("authorized");
  });
});
