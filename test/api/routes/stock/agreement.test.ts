import { afterEach, describe, expect, test } from "vitest";
import { useApi, userIds } from "../../../support/api.ts";
import { addOffer } from "../../../support/catalogue.ts";
import { readAs } from "../../../support/clients/client-call.ts";
import { warehouseCalls } from "../../../support/clients/warehouse.ts";
import { dealsOf } from "../../../support/deals.ts";
import { brokenRules } from "../../../support/invariants.ts";
import type { ShopBody } from "../../../support/shop.ts";
import { addUser } from "../../../support/users.ts";

const api = useApi({ relay: false });
const newOffer = (quantity = 10) => addOffer(api.db, { quantity, priceRub: 1_000 });

afterEach(async () => {
  expect(await brokenRules(api.db)).toEqual({});
});

describe.each(["", "/warehouse"])("under the path '%s/'", (base) => {
  const deals = dealsOf(api, base);

  /** An order of two pieces that its customer has paid from a balance of 5,000. */
  async function paidOrder(offerId: string) {
    const customer = await deals.customer(5_000);
    const order = await deals.order(offerId, { of: customer, quantity: 2 });
    await deals.pay(order.id, "BALANCE", customer);
    return { customer, order };
  }

  test("a customer's money pays for no goods of another customer", async () => {
    const { id: offerId } = await newOffer();
    const [{ customer, order }, other] = [await paidOrder(offerId), await deals.customer()];
    const both = `The waybill's customer is user '${other.id}', and order '${order.id}' belongs to user '${customer.id}'; let both agree`;
    const line = { offer_id: offerId, quantity: 2 };
    const wanted = { order_id: order.id, customer_id: other.id, waybill_type: "WAYBILL_OUT", is_pending: true };
    const made = await deals.ask("POST", "/waybills", { ...wanted, waybill_offers: [line] });
    expect([made.status, made.body.detail]).toEqual([409, both]);

    const waybill = await deals.convert(order.id);
    const changed = await deals.ask("PATCH", `/waybills/${waybill.id}`, { ...waybill, customer_id: other.id });
    expect([changed.status, changed.body.detail]).toEqual([409, both]);
    await deals.commit(waybill.id);
    expect([await deals.balance(customer), await deals.balance(other)]).toEqual([3_000, 0]);
  });

  test("a waybill of one customer takes no order of another", async () => {
    const { id: offerId } = await newOffer();
    const [{ customer, order }, other] = [await paidOrder(offerId), await deals.customer()];
    const line = { offer_id: offerId, quantity: 2 };
    const wanted = { customer_id: other.id, waybill_type: "WAYBILL_OUT", is_pending: true, waybill_offers: [line] };
    const free = await deals.done("POST", "/waybills", { ...wanted, order_id: null });
    const { status, body } = await deals.ask("PATCH", `/waybills/${free.id}`, { order_id: order.id });
    expect(status).toBe(409);
    for (const side of [order.id, customer.id, other.id]) expect(body.detail).toContain(`'${side}'`);
    await deals.commit(free.id);
    expect([await deals.balance(customer), await deals.balance(other)]).toEqual([3_000, -2_000]);
  });

  test("a waybill of an order becomes no return of goods that never left", async () => {
    const { id: offerId } = await newOffer();
    const { customer, order } = await paidOrder(offerId);
    const waybill = await deals.convert(order.id);
    for (const waybill_type of ["WAYBILL_RETURN", "WAYBILL_IN"]) {
      const { status, body } = await deals.ask("PATCH", `/waybills/${waybill.id}`, { ...waybill, waybill_type });
      expect([status, body.detail]).toEqual([
        409,
        `A ${waybill_type} cannot have order '${order.id}': goods of an order go out; a WAYBILL_RETURN names the delivery in return_of`,
      ]);
    }
    await deals.commit(waybill.id);
    expect([await deals.stock(offerId), await deals.balance(customer)]).toEqual([8, 3_000]);
  });

  test("goods of an order come back by a return of its delivery, and no more than left", async () => {
    const { id: offerId } = await newOffer();
    const { customer, order } = await paidOrder(offerId);
    const delivery = await deals.convert(order.id);
    await deals.commit(delivery.id);
    const back = await deals.done("POST", `/waybills/${delivery.id}/return`);
    expect(back).toMatchObject({ waybill_type: "WAYBILL_RETURN", return_of: delivery.id, order_id: null });
    await deals.commit(back.id);
    expect([await deals.stock(offerId), await deals.balance(customer)]).toEqual([10, 5_000]);
    expect(await deals.money(order.id)).toMatchObject({ delivered_rub: 2_000, returned_rub: 2_000 });
    const again = await deals.ask("POST", `/waybills/${delivery.id}/return`);
    expect([again.status, again.body.detail]).toEqual([
      409,
      `All goods of delivery '${delivery.id}' are on returns already`,
    ]);
  });

  test("a guest's goods change no balance when they leave and when another employee takes them back", async () => {
    const { id: offerId } = await newOffer();
    const order = await deals.order(offerId, { quantity: 3 });
    const cash = await deals.pay(order.id, "CASH");
    await deals.done("POST", `/payments/${cash.id}/confirm`);
    const delivery = await deals.convert(order.id);
    await deals.commit(delivery.id);
    const clerk = await addUser(api.db, { role: "EMPLOYEE" });
    const token = await api.identity.token(clerk.id);
    const back = await deals.done("POST", `/waybills/${delivery.id}/return`, undefined, token);
    expect((back as unknown as { customer_id: string }).customer_id).toBe(userIds.employee);
    const [line] = (await deals.done("GET", `/waybills/${back.id}/offers`)) as unknown as ShopBody[];
    await deals.done("PATCH", `/waybill-offers/${line?.id}`, { ...line, quantity: 2 }, token);
    await deals.commit(back.id, token);
    expect(await deals.stock(offerId)).toBe(9);
    expect([await deals.balance({ id: userIds.employee }), await deals.balance(clerk)]).toEqual([0, 0]);

    const path = `/payments/${cash.id}/refund`;
    const tooMuch = await deals.ask("POST", path, { waybill_id: back.id, amount_rub: 2_001 });
    expect([tooMuch.status, tooMuch.body.detail]).toEqual([
      409,
      `'2001' roubles are more than the '2000' that are open for return '${back.id}'`,
    ]);
    const refunded = await deals.done("POST", path, { waybill_id: back.id });
    expect(refunded).toMatchObject({ state: "paid", refunded_rub: 2_000 });
    const again = await deals.ask("POST", path, { waybill_id: back.id });
    expect([again.status, again.body.detail]).toEqual([
      409,
      `All '2000' roubles of return '${back.id}' are given back, or on their way`,
    ]);
  });

  test("money of a deleted order is given back for no return", async () => {
    const { id: offerId } = await newOffer();
    const order = await deals.order(offerId);
    const card = await deals.pay(order.id, "CARD");
    await deals.done("POST", `/payments/${card.id}/fail`);
    await deals.done("DELETE", `/orders/${order.id}`, undefined, api.tokens.admin);
    await deals.decide(card, "pay");
    const lines = [{ offer_id: offerId, quantity: 1 }];
    const customer = await deals.customer();
    const waybill = { waybill_type: "WAYBILL_OUT", is_pending: true, customer_id: customer.id, waybill_offers: lines };
    const delivery = await deals.done("POST", "/waybills", waybill);
    await deals.commit(delivery.id);
    const back = await deals.done("POST", `/waybills/${delivery.id}/return`);
    await deals.commit(back.id);
    const refused = await deals.ask("POST", `/payments/${card.id}/refund`, { waybill_id: back.id });
    expect([refused.status, refused.body.detail]).toEqual([
      409,
      `The order of payment '${card.id}' was deleted, so its money is for no return; leave out waybill_id`,
    ]);
    await deals.done("POST", `/payments/${card.id}/refund`);
  });
});

describe("the warehouse", () => {
  const deals = dealsOf(api, "/warehouse");

  test("sends whole orders, lines and waybills back, and unchanged values pass in every state", async () => {
    const { id: offerId } = await newOffer();
    const customer = await deals.customer(5_000);
    const { id } = await deals.order(offerId, { of: customer, quantity: 2 });
    await deals.pay(id, "BALANCE", customer);
    const waybill = await deals.convert(id);
    const sendBack = async () => {
      const order = await deals.done("GET", `/orders/${id}`);
      readAs(warehouseCalls.W25, await deals.done("PATCH", `/orders/${id}`, order));
      const [line] = order.order_offers;
      readAs(warehouseCalls["W28.change"], await deals.done("PATCH", `/order-offers/${line?.id}`, line));
      const whole = await deals.done("GET", `/waybills/${waybill.id}`);
      readAs(warehouseCalls.W35, await deals.done("PATCH", `/waybills/${waybill.id}`, whole));
      return whole;
    };
    await sendBack();
    const [line] = (await deals.done("GET", `/waybills/${waybill.id}/offers`)) as unknown as ShopBody[];
    readAs(warehouseCalls["W37.change"], await deals.done("PATCH", `/waybill-offers/${line?.id}`, line));
    await deals.commit(waybill.id);
    const committed = await sendBack();
    await deals.done("PATCH", `/waybills/${waybill.id}`, { ...committed, note: "отдано" });
    const back = await deals.done("POST", `/waybills/${waybill.id}/return`);
    readAs(warehouseCalls.W35, await deals.done("PATCH", `/waybills/${back.id}`, back));
    await deals.commit(back.id);
    await deals.cancel(id);
    await sendBack();
    expect(await deals.balance(customer)).toBe(5_000);
  });
});
