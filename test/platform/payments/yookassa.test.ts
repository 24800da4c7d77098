import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { type RequestFault, requestFaults } from "../../../dev/yookassa/faults.ts";
import { UnauthorizedError, UnavailableError } from "../../../src/errors.ts";
import { CardRefusalError } from "../../../src/platform/payments/card-provider.ts";
import { readShop } from "../../../src/platform/payments/yookassa.ts";
import { otherShop, shopId, useYooKassa } from "../../support/yookassa.ts";

const yookassa = useYooKassa();
const receipts = { vatCode: 4, taxSystem: 2 };
const never = new AbortController().signal;

const newPayment = (amountRub = 1_000) => ({ id: randomUUID(), orderId: randomUUID(), amountRub });
/** The payments that the provider has for one of ours. */
const paymentsOf = ({ id }: { id: string }) =>
  yookassa.data.payments.filter(({ payment }) => payment.metadata.payment_id === id);
const recordOf = (reference: string) => yookassa.shop.find(reference);
const chargedRub = (reference: string) => recordOf(reference).chargedKopecks / 100;
const notification = (event: string, id: string, more: object = {}) =>
  Buffer.from(JSON.stringify({ type: "notification", event, object: { id, ...more } }));

async function paid(amountRub = 1_000) {
  const payment = newPayment(amountRub);
  const { reference } = await yookassa.provider().start(payment);
  yookassa.shop.decide(reference, "pay");
  return { payment, reference };
}

async function authorized(amountRub = 1_000) {
  const payment = newPayment(amountRub);
  const { reference } = await yookassa.provider({ isTwoStage: true }).start(payment);
  yookassa.shop.decide(reference, "pay");
  return { payment, reference };
}

/** Calls until the result is known, as a job does. */
async function insist<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
    }
  }
}

describe("a start", () => {
  test("tells the provider the amount, the order and where the customer comes back to", async () => {
    const payment = newPayment(1_234);
    const { reference, checkoutUrl } = await yookassa.provider().start(payment);
    expect(checkoutUrl).toBe(`${yookassa.apiUrl.replace("/v3", "")}/checkout/${reference}`);
    expect(recordOf(reference)).toMatchObject({
      capture: true,
      payment: {
        amount: { value: "1234.00", currency: "RUB" },
        confirmation: { return_url: `https://shop.test/orders/${payment.orderId}` },
        metadata: { payment_id: payment.id, order_id: payment.orderId },
      },
    });
  });

  test.each(requestFaults)("with the fault %s makes one payment, and answers with it", async (fault) => {
    const payment = newPayment();
    const provider = yookassa.provider({ patience: { startMs: 8_000, callMs: 500 } });
    yookassa.faults.plan("start", fault, fault);
    const { reference } = await provider.start(payment);
    expect(paymentsOf(payment).map(({ payment: { id } }) => id)).toEqual([reference]);
  });

  test("whose result stays unknown gives up before the provider has recovered, and finds the same payment later", async () => {
    const payment = newPayment();
    const faults: RequestFault[] = Array(20).fill("error-after");
    yookassa.faults.plan("start", ...faults);
    const provider = yookassa.provider();
    await expect(provider.start(payment)).rejects.toThrow(UnavailableError);
    yookassa.faults.clear();
    const { reference } = await provider.start(payment);
    expect(paymentsOf(payment).map(({ payment: { id } }) => id)).toEqual([reference]);
  });

  test("is not answered with the payment of another amount", async () => {
    const payment = newPayment();
    await yookassa.provider().start(payment);
    const refused = yookassa.provider().start({ ...payment, amountRub: 7 });
    await expect(refused).rejects.toThrow("YooKassa refuses the payment (400, invalid_request, Idempotence-Key)");
    await expect(refused).rejects.toThrow(CardRefusalError);
  });

  test("with a key that is not the shop's says so, without the key", async () => {
    const secretKey = "test_wrong-wrong-wrong";
    const refused = yookassa.provider({ secretKey }).start(newPayment());
    await expect(refused).rejects.toThrow(/refuses the shop's key .*check YOOKASSA_SHOP_ID and YOOKASSA_SECRET_KEY/);
    await expect(refused).rejects.toThrow(UnavailableError);
    await expect(refused).rejects.not.toThrow(secretKey);
  });

  test("where nothing listens says so in time", async () => {
    const refused = yookassa.provider({ url: "http://127.0.0.1:9/v3" }).start(newPayment());
    await expect(refused).rejects.toThrow(UnavailableError);
  });

  test("sends a receipt where receipts are made, and none elsewhere", async () => {
    const lines = [
      { name: "Ford 1 234 567", quantity: 2, priceRub: 400, kind: "goods" as const },
      { name: "я".repeat(200), quantity: 1, priceRub: 200, kind: "goods" as const },
    ];
    const receipt = { email: "anna@mail.test", lines };
    await yookassa.provider({ receipts }).start({ ...newPayment(), receipt });
    await yookassa.provider().start({ ...newPayment(), receipt });
    const [first, second] = Object.values(yookassa.data.answers)
      .slice(-2)
      .map(({ request }) => JSON.parse(request)[1].receipt);
    expect(second).toBeUndefined();
    expect(first).toEqual({
      customer: { email: "anna@mail.test" },
      tax_system_code: 2,
      items: [
        {
          ...{ description: "Ford 1 234 567", quantity: 2, amount: { value: "400.00", currency: "RUB" }, vat_code: 4 },
          ...{ payment_mode: "full_prepayment", payment_subject: "commodity" },
        },
        {
          ...{ description: "я".repeat(128), quantity: 1, amount: { value: "200.00", currency: "RUB" }, vat_code: 4 },
          ...{ payment_mode: "full_prepayment", payment_subject: "commodity" },
        },
      ],
    });
  });

  test("refuses a receipt whose lines are not the amount, and one that is missing", async () => {
    const lines = [{ name: "Ford", quantity: 1, priceRub: 999, kind: "goods" as const }];
    const provider = yookassa.provider({ receipts });
    await expect(provider.start({ ...newPayment(), receipt: { email: "a@mail.test", lines } })).rejects.toThrow(
      "'999'",
    );
    await expect(provider.start(newPayment())).rejects.toThrow("this payment has none");
  });
});

describe("a notification", () => {
  const verify = (bytes: Buffer) => yookassa.provider().verify(bytes, {});

  test.each([
    ["waiting_for_capture", authorized, { state: "authorized", failure: null }],
    ["succeeded", paid, { state: "paid", failure: null }],
  ] as const)("payment.%s is an event when the provider repeats it", async (state, make, expected) => {
    const { reference } = await make();
    const event = await verify(notification(`payment.${state}`, reference));
    expect(event).toEqual({ kind: "payment", id: `${reference}:${state}`, reference, amountRub: 1_000, ...expected });
    expect(await verify(notification(`payment.${state}`, reference, { status: "whatever" }))).toEqual(event);
  });

  test("payment.canceled says why", async () => {
    const { reference } = await yookassa.provider().start(newPayment());
    yookassa.shop.decide(reference, "decline");
    const event = await verify(notification("payment.canceled", reference));
    expect(event).toMatchObject({ state: "failed", failure: "YooKassa: insufficient_funds", amountRub: 1_000 });
  });

  test("that is late has the newest state", async () => {
    const { reference } = await authorized();
    await yookassa.provider().capture({ reference, amountRub: 1_000, key: randomUUID(), signal: never });
    expect(await verify(notification("payment.waiting_for_capture", reference))).toMatchObject({
      id: `${reference}:succeeded`,
      state: "paid",
    });
  });

  test("refund.succeeded is an event with the key of the refund, and without one from the cabinet", async () => {
    const { reference } = await paid();
    const key = randomUUID();
    const request = { reference, amountRub: 300, key, description: "Brake pads came back", signal: never };
    const { refundReference } = await yookassa.provider().refund(request);
    const event = { kind: "refund", reference, amountRub: 300 };
    expect(await verify(notification("refund.succeeded", refundReference))).toEqual({
      ...event,
      ...{ id: `${refundReference}:succeeded`, refundReference, key },
    });
    const body = { payment_id: reference, amount: { value: "300.00", currency: "RUB" } };
    const { id } = yookassa.shop.refund(shopId, body, { isPending: false });
    expect(await verify(notification("refund.succeeded", id))).toMatchObject({ ...event, key: null });
  });

  test("of another kind is of no interest, and is not asked about", async () => {
    for (const event of ["payout.succeeded", "payment.deleted", "payment.__proto__", "deal.closed", "payment"])
      expect(await verify(notification(event, randomUUID()))).toBeUndefined();
  });

  test.each(["", "{", "[]", "5", '{"event":"payment.succeeded"}', '{"event":5,"object":{"id":"12345678"}}'])(
    "that makes no sense is refused: %s",
    async (text) => {
      await expect(verify(Buffer.from(text))).rejects.toThrow("Invalid payload structure");
    },
  );

  test.each(["../me", "a/b/c/d/e", "x?y=12345", "", "%2e%2e%2fme", "1".repeat(65)])(
    "does not lead to another address of the API: %s",
    async (id) => {
      await expect(verify(notification("payment.succeeded", id))).rejects.toThrow("Invalid payload structure");
    },
  );

  test.each(["waiting_for_capture", "succeeded", "canceled"])(
    "payment.%s that is forged is refused, whatever it says",
    async (state) => {
      const { reference } = await yookassa.provider().start(newPayment());
      const forged = { status: state, paid: true, amount: { value: "1000.00", currency: "RUB" } };
      for (const id of [reference, randomUUID()])
        await expect(verify(notification(`payment.${state}`, id, forged))).rejects.toThrow(UnauthorizedError);
    },
  );

  test("about a payment or refund of another shop is refused", async () => {
    const other = yookassa.provider(otherShop);
    const { reference } = await other.start(newPayment());
    yookassa.shop.decide(reference, "pay");
    const request = { reference, amountRub: 1, key: "other", description: "", signal: never };
    const { refundReference } = await other.refund(request);
    const told = [notification("payment.succeeded", reference), notification("refund.succeeded", refundReference)];
    for (const bytes of told) await expect(verify(bytes)).rejects.toThrow(UnauthorizedError);
  });

  test.each(requestFaults)("with the fault %s on reading back is refused for the moment only", async (fault) => {
    const { reference } = await paid();
    const provider = yookassa.provider({ patience: { startMs: 1_000, callMs: 500 } });
    yookassa.faults.plan("read", fault);
    const bytes = notification("payment.succeeded", reference);
    await expect(provider.verify(bytes, {})).rejects.toThrow(UnavailableError);
    expect(await provider.verify(bytes, {})).toMatchObject({ state: "paid" });
  });

  test.each([
    ["1000.50", "RUB"],
    ["1000.00", "USD"],
  ])("about an amount of %s %s is refused with a sentence and never rounded", async (value, currency) => {
    const { reference } = await paid();
    recordOf(reference).payment.amount = { value, currency };
    await expect(verify(notification("payment.succeeded", reference))).rejects.toThrow(
      `'${value}' '${currency}' is not in whole roubles`,
    );
  });
});

describe("what a job does", () => {
  const acts = {
    capture: {
      make: authorized,
      act: (reference: string, key: string) =>
        yookassa.provider().capture({ reference, amountRub: 1_000, key, signal: AbortSignal.timeout(700) }),
      check(reference: string) {
        expect([recordOf(reference).payment.status, chargedRub(reference)]).toEqual(["succeeded", 1_000]);
      },
    },
    cancel: {
      make: authorized,
      act: (reference: string, key: string) =>
        yookassa.provider().cancel({ reference, key, signal: AbortSignal.timeout(700) }),
      check(reference: string) {
        expect([recordOf(reference).payment.status, chargedRub(reference)]).toEqual(["canceled", 0]);
      },
    },
    refund: {
      make: paid,
      act: (reference: string, key: string) =>
        yookassa.provider().refund({
          ...{ reference, amountRub: 400, key, description: "Came back", signal: AbortSignal.timeout(700) },
        }),
      check(reference: string) {
        const made = yookassa.data.refunds.filter(({ payment_id }) => payment_id === reference);
        expect([made.length, chargedRub(reference)]).toEqual([1, 600]);
      },
    },
  } as const;
  type Act = keyof typeof acts;
  const cases = (Object.keys(acts) as Act[]).flatMap((act) => requestFaults.map((fault) => [act, fault] as const));

  test.each(cases)("%s with the fault %s takes effect once", async (name, fault) => {
    const { make, act, check } = acts[name];
    const { reference } = await make();
    const key = randomUUID();
    yookassa.faults.plan(name, fault, fault);
    await insist<unknown>(() => act(reference, key));
    check(reference);
  });

  test.each(Object.keys(acts) as Act[])("%s takes effect once when its key is forgotten", async (name) => {
    const { make, act, check } = acts[name];
    const { reference } = await make();
    const key = randomUUID();
    yookassa.faults.plan(name, "cut-after");
    await expect(act(reference, key)).rejects.toThrow(UnavailableError);
    yookassa.forgetKeys();
    await act(reference, key);
    await act(reference, key);
    check(reference);
  });

  test.each(Object.keys(acts) as Act[])("%s of a payment of another shop is refused", async (name) => {
    const { reference } = await yookassa.provider(otherShop).start(newPayment());
    await expect(acts[name].act(reference, randomUUID())).rejects.toThrow(/YooKassa (refuses|knows nothing)/);
  });

  test("two refunds of one amount are two, and one that is too large is refused", async () => {
    const { reference } = await paid();
    const refund = (key: string, amountRub: number) =>
      yookassa.provider().refund({ reference, amountRub, key, description: "", signal: never });
    const [first, second] = [await refund("first", 400), await refund("second", 400)];
    expect(first.refundReference).not.toBe(second.refundReference);
    expect(chargedRub(reference)).toBe(200);
    await expect(refund("third", 201)).rejects.toThrow(CardRefusalError);
    expect(chargedRub(reference)).toBe(200);
  });

  test("a refund that takes its time is the same one when it is asked for again", async () => {
    const { reference } = await paid();
    const refund = () =>
      yookassa.provider().refund({ reference, amountRub: 100, key: "slow", description: "", signal: never });
    yookassa.faults.plan("refund", "pending");
    const pending = await refund();
    expect(pending.state).toBe("pending");
    expect(await refund()).toEqual(pending);
    yookassa.shop.finish(yookassa.shop.findRefund(shopId, pending.refundReference));
    expect(await refund()).toEqual({ ...pending, state: "succeeded" });
    expect(chargedRub(reference)).toBe(900);
  });

  test("a refund that the provider gives up is refused", async () => {
    const { reference } = await paid();
    const refund = () =>
      yookassa.provider().refund({ reference, amountRub: 100, key: "given-up", description: "", signal: never });
    yookassa.faults.plan("refund", "pending");
    const { refundReference } = await refund();
    Object.assign(yookassa.shop.findRefund(shopId, refundReference), {
      status: "canceled",
      cancellation_details: { party: "payment_network", reason: "insufficient_funds" },
    });
    await expect(refund()).rejects.toThrow("YooKassa refuses the refund: insufficient_funds");
  });

  test("a capture of a canceled payment and a cancel of a captured one tell what became of it", async () => {
    const [first, second] = [await authorized(), await authorized()];
    yookassa.shop.cancel(shopId, first.reference);
    yookassa.shop.capture(shopId, second.reference, {});
    expect(await acts.capture.act(first.reference, "a")).toMatchObject({
      ...{ id: `${first.reference}:canceled`, state: "failed", failure: "YooKassa: canceled_by_merchant" },
    });
    expect(await acts.cancel.act(second.reference, "b")).toMatchObject({
      ...{ id: `${second.reference}:succeeded`, state: "paid", amountRub: 1_000, failure: null },
    });
  });

  test("a capture of a payment of which the cabinet has taken a part tells that part", async () => {
    const { reference } = await authorized();
    yookassa.shop.capture(shopId, reference, { amount: { value: "900.00", currency: "RUB" } });
    expect(await acts.capture.act(reference, "c")).toMatchObject({ state: "paid", amountRub: 900 });
  });

  test.each(["capture", "cancel"] as const)("a %s of a payment that is not paid is refused", async (act) => {
    const { reference } = await yookassa.provider().start(newPayment());
    await expect(acts[act].act(reference, "d")).rejects.toThrow(
      `YooKassa refuses the ${act}: the payment is 'pending'`,
    );
    await expect(acts[act].act(reference, "d")).rejects.toThrow(CardRefusalError);
  });

  test("reading tells nothing of an undecided payment, and the event of a notification of others", async () => {
    const provider = yookassa.provider();
    const { reference } = await provider.start(newPayment());
    expect(await provider.read({ reference, signal: never })).toBeUndefined();
    yookassa.shop.decide(reference, "pay");
    const told = await provider.verify(notification("payment.succeeded", reference), {});
    expect(await provider.read({ reference, signal: never })).toEqual(told);
  });
});

test("the shop of a key can be read", async () => {
  const account = { url: yookassa.apiUrl, ...otherShop };
  expect(await readShop(account, never)).toEqual({ shopId: otherShop.shopId, isTest: true, isEnabled: true });
});
