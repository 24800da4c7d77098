import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { requestFaults } from "../../../dev/yookassa/faults.ts";
import { Payment } from "../../../src/db/entities/payments/payment.ts";
import type { PayloadOf } from "../../../src/engine/index.ts";
import { PermanentError, UnavailableError } from "../../../src/errors.ts";
import { settlePayment } from "../../../src/jobs/settle-payment.ts";
import { createLogger } from "../../../src/platform/logger.ts";
import { CardRefusalError } from "../../../src/platform/payments/card-provider.ts";
import { testSettlement } from "../../../src/platform/payments/test-provider.ts";
import { changeOrder } from "../../../src/services/orders/orders.ts";
import { movePayment, receivePaymentEvent } from "../../../src/services/payments/payment-states.ts";
import { failRefund, receiveRefundEvent, refundPayment } from "../../../src/services/payments/refunds.ts";
import type { WorkerContext } from "../../../src/workers/context.ts";
import { settlePaymentProcessor } from "../../../src/workers/processors/settle-payment.ts";
import { addOffer } from "../../support/catalogue.ts";
import { useDatabase } from "../../support/database.ts";
import { brokenRules } from "../../support/invariants.ts";
import { startRun } from "../../support/job-run.ts";
import { addOrder, addPayment } from "../../support/orders.ts";
import { shopId, useYooKassa } from "../../support/yookassa.ts";

const db = useDatabase();
const yookassa = useYooKassa();
const log = createLogger("silent", "test");

/** A payment that the customer has authorized. */
async function addAuthorized() {
  const offer = await addOffer(db, { quantity: 10 });
  const { id: orderId } = await addOrder(db, { lines: [{ offerId: offer.id, priceRub: 700 }] });
  const id = randomUUID();
  const { reference } = await yookassa.provider({ isTwoStage: true }).start({ id, orderId, amountRub: 700 });
  const card = { id, orderId, amountRub: 700, method: "CARD", provider: "yookassa" } as const;
  await addPayment(db, { ...card, state: "authorized", providerReference: reference });
  yookassa.shop.decide(reference, "pay");
  return { id, orderId, reference };
}

/** A run of the job, which may be run again as after an outage. */
async function start(act: "capture" | "cancel", paymentId: string) {
  return startWith({ act, paymentId });
}

async function startWith(payload: PayloadOf<typeof settlePayment>) {
  const started = await startRun(db, settlePayment, payload);
  const run = { ...started.run, signal: AbortSignal.timeout(30_000) };
  const settle = (more: { cards?: WorkerContext["cards"]; signal?: AbortSignal } = {}) => {
    const { cards, signal } = { cards: yookassa.provider(), signal: run.signal, ...more };
    return settlePaymentProcessor.run({ ...run, signal }, { db, cards, log } as unknown as WorkerContext);
  };
  return { settle, find: started.find };
}

const stateOf = async (id: string) => (await db.manager.findOneByOrFail(Payment, { id })).state;
const atProvider = (reference: string) => {
  const { payment, chargedKopecks } = yookassa.shop.find(reference);
  return [payment.status, chargedKopecks / 100];
};

describe("settle-payment", () => {
  test.each([
    ["capture", "paid", ["succeeded", 700]],
    ["cancel", "failed", ["canceled", 0]],
  ] as const)("does a %s at the provider, and the payment is %s", async (act, state, charged) => {
    const { id, reference } = await addAuthorized();
    const { settle, find } = await start(act, id);
    await settle();
    expect([await stateOf(id), atProvider(reference)]).toEqual([state, charged]);
    expect(await find()).toMatchObject({ state: "succeeded", result: { state, outcome: "done" } });
  });

  const cases = (["capture", "cancel"] as const).flatMap((act) => requestFaults.map((fault) => [act, fault] as const));
  test.each(cases)("does a %s once with the fault %s", async (act, fault) => {
    const { id, reference } = await addAuthorized();
    const { settle } = await start(act, id);
    yookassa.faults.plan(act, fault);
    await expect(settle({ signal: AbortSignal.timeout(500) })).rejects.toThrow(UnavailableError);
    await settle();
    expect([await stateOf(id), ...atProvider(reference)]).toEqual(
      act === "capture" ? ["paid", "succeeded", 700] : ["failed", "canceled", 0],
    );
  });

  test("applies a capture once when its notification comes first", async () => {
    const { id, reference } = await addAuthorized();
    yookassa.shop.capture(shopId, reference, {});
    const { settle, find } = await start("capture", id);
    await settle();
    expect((await find()).result).toEqual({ state: "paid", outcome: "done" });
    const again = await start("cancel", id);
    await again.settle();
    expect((await again.find()).result).toEqual({ state: "paid", outcome: "repeated" });
    expect([await stateOf(id), ...atProvider(reference)]).toEqual(["paid", "succeeded", 700]);
  });

  test("lets a capture that comes too late end as the payment did", async () => {
    const { id, reference } = await addAuthorized();
    yookassa.shop.cancel(shopId, reference);
    const { settle } = await start("capture", id);
    await settle();
    expect(await db.manager.findOneByOrFail(Payment, { id })).toMatchObject({
      state: "failed",
      failure: "YooKassa: canceled_by_merchant",
    });
  });

  test.each(["by staff", "with its order"])("takes nothing when a payment was given up %s meanwhile", async (how) => {
    const { id, orderId, reference } = await addAuthorized();
    const { settle, find } = await start("capture", id);
    yookassa.faults.plan("capture", "error-before");
    await expect(settle()).rejects.toThrow(UnavailableError);
    await db.transaction((tx) =>
      how === "by staff"
        ? movePayment(tx, { id, from: ["authorized"], to: "failed" })
        : changeOrder(tx, { id: orderId, change: { status: "CANCELED" }, payments: "refund" }),
    );
    await settle();
    expect([(await find()).result, atProvider(reference)]).toEqual([
      { state: "failed", outcome: "ignored" },
      ["waiting_for_capture", 0],
    ]);
    await (await start("cancel", id)).settle();
    expect([await stateOf(id), atProvider(reference)]).toEqual(["failed", ["canceled", 0]]);
  });

  test("is tried again when staff asks for a capture that the provider has refused", async () => {
    const { id, reference } = await addAuthorized();
    const capture = () => db.transaction((tx) => movePayment(tx, { id, from: ["authorized"], to: "paid" }));
    await capture();
    await db.query("UPDATE job SET state = 'failed', finished_at = now() WHERE entity_id = $1", [id]);
    await capture();
    const jobs = await db.query("SELECT state FROM job WHERE entity_id = $1", [id]);
    expect(jobs).toEqual([{ state: "open" }]);
    await (await start("capture", id)).settle();
    expect([await stateOf(id), atProvider(reference)]).toEqual(["paid", ["succeeded", 700]]);
  });

  test("releases the money of a customer who authorizes a payment that was given up before", async () => {
    const { id, orderId, reference } = await addAuthorized();
    await db.query("UPDATE payments SET state = 'pending' WHERE id = $1", [id]);
    await db.transaction((tx) => changeOrder(tx, { id: orderId, change: { status: "CANCELED" } }));
    expect(await stateOf(id)).toBe("failed");
    const event = { id: randomUUID(), reference, state: "authorized" as const, amountRub: 700, failure: null };
    const { outcome } = await db.transaction((tx) => receivePaymentEvent(tx, { provider: "yookassa", event }));
    expect(outcome).toBe("ignored");
    const [job] = await db.query("SELECT payload, state FROM job WHERE entity_id = $1", [id]);
    expect(job).toEqual({ payload: { act: "cancel", paymentId: id }, state: "open" });
    await (await start("cancel", id)).settle();
    expect([await stateOf(id), atProvider(reference)]).toEqual(["failed", ["canceled", 0]]);
  });

  test("fails for good when the provider refuses, or when there is no such payment", async () => {
    const { id, reference } = await addAuthorized();
    yookassa.shop.find(reference).payment.status = "pending";
    const refused = await start("capture", id);
    await expect(refused.settle()).rejects.toThrow(CardRefusalError);
    const unknown = await start("capture", randomUUID());
    await expect(unknown.settle()).rejects.toThrow(PermanentError);
  });

  test.each([undefined, testSettlement])("waits where the payment's provider is not set up", async (cards) => {
    const { id } = await addAuthorized();
    const { settle } = await start("capture", id);
    await expect(settle({ cards })).rejects.toThrow("set PAYMENT_PROVIDER to it");
    await expect(settle({ cards })).rejects.toThrow(UnavailableError);
    await settle();
    expect(await stateOf(id)).toBe("paid");
  });

  /** A refund of a payment that was taken, before the provider knows of it. */
  async function addRefund(amountRub: number) {
    const { id: paymentId, reference } = await addAuthorized();
    yookassa.shop.capture(shopId, reference, {});
    await (await start("capture", paymentId)).settle();
    const refundId = await db.transaction((tx) => refundPayment(tx, { paymentId, amountRub, createdBy: null }));
    await db.query("DELETE FROM job WHERE kind = 'settle-payment'");
    return { paymentId, refundId, reference, run: () => startWith({ act: "refund", paymentId, refundId }) };
  }

  test("pays out a refund once, whatever is tried again", async () => {
    const { paymentId, refundId, reference, run } = await addRefund(300);
    yookassa.faults.plan("refund", "cut-after");
    const first = await run();
    await expect(first.settle()).rejects.toThrow(UnavailableError);
    yookassa.forgetKeys();
    await first.settle();
    expect((await first.find()).result).toEqual({ state: "succeeded" });
    expect(atProvider(reference)).toEqual(["succeeded", 400]);
    expect(await db.manager.findOneByOrFail(Payment, { id: paymentId })).toMatchObject({ refundedRub: 300 });
    await db.query("DELETE FROM job WHERE kind = 'settle-payment'");
    const again = await run();
    await again.settle();
    expect([(await again.find()).result, atProvider(reference)]).toEqual([{ state: "succeeded" }, ["succeeded", 400]]);
    const [row] = await db.query("SELECT state, provider_reference FROM refunds WHERE id = $1", [refundId]);
    expect(row).toEqual({ state: "succeeded", provider_reference: expect.any(String) });
  });

  test("sends a receipt with a refund of a part, and leaves that of a whole one to the provider", async () => {
    const cards = yookassa.provider({ receipts: { vatCode: 4 } });
    for (const amountRub of [300, 700]) await (await (await addRefund(amountRub)).run()).settle({ cards });
    const [part, whole] = Object.values(yookassa.data.answers)
      .map(({ request }) => JSON.parse(request))
      .filter(([path]) => path.at(-1) === "refunds")
      .slice(-2);
    expect(part?.[1].receipt.items).toMatchObject([{ description: "Возврат", amount: { value: "300.00" } }]);
    expect(whole?.[1].receipt).toBeUndefined();
  });

  test("leaves the last word about a refund to the provider, which has paid out one that had failed here", async () => {
    const { paymentId, refundId, reference } = await addRefund(300);
    await db.transaction((tx) => failRefund(tx, refundId, "Refused"));
    const paidOut = { reference, refundReference: randomUUID(), amountRub: 300 };
    const report = (event: object) => {
      const reported = { ...paidOut, ...event, id: randomUUID(), key: refundId };
      return db.transaction((tx) => receiveRefundEvent(tx, { provider: "yookassa", event: reported }));
    };
    await report({});
    await report({});
    expect(await db.manager.findOneByOrFail(Payment, { id: paymentId })).toMatchObject({ refundedRub: 300 });
    expect(await brokenRules(db)).toEqual({});
  });

  test("books no refund that comes to more than is left of its payment", async () => {
    const { paymentId, refundId, reference } = await addRefund(300);
    await db.transaction((tx) => failRefund(tx, refundId, "Refused"));
    const event = { id: randomUUID(), reference, refundReference: randomUUID(), key: null, amountRub: 500 };
    const report = (more: object) =>
      db.transaction((tx) => receiveRefundEvent(tx, { provider: "yookassa", event: { ...event, ...more } }));
    await report({});
    await expect(report({ id: randomUUID(), refundReference: randomUUID(), key: refundId })).rejects.toThrow(
      `'300' roubles were paid out at the provider, and '200' are left of payment '${paymentId}'`,
    );
  });

  test("fails for good for a refund that is not known", async () => {
    const { id: paymentId } = await addAuthorized();
    const { settle } = await startWith({ act: "refund", paymentId, refundId: randomUUID() });
    await expect(settle()).rejects.toThrow(PermanentError);
  });
});
