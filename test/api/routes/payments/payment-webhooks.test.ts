import { randomUUID } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { beforeAll, describe, expect, test } from "vitest";
import { User } from "../../../../src/db/entities/accounts/user.ts";
import { call, paymentSecret, useApi, userIds } from "../../../support/api.ts";
import { addOffer } from "../../../support/catalogue.ts";
import { deliver } from "../../../support/deliveries.ts";
import { addOrder } from "../../../support/orders.ts";
import { type ShopBody, send } from "../../../support/shop.ts";

const api = useApi({ relay: false });
const { user: userId } = userIds;
let offerId = "";

beforeAll(async () => {
  offerId = (await addOffer(api.db, { quantity: 1_000 })).id;
});

interface Signing {
  id?: string;
  at?: Date;
  secret?: string;
  /** What is sent instead of what was signed. */
  sent?: string | Buffer;
  headers?: Record<string, string>;
  provider?: string;
}

interface Event {
  type: string;
  data?: unknown;
  [key: string]: unknown;
}

/** Sends a webhook as the provider does, unless the options spoil it. */
function deliverEvent(event: Event | string, options: Signing = {}) {
  const { id = `evt_${randomUUID()}`, at = new Date(), secret = paymentSecret, provider = "test" } = options;
  const text = typeof event === "string" ? event : JSON.stringify(event);
  const headers = {
    "content-type": "application/json",
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(at.getTime() / 1_000)),
    "webhook-signature": new Webhook(secret).sign(id, at, text),
    ...options.headers,
  };
  const body = options.sent ?? text;
  return call(`${api.url}/webhooks/payments/${provider}`, {
    method: "POST",
    headers,
    body: typeof body === "string" ? body : new Uint8Array(body),
  });
}

async function cardPayment(totalRub = 700) {
  const { id: orderId } = await addOrder(api.db, { userId, lines: [{ offerId, priceRub: totalRub }] });
  const answer = await send(api, "POST", `/orders/${orderId}/payments`, { method: "CARD" }, { token: api.tokens.user });
  const payment = answer.body;
  const about = (type: string, more: object = {}) => ({
    type: `payment.${type}`,
    timestamp: new Date().toISOString(),
    data: { reference: payment.provider_reference, amount_rub: totalRub, ...more },
  });
  return { orderId, payment, about };
}

const read = async (id: string): Promise<ShopBody> =>
  (await send(api, "GET", `/payments/${id}`, undefined, { token: api.tokens.user })).body;
const stateOf = async (id: string) => (await read(id)).state;
const ago = (seconds: number) => new Date(Date.now() - seconds * 1_000);

describe("a payment by card", () => {
  test("is answered with the page of the provider on which it is paid", async () => {
    const { payment } = await cardPayment();
    expect(payment).toMatchObject({ method: "CARD", state: "pending", provider: "test", paid_at: null });
    expect(payment.provider_reference).toMatch(/^test_[\w-]{36}$/);
    expect(payment.checkout_url).toBe(`https://api.test/payments/test-provider/${payment.provider_reference}`);
  });

  test("is refused when others have paid while the provider was told of it, and never becomes another amount", async () => {
    const { id } = await addOrder(api.db, { userId, lines: [{ offerId, priceRub: 700 }] });
    const { cards } = api.context;
    if (!cards) throw new Error("The tests have a provider");
    const pay = (body: object) => send(api, "POST", `/orders/${id}/payments`, body, { token: api.tokens.user });
    api.context.cards = {
      ...cards,
      async start(payment) {
        await pay({ method: "CASH", amount_rub: 200 });
        return cards.start(payment);
      },
    };
    const refused = await pay({ method: "CARD" });
    api.context.cards = cards;
    expect([refused.status, refused.body.detail]).toEqual([
      409,
      `'700' roubles are more than the '500' that are left to be paid for order '${id}'; '200' are promised by payments that are pending or authorized: wait for them, or have staff fail them`,
    ]);
    expect((await pay({ method: "CARD" })).body.amount_rub).toBe(500);
  });

  test("is refused where cards are not set up", async () => {
    const { id } = await addOrder(api.db, { userId, lines: [{ offerId }] });
    const { cards } = api.context;
    api.context.cards = undefined;
    const answers = [
      await send(api, "POST", `/orders/${id}/payments`, { method: "CARD" }, { token: api.tokens.user }),
      await deliverEvent({ type: "payment.paid" }),
      await call(`${api.url}/payments/test-provider/x`),
    ];
    api.context.cards = cards;
    expect(answers.map(({ status, body }) => [status, body.detail])).toEqual([
      [409, "Payment by 'CARD' is not set up here; choose another method"],
      [404, "Not Found"],
      [404, "Not Found"],
    ]);
  });
});

describe("a webhook of the provider", () => {
  test.each([
    ["paid", "paid", null],
    ["authorized", "authorized", null],
    ["failed", "failed", "No money"],
  ])("makes a payment %s", async (type, state, failure) => {
    const { payment, about } = await cardPayment();
    const { status, body } = await deliverEvent(about(type, { reason: "No money" }));
    expect([status, body]).toEqual([200, { message: "Payment updated" }]);
    expect(await read(payment.id)).toMatchObject({ state, failure, checkout_url: null });
    expect((await read(payment.id)).paid_at === null).toBe(state !== "paid");
  });

  describe("is refused with 401 and without effect", () => {
    const cases: [string, (text: string) => Signing][] = [
      ["when it is signed with another secret", () => ({ secret: "whsec_c29tZWJvZHktZWxzZXMtc2VjcmV0LTAxMjM0NTY=" })],
      ["when it is older than 5 minutes", () => ({ at: ago(301) })],
      ["when it comes from the future", () => ({ at: ago(-330) })],
      ["when its body was altered", (text) => ({ sent: text.replace("700", "701") })],
      ["when its body was altered by a byte that is no text", (text) => ({ sent: withBrokenByte(text) })],
      [
        "when its time was altered",
        () => ({ headers: { "webhook-timestamp": String(Math.floor(Date.now() / 1_000) - 7) } }),
      ],
      ["when its id was altered", () => ({ headers: { "webhook-id": "evt_other" } })],
      ["without a signature", () => ({ headers: { "webhook-signature": "" } })],
      ["with half a signature", () => ({ headers: { "webhook-signature": "v1," } })],
      ["with a signature of another kind", () => ({ headers: { "webhook-signature": "v1a,abc v2,def" } })],
      ["without an id", () => ({ headers: { "webhook-id": "" } })],
      ["without a time", () => ({ headers: { "webhook-timestamp": "soon" } })],
    ];
    test.each(cases)("%s", async (_how, spoil) => {
      const { payment, about } = await cardPayment();
      const event = about("paid", { reason: "\ufffd" });
      const answer = await deliverEvent(event, spoil(JSON.stringify(event)));
      expect([answer.status, answer.body.detail]).toEqual([401, "Invalid webhook signature"]);
      expect(answer.headers.get("www-authenticate")).toBe("Webhook");
      expect(await stateOf(payment.id)).toBe("pending");
    });
  });

  test("is good for 5 minutes, and among several signatures", async () => {
    const late = await cardPayment();
    expect((await deliverEvent(late.about("paid"), { at: ago(290) })).status).toBe(200);
    const rotated = await cardPayment();
    const [id, at, text] = [`evt_${randomUUID()}`, new Date(), JSON.stringify(rotated.about("paid"))];
    const signature = new Webhook(paymentSecret).sign(id, at, text);
    const headers = { "webhook-signature": `v1,bm90IHRoaXMgb25l ${signature}` };
    expect((await deliverEvent(text, { id, at, headers })).status).toBe(200);
  });

  test("that comes again has no effect, also under a new time, or with other words", async () => {
    const { payment, about } = await cardPayment();
    const id = `evt_${randomUUID()}`;
    await deliverEvent(about("authorized"), { id });
    const again = [
      await deliverEvent(about("authorized"), { id }),
      await deliverEvent(about("authorized"), { id, at: ago(60) }),
      await deliverEvent(about("paid"), { id }),
    ];
    for (const { status, body } of again) expect([status, body]).toEqual([200, { message: "Event received already" }]);
    expect(await stateOf(payment.id)).toBe("authorized");
  });

  test("counts once when it comes many times at once", async () => {
    const { orderId, payment, about } = await cardPayment();
    await deliver(api, { orderId });
    const id = `evt_${randomUUID()}`;
    const answers = await Promise.all(Array.from({ length: 10 }, () => deliverEvent(about("paid"), { id })));
    const messages = answers.map(({ body }) => body.message);
    expect(messages.filter((message) => message === "Payment updated")).toHaveLength(1);
    expect(messages.filter((message) => message === "Event received already")).toHaveLength(9);
    const entries = await api.db.query("SELECT delta::int FROM user_balance_history WHERE payment_id = $1", [
      payment.id,
    ]);
    expect(entries).toEqual([{ delta: 700 }]);
  });

  test.each([
    [["paid", "authorized"], "paid"],
    [["paid", "failed"], "paid"],
    [["failed", "authorized"], "failed"],
    [["failed", "paid"], "paid"],
    [["authorized", "paid", "authorized", "failed"], "paid"],
    [["authorized", "failed", "paid"], "paid"],
    [["paid", "paid"], "paid"],
  ])("that is overtaken by others moves nothing back: %j", async (types, state) => {
    const { payment, about } = await cardPayment();
    for (const type of types) expect((await deliverEvent(about(type))).status).toBe(200);
    expect(await stateOf(payment.id)).toBe(state);
  });

  test("moves nothing that was refunded", async () => {
    const { payment, about } = await cardPayment();
    await deliverEvent(about("paid"));
    await send(api, "POST", `/payments/${payment.id}/refund`, undefined, { token: api.tokens.employee });
    expect((await deliverEvent(about("paid"))).body.message).toBe("The payment is past that state");
    expect(await stateOf(payment.id)).toBe("refunded");
  });

  test("lets staff capture what was authorized", async () => {
    const { payment, about } = await cardPayment();
    await deliverEvent(about("authorized"));
    const { body } = await send(api, "POST", `/payments/${payment.id}/capture`, undefined, {
      token: api.tokens.employee,
    });
    expect(body.state).toBe("paid");
  });

  test("raises the balance when the goods have left", async () => {
    await api.db.manager.update(User, { id: userId }, { balanceRub: 0 });
    const { orderId, about } = await cardPayment();
    await deliver(api, { orderId });
    await deliverEvent(about("paid"));
    expect((await api.db.manager.findOneByOrFail(User, { id: userId })).balanceRub).toBe(0);
  });

  test("about a payment that is not known yet is refused, so that it comes again", async () => {
    const { payment, about } = await cardPayment();
    const event = about("paid");
    const id = `evt_${randomUUID()}`;
    const unknown = await deliverEvent({ ...event, data: { ...event.data, reference: "test_other" } }, { id });
    expect([unknown.status, unknown.body.detail]).toEqual([404, "Payment not found"]);
    expect((await deliverEvent(event, { id })).body.message).toBe("Payment updated");
    expect(await stateOf(payment.id)).toBe("paid");
  });

  test("about an authorization of another amount is refused", async () => {
    const { payment, about } = await cardPayment();
    const { status, body } = await deliverEvent(about("authorized", { amount_rub: 7 }));
    expect([status, body.detail]).toEqual([409, `'7' roubles are not the '700' of payment '${payment.id}'`]);
    expect(await stateOf(payment.id)).toBe("pending");
  });

  test("about money of another amount keeps it as unmatched", async () => {
    const { payment, about } = await cardPayment();
    const { status, body } = await deliverEvent(about("paid", { amount_rub: 7 }));
    expect([status, body.message]).toEqual([200, "Money kept; it matches no open sum of an order"]);
    expect(await read(payment.id)).toMatchObject({
      ...{ state: "unmatched", amount_rub: 7, unmatched_reason: "wrong_amount" },
      failure: "'7' roubles arrived, and '700' were asked for",
    });
  });

  test("about something else is of no interest", async () => {
    const { status, body } = await deliverEvent({ type: "customer.created", data: 5 });
    expect([status, body]).toEqual([200, { message: "Event of no interest" }]);
    expect((await deliverEvent({ type: "__proto__", data: {} })).body.message).toBe("Event of no interest");
  });

  test.each([
    "",
    "{",
    "[]",
    "5",
    '{"type":5}',
    '{"type":"payment.paid"}',
    '{"type":"payment.paid","data":{"reference":1}}',
  ])("that makes no sense is refused: %s", async (text) => {
    const { status, body } = await deliverEvent(text);
    expect([status, body.detail]).toEqual([400, "Invalid payload structure"]);
  });

  test("has to name a provider that there is", async () => {
    expect((await deliverEvent({ type: "payment.paid" }, { provider: "other" })).status).toBe(404);
  });
});

describe("the page of the test provider", () => {
  const pageOf = ({ checkout_url: url }: ShopBody) => String(url).replace("https://api.test", api.url);
  const decide = (page: string, decision: string) =>
    call(page, { method: "POST", body: new URLSearchParams({ decision }) });

  test.each([
    ["pay", "paid"],
    ["authorize", "authorized"],
    ["decline", "failed"],
  ])("has a button to %s", async (decision, state) => {
    const { payment, orderId } = await cardPayment();
    const page = pageOf(payment);
    const { status, text, headers } = await call(page);
    expect([status, headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
    expect(headers.get("content-security-policy")).toContain("form-action 'self'");
    expect(text).toContain("700 roubles");
    expect(text).toContain(orderId);
    expect(text).toContain(`value="${decision}">`);
    const done = await decide(page, decision);
    expect(done.status).toBe(200);
    expect(done.text).toContain(`The payment is <strong>${state}</strong>`);
    expect(await stateOf(payment.id)).toBe(state);
  });

  test("asks for nothing that is typed, and offers nothing any more when the payment is over", async () => {
    const { payment } = await cardPayment();
    expect((await call(pageOf(payment))).text).not.toMatch(/<(input|textarea|select|script)/);
    const { text } = await decide(pageOf(payment), "decline");
    expect(text.match(/<button[^>]* disabled>/g)).toHaveLength(3);
    // A provider that says so nevertheless has the money.
    expect((await decide(pageOf(payment), "pay")).text).toContain("<strong>paid</strong>");
  });

  test("goes the way of a signed webhook", async () => {
    const { payment } = await cardPayment();
    await decide(pageOf(payment), "pay");
    const events = await api.db.query(
      "SELECT source FROM received_events WHERE event_id LIKE 'evt_%' AND source LIKE 'p%'",
    );
    expect(events[0]).toEqual({ source: "payments:test" });
  });

  test("of an unknown payment is 404, and takes no other decision", async () => {
    expect((await call(`${api.url}/payments/test-provider/test_x`)).status).toBe(404);
    const { payment } = await cardPayment();
    expect((await decide(pageOf(payment), "steal")).status).toBe(422);
    expect(await stateOf(payment.id)).toBe("pending");
  });
});

/** The same text with a byte in it that is no UTF-8, and that a lenient decoder makes the same text of. */
function withBrokenByte(text: string) {
  const [before = "", after = ""] = text.split("\ufffd");
  return Buffer.concat([Buffer.from(before), Buffer.from([0xff]), Buffer.from(after)]);
}
