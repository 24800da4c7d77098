import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { useApi, useWorker } from "../../../support/api.ts";
import { addOffer } from "../../../support/catalogue.ts";
import { dealsOf } from "../../../support/deals.ts";
import { brokenRules } from "../../../support/invariants.ts";
import { codesOf, readDocx } from "../../../support/office.ts";

const api = useApi();
useWorker(api);
let offerId = "";
beforeAll(async () => {
  offerId = (await addOffer(api.db, { quantity: 1_000, priceRub: 500 })).id;
});

afterEach(async () => {
  expect(await brokenRules(api.db)).toEqual({});
});

describe.each(["", "/warehouse"])("under the path '%s/'", (base) => {
  const deals = dealsOf(api, base);

  /** What an invoice asks for now: in words, and in its code, which is read from the picture. */
  async function invoiceOf(orderId: string) {
    const wanted = { kind: "invoice", format: "docx", parameters: { id: orderId } };
    const { id } = await deals.done("POST", "/documents", wanted);
    const headers = { authorization: `Bearer ${api.tokens.employee}` };
    const file = await fetch(`${api.url}${base}/documents/${id}/download`, { headers });
    const bytes = new Uint8Array(await file.arrayBuffer());
    const sums = (await codesOf(bytes)).map((code) => Number(/\|Sum=(\d+)/.exec(code)?.[1]) / 100);
    return { sums, text: JSON.stringify(readDocx(bytes)).replaceAll(/[\s\u00a0]+/g, " ") };
  }

  /** Compares the invoice with what the API says is due. */
  async function expectInvoice(orderId: string, dueRub: number, words: string) {
    const { due_rub } = await deals.money(orderId);
    const { sums, text } = await invoiceOf(orderId);
    expect([due_rub, sums]).toEqual([dueRub, dueRub === 0 ? [] : [dueRub]]);
    expect(text).toContain(words);
    return text;
  }
  const number = (text: string) => /Счёт на оплату № (\d{4}-\d+)/.exec(text)?.[1];

  test.each(["customer", "guest"])(
    "the invoice of a %s asks for what is due in each state of the payments, under one number",
    async (who) => {
      const customer = who === "guest" ? undefined : await deals.customer();
      const { id } = await deals.order(offerId, { of: customer, quantity: 2 });
      const first = await expectInvoice(id, 1_000, "на сумму 1000 руб.");
      expect(first).not.toContain("Оплачено");
      const part = await deals.pay(id, "CASH", {}, 400);
      await expectInvoice(id, 1_000, "на сумму 1000 руб.");
      await deals.done("POST", `/payments/${part.id}/confirm`);
      await expectInvoice(id, 600, "К оплате: 600 руб.");
      const rest = await deals.pay(id, "INVOICE");
      await deals.done("POST", `/payments/${rest.id}/confirm`);
      await expectInvoice(id, 0, "Счёт оплачен полностью.");
      await deals.done("POST", `/payments/${rest.id}/refund`, { amount_rub: 250 });
      await expectInvoice(id, 250, "К оплате: 250 руб.");
      await deals.cancel(id);
      const last = await expectInvoice(id, 0, "Заказ отменён, оплата не требуется. К возврату покупателю: 750 руб.");
      expect(number(last)).toMatch(/^\d{4}-\d+$/);
      expect(number(last)).toBe(number(first));
    },
  );

  test("the invoice of an order that is canceled before it is paid asks for nothing", async () => {
    const { id } = await deals.order(offerId);
    await deals.cancel(id);
    expect(await expectInvoice(id, 0, "Заказ отменён, оплата не требуется.")).not.toContain("К возврату");
  });

  test("the invoice of an order that is canceled after a part has left asks for that part", async () => {
    const { id } = await deals.order(offerId, { quantity: 2 });
    const waybill = await deals.convert(id);
    const [line] = (await deals.done("GET", `/waybills/${waybill.id}/offers`)) as unknown as { id: string }[];
    await deals.done("PATCH", `/waybill-offers/${line?.id}`, { quantity: 1 });
    await deals.commit(waybill.id);
    await deals.cancel(id);
    await expectInvoice(id, 500, "Заказ отменён. К оплате за отгруженные товары: 500 руб.");
    const { id: paymentId } = await deals.pay(id, "CASH");
    await deals.done("POST", `/payments/${paymentId}/confirm`);
    await expectInvoice(id, 0, "Заказ отменён, оплата не требуется.");
  });

  test("goods that are ordered after the first delivery leave with another waybill", async () => {
    const customer = await deals.customer();
    const before = await deals.stock(offerId);
    const order = await deals.order(offerId, { of: customer, quantity: 2 });
    await deals.commit((await deals.convert(order.id)).id);
    const [line] = order.order_offers;
    await deals.done("PATCH", `/order-offers/${line?.id}`, { ...line, quantity: 5 });
    const rest = await deals.convert(order.id);
    const [left] = (await deals.done("GET", `/waybills/${rest.id}/offers`)) as unknown as { quantity: number }[];
    expect(left?.quantity).toBe(3);
    await deals.commit(rest.id);
    expect([await deals.stock(offerId), await deals.balance(customer)]).toEqual([before - 5, -2_500]);
    const again = await deals.ask("POST", `/orders/${order.id}/convert`, {});
    expect([again.status, again.body.detail]).toEqual([400, "Order is already converted to a waybill"]);
    const lower = await deals.ask("PATCH", `/order-offers/${line?.id}`, { quantity: 4 });
    expect(lower.status).toBe(409);
    for (const side of [order.id, "'5' pieces", "where it has 4"]) expect(lower.body.detail).toContain(side);
  });
});
