import { beforeAll, describe, expect, test, vi } from "vitest";
import { requestFaults } from "../../dev/yookassa/faults.ts";
import { bookRules, findDisagreements } from "../../src/db/dao/payments/books.ts";
import { Payment } from "../../src/db/entities/payments/payment.ts";
import { Refund } from "../../src/db/entities/payments/refund.ts";
import { Job } from "../../src/engine/job-entity.ts";
import { useApi, userIds, useWorker } from "../support/api.ts";
import { addOffer } from "../support/catalogue.ts";
import { addOrder } from "../support/orders.ts";
import { send } from "../support/shop.ts";
import { shopId, useYooKassa } from "../support/yookassa.ts";

// What staff decides about card payments, done at the provider by jobs.

const api = useApi();
const yookassa = useYooKassa();
const impatient = { isTwoStage: true, patience: { startMs: 4_000, callMs: 500 } };
useWorker(api, { cards: () => yookassa.provider(impatient) });
let offerId = "";

beforeAll(async () => {
  offerId = (await addOffer(api.db, { quantity: 1_000 })).id;
  yookassa.notifier.url = `${api.url}/webhooks/payments/yookassa`;
  api.context.cards = yookassa.provider(impatient);
});

const asStaff = { token: "" };
beforeAll(() => {
  asStaff.token = api.tokens.employee;
});
const post = (path: string, body?: object) => send(api, "POST", path, body, asStaff);
const findPayment = (id: string) => api.db.manager.findOneByOrFail(Payment, { id });
const refundsOf = (paymentId: string) => api.db.manager.findBy(Refund, { paymentId });
const reaches = (id: string, expected: Partial<Payment>) =>
  vi.waitFor(async () => expect(await findPayment(id)).toMatchObject(expected));
const chargedRub = (reference: string) => yookassa.shop.find(reference).chargedKopecks / 100;
const jobsAreOver = (paymentId: string) => vi.waitFor(async () => expect(await unfinished(paymentId)).toEqual([]));

async function booksAgree() {
  for (const rule of bookRules)
    expect([rule.name, await findDisagreements(api.db.manager, rule)]).toEqual([rule.name, { count: 0, examples: [] }]);
}

/** A payment of 700 roubles that the customer has authorized. */
async function authorized() {
  const { id: orderId } = await addOrder(api.db, { userId: userIds.user, lines: [{ offerId, priceRub: 700 }] });
  const { body } = await send(
    api,
    "POST",
    `/orders/${orderId}/payments`,
    { method: "CARD" },
    { token: api.tokens.user },
  );
  const [id, reference] = [body.id, String(body.provider_reference)];
  yookassa.shop.decide(reference, "pay");
  await reaches(id, { state: "authorized" });
  return { id, orderId, reference };
}

async function paid() {
  const payment = await authorized();
  yookassa.shop.capture(shopId, payment.reference, {});
  await reaches(payment.id, { state: "paid" });
  return payment;
}

describe("a capture by staff", () => {
  test.each(["none", ...requestFaults.filter((fault) => fault !== "slow")])(
    "takes the money once with the fault %s",
    async (fault) => {
      const { id, reference } = await authorized();
      if (fault !== "none") yookassa.faults.plan("capture", fault as (typeof requestFaults)[number]);
      const answers = [await post(`/payments/${id}/capture`), await post(`/payments/${id}/capture`)];
      expect(answers[0]?.status).toBe(200);
      await promoted(id);
      await reaches(id, { state: "paid" });
      await yookassa.notifier.settled();
      expect(chargedRub(reference)).toBe(700);
      await booksAgree();
    },
  );

  test("is answered with a payment that is authorized until the provider has the money", async () => {
    const { id } = await authorized();
    yookassa.faults.plan("capture", "error-before");
    expect((await post(`/payments/${id}/capture`)).body.state).toBe("authorized");
    await promoted(id);
    await reaches(id, { state: "paid" });
  });
});

describe("a payment that is given up", () => {
  test("by staff is given up at the provider", async () => {
    const { id, reference } = await authorized();
    expect((await post(`/payments/${id}/fail`)).body.state).toBe("failed");
    await vi.waitFor(() => expect(yookassa.shop.find(reference).payment.status).toBe("canceled"));
    await jobsAreOver(id);
    expect([await findPayment(id), chargedRub(reference)]).toEqual([expect.objectContaining({ state: "failed" }), 0]);
    await booksAgree();
  });

  test("after the cabinet has captured it leaves the money on record", async () => {
    const { id, reference } = await authorized();
    yookassa.faults.planNotifications("lost");
    yookassa.shop.capture(shopId, reference, {});
    await post(`/payments/${id}/fail`);
    await reaches(id, { state: "paid" });
    expect(chargedRub(reference)).toBe(700);
    await booksAgree();
  });

  test("with its order is given up at the provider when staff asks for refunds", async () => {
    const { id, orderId, reference } = await authorized();
    const cancel = { status: "CANCELED", payments: "refund" };
    expect((await send(api, "PATCH", `/orders/${orderId}`, cancel, asStaff)).status).toBe(200);
    await vi.waitFor(() => expect(yookassa.shop.find(reference).payment.status).toBe("canceled"));
    await jobsAreOver(id);
    expect((await findPayment(id)).state).toBe("failed");
    await booksAgree();
  });
});

describe("a refund", () => {
  test.each(["none", ...requestFaults.filter((fault) => fault !== "slow")])(
    "is paid out once with the fault %s",
    async (fault) => {
      const { id, reference } = await paid();
      if (fault !== "none") yookassa.faults.plan("refund", fault as (typeof requestFaults)[number]);
      expect((await post(`/payments/${id}/refund`, { amount_rub: 300, reason: "One came back" })).status).toBe(200);
      await promoted(id);
      await reaches(id, { state: "paid", refundedRub: 300 });
      await post(`/payments/${id}/refund`);
      await reaches(id, { state: "refunded", refundedRub: 700 });
      await jobsAreOver(id);
      await yookassa.notifier.settled();
      expect(chargedRub(reference)).toBe(0);
      const rows = await refundsOf(id);
      expect(rows.map(({ state, amountRub }) => [state, amountRub]).sort()).toEqual([
        ["succeeded", 300],
        ["succeeded", 400],
      ]);
      const made = yookassa.data.refunds.filter(({ payment_id }) => payment_id === reference);
      expect(rows.map(({ providerReference }) => providerReference).sort()).toEqual(made.map((one) => one.id).sort());
      await booksAgree();
    },
  );

  test("of a canceled order is paid out at the provider", async () => {
    const { id, orderId, reference } = await paid();
    await send(api, "PATCH", `/orders/${orderId}`, { status: "CANCELED", payments: "refund" }, asStaff);
    await reaches(id, { state: "refunded" });
    expect(chargedRub(reference)).toBe(0);
    await booksAgree();
  });

  test("that the provider refuses leaves the money with the payment, and says why", async () => {
    const { id, reference } = await paid();
    // The cabinet has given it back, and its notification was lost.
    yookassa.faults.planNotifications("lost");
    const body = { payment_id: reference, amount: { value: "700.00", currency: "RUB" } };
    yookassa.shop.refund(shopId, body, { isPending: false });
    await post(`/payments/${id}/refund`);
    await vi.waitFor(async () => expect((await refundsOf(id))[0]?.state).toBe("failed"));
    expect((await refundsOf(id))[0]?.failure).toBe("YooKassa refuses the refund (400, invalid_request, amount)");
    expect(await findPayment(id)).toMatchObject({ state: "paid", refundedRub: 0 });
    await booksAgree();
  });

  test("while it is on its way is not promised to others as well", async () => {
    const { id } = await paid();
    yookassa.faults.plan("refund", "error-before");
    await post(`/payments/${id}/refund`, { amount_rub: 600 });
    const { status, body } = await post(`/payments/${id}/refund`, { amount_rub: 200 });
    expect([status, body.detail]).toEqual([
      409,
      `'200' roubles cannot be given back: '100' are left of payment '${id}'`,
    ]);
    await promoted(id);
    await reaches(id, { refundedRub: 600 });
  });

  test("that takes its time is booked once, when the provider says so", async () => {
    const { id, reference } = await paid();
    yookassa.faults.plan("refund", "pending");
    await post(`/payments/${id}/refund`);
    await vi.waitFor(async () => expect((await refundsOf(id))[0]?.providerReference).toBeTruthy());
    expect(await findPayment(id)).toMatchObject({ state: "paid", refundedRub: 0 });
    const [made] = yookassa.data.refunds.filter(({ payment_id }) => payment_id === reference);
    if (made) yookassa.shop.finish(made);
    await reaches(id, { state: "refunded" });
    await promoted(id);
    await jobsAreOver(id);
    await booksAgree();
  });

  test("of the provider's cabinet is put on record, once", async () => {
    const { id, reference } = await paid();
    yookassa.faults.planNotifications("doubled");
    const body = { payment_id: reference, amount: { value: "250.00", currency: "RUB" } };
    const { id: refundReference } = yookassa.shop.refund(shopId, body, { isPending: false });
    await reaches(id, { state: "paid", refundedRub: 250 });
    await yookassa.notifier.settled();
    expect(await refundsOf(id)).toMatchObject([
      { state: "succeeded", amountRub: 250, providerReference: refundReference, reason: "Made at the provider" },
    ]);
    await booksAgree();
  });

  test("that overtakes its payment waits for it", async () => {
    const { id, reference } = await authorized();
    yookassa.faults.planNotifications("held");
    yookassa.shop.capture(shopId, reference, {});
    const body = { payment_id: reference, amount: { value: "700.00", currency: "RUB" } };
    yookassa.shop.refund(shopId, body, { isPending: false });
    yookassa.notifier.release();
    await reaches(id, { state: "refunded" });
    await booksAgree();
  });

  test("keeps unmatched money from being assigned meanwhile", async () => {
    const { id, orderId } = await authorized();
    await send(api, "PATCH", `/orders/${orderId}`, { status: "CANCELED" }, asStaff);
    yookassa.shop.capture(shopId, (await findPayment(id)).providerReference ?? "", {});
    await reaches(id, { state: "unmatched" });
    yookassa.faults.plan("refund", "error-before");
    await post(`/payments/${id}/refund`);
    const { status, body } = await post(`/payments/${id}/assign`, { user_id: userIds.user });
    expect([status, body.detail]).toEqual([
      409,
      `Payment '${id}' is being given back; wait until its provider has done so`,
    ]);
    await promoted(id);
    await reaches(id, { state: "refunded" });
    await booksAgree();
  });
});

/** Has the jobs of a payment run now that wait after an outage of the provider, or for it, until they are over. */
async function promoted(paymentId: string) {
  await vi.waitFor(async () => {
    const mine = "SELECT id FROM job WHERE kind = 'settle-payment' AND entity_id = $1";
    await api.db.query(`UPDATE job_outbox SET run_at = now() WHERE run_at > now() AND job_id IN (${mine})`, [
      paymentId,
    ]);
    for (const job of await api.queues.byName.payments.getDelayed()) await job.promote().catch(() => {});
    expect(await unfinished(paymentId)).toEqual([]);
  });
}

async function unfinished(paymentId: string) {
  const jobs = await api.db.manager.findBy(Job, { kind: "settle-payment", entityId: paymentId });
  return jobs.filter(({ state }) => ["open", "running", "waiting"].includes(state));
}
