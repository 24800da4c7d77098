import { randomUUID } from "node:crypto";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { useApi } from "../../../support/api.ts";
import { addOffer } from "../../../support/catalogue.ts";
import { dealStaff, dealsOf } from "../../../support/deals.ts";
import { brokenRules } from "../../../support/invariants.ts";

const api = useApi({ relay: false });
let offerId = "";
beforeAll(async () => {
  offerId = (await addOffer(api.db, { quantity: 1_000, priceRub: 700 })).id;
});

afterEach(async () => {
  expect(await brokenRules(api.db)).toEqual({});
});

describe.each(["", "/warehouse"])("under the path '%s/'", (base) => {
  const deals = dealsOf(api, base);

  /** An order of a new customer with a payment by card. */
  async function cardPayment() {
    const customer = await deals.customer();
    const order = await deals.order(offerId, { of: customer });
    return { customer, order, payment: await deals.pay(order.id, "CARD", customer) };
  }
  const unmatched = async () =>
    (await deals.done("GET", "/payments?state=unmatched&size=100")).items.map(({ id }) => id);

  test("a card that was declined pays the order when the provider takes the money after all", async () => {
    const { customer, order, payment } = await cardPayment();
    await deals.decide(payment, "decline");
    expect((await deals.payment(payment.id)).state).toBe("failed");
    await deals.decide(payment, "pay");
    expect((await deals.payment(payment.id)).state).toBe("paid");
    expect(await deals.money(order.id)).toMatchObject({ paid_rub: 700, due_rub: 0 });
    expect(await deals.events(order.id)).toEqual(["order.created", "order.paid"]);
    expect(await deals.mails(customer.email)).toEqual(["payment-received"]);
    const again = await deals.ask("POST", `/orders/${order.id}/payments`, { method: "CARD" }, customer.token);
    expect([again.status, again.body.detail]).toEqual([409, `Nothing is left to be paid for order '${order.id}'`]);
  });

  test("a payment that staff gave up pays the order when the provider takes the money after all", async () => {
    const { order, payment } = await cardPayment();
    await deals.done("POST", `/payments/${payment.id}/fail`);
    await deals.decide(payment, "pay");
    expect((await deals.payment(payment.id)).state).toBe("paid");
    expect((await deals.money(order.id)).due_rub).toBe(0);
  });

  test.each(["decline", "fail"])(
    "a second payment made after a %s leaves the late money unmatched, for staff to credit",
    async (end) => {
      const { customer, order, payment } = await cardPayment();
      if (end === "fail") await deals.done("POST", `/payments/${payment.id}/fail`);
      else await deals.decide(payment, "decline");
      const second = await deals.pay(order.id, "CARD", customer);
      await deals.decide(second, "pay");
      await deals.decide(payment, "pay");
      expect(await deals.payment(payment.id)).toMatchObject({ state: "unmatched", unmatched_reason: "nothing_due" });
      expect(await deals.money(order.id)).toMatchObject({ paid_rub: 700, due_rub: 0 });
      expect(await unmatched()).toContain(payment.id);
      expect(await deals.mails(customer.email)).toEqual(["payment-received", "payment-unmatched"]);

      const path = `/payments/${payment.id}/assign`;
      await deals.done("POST", path, { user_id: customer.id });
      expect(await deals.payment(payment.id)).toMatchObject({ state: "credited", credited_to: customer.id });
      expect(await deals.balance(customer)).toBe(700);
      expect(await unmatched()).not.toContain(payment.id);
      expect(await deals.audited(path)).toEqual([{ user_id: customer.id }]);
      const again = await deals.ask("POST", path, { user_id: customer.id });
      expect([again.status, again.body.detail]).toEqual([
        409,
        `Payment '${payment.id}' is 'credited'; only one that is 'unmatched' can be assigned`,
      ]);
      expect(await deals.balance(customer)).toBe(700);
    },
  );

  test("an order that was deleted leaves its late money on record, for staff to assign to another order", async () => {
    const { customer, order, payment } = await cardPayment();
    await deals.decide(payment, "decline");
    await deals.done("DELETE", `/orders/${order.id}`, undefined, api.tokens.admin);
    await deals.decide(payment, "pay");
    expect(await deals.payment(payment.id)).toMatchObject({
      ...{ state: "unmatched", unmatched_reason: "order_deleted", order_id: null, original_order_id: order.id },
    });
    expect(await deals.mails(customer.email)).toEqual(["payment-unmatched"]);

    const other = await deals.order(offerId, { of: customer });
    await deals.done("POST", `/payments/${payment.id}/assign`, { order_id: other.id });
    expect(await deals.payment(payment.id)).toMatchObject({
      ...{ state: "paid", order_id: other.id, original_order_id: order.id },
    });
    expect((await deals.money(other.id)).due_rub).toBe(0);
    expect(await deals.events(other.id)).toContain("order.paid");
  });

  test("money for a canceled order thanks for nothing, and goes back by staff", async () => {
    const { customer, order, payment } = await cardPayment();
    await deals.cancel(order.id);
    await deals.decide(payment, "pay");
    expect(await deals.payment(payment.id)).toMatchObject({ state: "unmatched", unmatched_reason: "order_canceled" });
    expect(await deals.events(order.id)).not.toContain("order.paid");
    expect(await deals.events(payment.id)).toEqual(["payment.unmatched"]);
    expect(await deals.mails(customer.email)).toEqual(["order-status", "payment-unmatched"]);
    expect(await deals.mails(dealStaff)).toContain("payment-unmatched-staff");

    const path = `/payments/${payment.id}/refund`;
    await deals.done("POST", path, { amount_rub: 200, reason: "Аванс" });
    await deals.done("POST", path, { reason: "Остаток" });
    expect(await deals.payment(payment.id)).toMatchObject({ state: "refunded", refunded_rub: 700 });
    expect(await deals.audited(path)).toEqual([{ reason: "Остаток" }, { amount_rub: 200, reason: "Аванс" }]);
    expect(await deals.mails(customer.email)).toEqual([
      ...["order-status", "payment-unmatched", "payment-refunded", "payment-refunded"],
    ]);
  });

  test("an authorized payment of a canceled order is not captured, and is unmatched when the provider captures it", async () => {
    const { customer, order, payment } = await cardPayment();
    await deals.decide(payment, "authorize");
    await deals.cancel(order.id);
    const refused = await deals.ask("POST", `/payments/${payment.id}/capture`);
    expect([refused.status, refused.body.detail]).toEqual([
      409,
      `Order '${order.id}' is canceled; mark payment '${payment.id}' as failed, which gives its authorization up`,
    ]);
    expect((await deals.payment(payment.id)).state).toBe("authorized");
    await deals.decide(payment, "pay");
    expect((await deals.payment(payment.id)).state).toBe("unmatched");
    expect(await deals.events(order.id)).not.toContain("order.paid");
    expect(await deals.mails(customer.email)).not.toContain("payment-received");
  });

  test.each(["guest", "customer"])(
    "goods of a %s that left before their order was canceled are still paid for",
    async (who) => {
      const customer = who === "guest" ? undefined : await deals.customer();
      const order = await deals.order(offerId, { of: customer, quantity: 3 });
      const early = await deals.pay(order.id, "CARD", customer, 1_400);
      const waybill = await deals.convert(order.id);
      const [line] = (await deals.done("GET", `/waybills/${waybill.id}/offers`)) as unknown as { id: string }[];
      await deals.done("PATCH", `/waybill-offers/${line?.id}`, { quantity: 1 });
      await deals.commit(waybill.id);
      await deals.cancel(order.id);
      expect(await deals.money(order.id)).toMatchObject({ due_rub: 700, due_back_rub: 0 });
      await deals.decide(early, "pay");
      expect(await deals.payment(early.id)).toMatchObject({ state: "unmatched", unmatched_reason: "order_canceled" });

      const cash = await deals.pay(order.id, "CASH", customer, 300);
      await deals.done("POST", `/payments/${cash.id}/confirm`);
      await deals.decide(await deals.pay(order.id, "CARD", customer), "pay");
      expect(await deals.money(order.id)).toMatchObject({ paid_rub: 700, due_rub: 0, due_back_rub: 0 });
      if (customer) expect(await deals.balance(customer)).toBe(0);
      const more = await deals.ask("POST", `/orders/${order.id}/payments`, { method: "CASH" });
      expect([more.status, more.body.detail]).toEqual([
        409,
        `Order '${order.id}' is canceled; nothing is to be paid for it`,
      ]);
      expect(await deals.events(order.id)).not.toContain("order.paid");
    },
  );

  test("an order that is canceled after its payment says what is due back, or gives it back", async () => {
    for (const policy of ["keep", "refund"] as const) {
      const { customer, order, payment } = await cardPayment();
      await deals.decide(payment, "pay");
      await deals.cancel(order.id, policy);
      const isKept = policy === "keep";
      expect(await deals.money(order.id)).toMatchObject({ due_rub: 0, due_back_rub: isKept ? 700 : 0 });
      expect((await deals.payment(payment.id)).state).toBe(isKept ? "paid" : "refunded");
      expect((await deals.mails(customer.email)).includes("payment-refunded")).toBe(!isKept);
    }
  });

  test("money is assigned to no order that is canceled, too cheap or unknown", async () => {
    const { customer, order, payment } = await cardPayment();
    await deals.cancel(order.id);
    await deals.decide(payment, "pay");
    const { id: cheap } = await addOffer(api.db, { priceRub: 100 });
    const unknown = randomUUID();
    const assign = async (order_id: string) => {
      const { status, body } = await deals.ask("POST", `/payments/${payment.id}/assign`, { order_id });
      return [status, body.detail];
    };
    const small = await deals.order(cheap, { of: customer });
    expect([await assign(order.id), await assign(small.id), await assign(unknown)]).toEqual([
      [409, `Order '${order.id}' is canceled; give the money back, or assign it to the customer's balance`],
      [
        409,
        expect.stringContaining(
          `'700' roubles are more than the '100' that are left to be paid for order '${small.id}'`,
        ),
      ],
      [404, "Order not found"],
    ]);
    expect((await deals.payment(payment.id)).state).toBe("unmatched");
  });
});
