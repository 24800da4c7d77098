import { randomUUID } from "node:crypto";
import { beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { notificationFaults, requestFaults } from "../../../../dev/yookassa/faults.ts";
import { call, useApi, userIds } from "../../../support/api.ts";
import { addOffer } from "../../../support/catalogue.ts";
import { addOrder } from "../../../support/orders.ts";
import { type ShopBody, send } from "../../../support/shop.ts";
import { otherShop, shopId, useYooKassa } from "../../../support/yookassa.ts";

const api = useApi({ relay: false });
const yookassa = useYooKassa();
const { user: userId } = userIds;
let offerId = "";

beforeAll(async () => {
  offerId = (await addOffer(api.db, { quantity: 1_000 })).id;
  yookassa.notifier.url = `${api.url}/webhooks/payments/yookassa`;
});

beforeEach(() => {
  api.context.cards = yookassa.provider({ patience: { startMs: 4_000, callMs: 500 } });
});

const pay = (orderId: string, headers: Record<string, string> = {}) =>
  send(api, "POST", `/orders/${orderId}/payments`, { method: "CARD" }, { token: api.tokens.user, headers });

async function cardPayment(priceRub = 700) {
  const { id: orderId } = await addOrder(api.db, { userId, lines: [{ offerId, priceRub }] });
  const { status, body: payment } = await pay(orderId);
  expect(status).toBe(201);
  return { orderId, payment };
}

/** A part of the order, so that a sum is open after it. */
const part = { method: "CARD", amount_rub: 250 };

const read = async (id: string): Promise<ShopBody> =>
  (await send(api, "GET", `/payments/${id}`, undefined, { token: api.tokens.user })).body;
const reaches = (id: string, state: string) => vi.waitFor(async () => expect((await read(id)).state).toBe(state));
const paidRubOf = async (orderId: string) => {
  const { body } = await send(api, "GET", `/orders/${orderId}/payments`, undefined, { token: api.tokens.user });
  const payments = body as unknown as { state: string; amount_rub: number }[];
  return payments.filter(({ state }) => state === "paid").reduce((sum, { amount_rub }) => sum + amount_rub, 0);
};
const chargedRubOf = (orderId: string) =>
  yookassa.data.payments
    .filter(({ payment }) => payment.metadata.order_id === orderId)
    .reduce((sum, { chargedKopecks }) => sum + chargedKopecks / 100, 0);
const tell = (event: string, id: string) =>
  call(`${api.url}/webhooks/payments/yookassa`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ type: "notification", event, object: { id, status: "succeeded", paid: true } }),
  });

/** What the customer does on the page of the emulator. */
async function decide({ checkout_url: url }: ShopBody, decision: "pay" | "decline") {
  const page = await fetch(String(url));
  expect([page.status, await page.text()]).toEqual([200, expect.stringContaining("700.00 RUB")]);
  return fetch(String(url), { method: "POST", body: new URLSearchParams({ decision }), redirect: "manual" });
}

describe("a payment by card at YooKassa", () => {
  test.each([
    ["pay", "paid", null],
    ["decline", "failed", "YooKassa: insufficient_funds"],
  ] as const)("on whose page the customer chooses to %s becomes %s", async (decision, state, failure) => {
    const { orderId, payment } = await cardPayment();
    expect(payment).toMatchObject({ provider: "yookassa", state: "pending" });
    const answer = await decide(payment, decision);
    expect([answer.status, answer.headers.get("location")]).toEqual([303, `https://shop.test/orders/${orderId}`]);
    await reaches(payment.id, state);
    expect((await read(payment.id)).failure).toBe(failure);
    expect(await paidRubOf(orderId)).toBe(chargedRubOf(orderId));
  });

  test("that is taken in two stages is authorized first", async () => {
    api.context.cards = yookassa.provider({ isTwoStage: true });
    const { orderId, payment } = await cardPayment();
    await decide(payment, "pay");
    await reaches(payment.id, "authorized");
    expect(chargedRubOf(orderId)).toBe(0);
    yookassa.shop.capture(shopId, String(payment.provider_reference), {});
    await reaches(payment.id, "paid");
    expect(chargedRubOf(orderId)).toBe(700);
  });

  test.each(requestFaults)("is prepared once with the fault %s", async (fault) => {
    yookassa.faults.plan("start", fault);
    const { orderId, payment } = await cardPayment();
    const made = yookassa.data.payments.filter(({ payment: { metadata } }) => metadata.order_id === orderId);
    expect(made.map(({ payment: { id } }) => id)).toEqual([payment.provider_reference]);
  });

  test("is refused for the moment when YooKassa does not answer, and leaves nothing behind", async () => {
    const { id } = await addOrder(api.db, { userId, lines: [{ offerId, priceRub: 700 }] });
    yookassa.faults.plan("start", ...Array(20).fill("cut-before"));
    const key = { "idempotency-key": randomUUID() };
    const { status, body } = await pay(id, key);
    expect([status, body.code]).toEqual([503, "unavailable"]);
    yookassa.faults.clear();
    expect((await pay(id, key)).body.amount_rub).toBe(700);
  });

  test("that the customer asks for again with the same Idempotency-Key is the same one", async () => {
    const { id } = await addOrder(api.db, { userId, lines: [{ offerId, priceRub: 700 }] });
    const key = { "idempotency-key": randomUUID() };
    const answers = [await pay(id, key), await pay(id, key)];
    expect(new Set(answers.map(({ body }) => body.provider_reference)).size).toBe(1);
  });

  test("that the customer asks for again while YooKassa does not answer is still answered", async () => {
    const { id } = await addOrder(api.db, { userId, lines: [{ offerId, priceRub: 700 }] });
    const key = { "idempotency-key": randomUUID() };
    const first = await send(api, "POST", `/orders/${id}/payments`, part, { token: api.tokens.user, headers: key });
    yookassa.faults.plan("start", ...Array(20).fill("cut-before"));
    const again = await send(api, "POST", `/orders/${id}/payments`, part, { token: api.tokens.user, headers: key });
    expect([again.status, again.body]).toEqual([201, first.body]);
  });

  test("has a receipt with the order's lines, or with one line when it is a part", async () => {
    api.context.cards = yookassa.provider({ receipts: { vatCode: 4 } });
    const lines = [
      { offerId, priceRub: 100, quantity: 3 },
      { offerId, priceRub: 400 },
    ];
    const { id } = await addOrder(api.db, { userId, lines });
    await pay(id);
    const other = await addOrder(api.db, { userId, lines });
    await send(api, "POST", `/orders/${other.id}/payments`, part, { token: api.tokens.user });
    const [whole, one] = Object.values(yookassa.data.answers)
      .slice(-2)
      .map(({ request }) => JSON.parse(request)[1].receipt.items);
    expect(whole).toMatchObject([
      { quantity: 3, amount: { value: "100.00" }, payment_mode: "full_prepayment" },
      { quantity: 1, amount: { value: "400.00" }, payment_mode: "full_prepayment" },
    ]);
    expect(one).toEqual([
      {
        ...{ description: "Оплата заказа", quantity: 1, amount: { value: "250.00", currency: "RUB" }, vat_code: 4 },
        ...{ payment_mode: "partial_prepayment", payment_subject: "payment" },
      },
    ]);
  });
});

describe("a notification of YooKassa", () => {
  test.each(notificationFaults.filter((fault) => fault !== "lost"))(
    "that is %s charges nothing twice",
    async (fault) => {
      const { orderId, payment } = await cardPayment();
      yookassa.faults.planNotifications(fault);
      await decide(payment, "pay");
      yookassa.notifier.release();
      await reaches(payment.id, "paid");
      await yookassa.notifier.settled();
      expect([await paidRubOf(orderId), chargedRubOf(orderId)]).toEqual([700, 700]);
    },
  );

  test("that is overtaken by the next one moves nothing back", async () => {
    api.context.cards = yookassa.provider({ isTwoStage: true });
    const { payment } = await cardPayment();
    yookassa.faults.planNotifications("held", "held");
    await decide(payment, "pay");
    yookassa.shop.capture(shopId, String(payment.provider_reference), {});
    yookassa.notifier.release();
    await yookassa.notifier.settled();
    expect((await read(payment.id)).state).toBe("paid");
  });

  test.each(requestFaults)("comes again when reading back fails with %s", async (fault) => {
    api.context.cards = yookassa.provider({ patience: { startMs: 800, callMs: 500 } });
    const { payment } = await cardPayment();
    yookassa.faults.plan("read", fault);
    await decide(payment, "pay");
    await reaches(payment.id, "paid");
  });

  test("that is forged has no effect", async () => {
    const { payment } = await cardPayment();
    for (const event of ["payment.succeeded", "payment.waiting_for_capture", "payment.canceled"]) {
      for (const id of [String(payment.provider_reference), randomUUID()]) {
        const { status, body } = await tell(event, id);
        expect([status, body.detail]).toEqual([401, "YooKassa does not confirm this notification"]);
      }
    }
    expect((await read(payment.id)).state).toBe("pending");
  });

  test("about a payment of another shop has no effect", async () => {
    const payment = { id: randomUUID(), orderId: randomUUID(), amountRub: 700 };
    const { reference } = await yookassa.provider(otherShop).start(payment);
    yookassa.faults.planNotifications("lost");
    yookassa.shop.decide(reference, "pay");
    expect((await tell("payment.succeeded", reference)).status).toBe(401);
  });

  test("is refused at the address of a provider that is not set up", async () => {
    const answer = await call(`${api.url}/webhooks/payments/test`, { method: "POST", body: "{}" });
    expect(answer.status).toBe(404);
  });
});
