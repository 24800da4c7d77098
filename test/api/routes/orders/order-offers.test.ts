import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { User } from "../../../../src/db/entities/accounts/user.ts";
import { OrderOffer } from "../../../../src/db/entities/orders/order-offer.ts";
import { WaybillOffer } from "../../../../src/db/entities/stock/waybill-offer.ts";
import { dropCatalogue } from "../../../../src/platform/cache-tags.ts";
import { useApi, userIds } from "../../../support/api.ts";
import { addOffer } from "../../../support/catalogue.ts";
import { readAs } from "../../../support/clients/client-call.ts";
import { warehouseCalls } from "../../../support/clients/warehouse.ts";
import { countStatements } from "../../../support/count-statements.ts";
import { addWaybillOf } from "../../../support/deliveries.ts";
import { addOrder, addPayment } from "../../../support/orders.ts";
import { lineOf, type Sending, type ShopBody, send } from "../../../support/shop.ts";

const unknownId = "0198f6b0-0000-7000-8000-000000000000";

describe("lines of orders", () => {
  const api = useApi({ relay: false });
  const { user: userId } = userIds;
  const otherId = randomUUID();
  let otherToken = "";
  const user = () => ({ token: api.tokens.user });
  const employee = () => ({ token: api.tokens.employee });

  beforeAll(async () => {
    const name = { firstName: "Other", lastName: "Test" };
    await api.db.manager.insert(User, { id: otherId, email: "other@test.example", ...name });
    otherToken = await api.identity.token(otherId);
  });

  const add = (orderId: string, body: object, options: Sending = employee()) =>
    send(api, "POST", `/orders/${orderId}/offers`, body, options);
  const patch = (id: string, body: object, options: Sending = employee()) =>
    send(api, "PATCH", `/order-offers/${id}`, body, options);
  const remove = (id: string) => send(api, "DELETE", `/order-offers/${id}`, undefined, employee());
  const linesOf = async (orderId: string, options: Sending = employee()) => {
    const answer = await send(api, "GET", `/orders/${orderId}/offers`, undefined, options);
    return { ...answer, body: answer.body as unknown as ShopBody["order_offers"] };
  };
  const orderOf = async (id: string) => (await send(api, "GET", `/orders/${id}`, undefined, employee())).body;
  const quantitiesOf = async (id: string) => (await orderOf(id)).order_offers.map(({ quantity }) => quantity);

  /** An order of the customer with one line of an offer with 10 pieces. */
  async function orderWithLine(values: Partial<OrderOffer> = {}) {
    const offer = await addOffer(api.db, { brand: "SKF", manufacturerNumber: "6205", priceRub: 1_000, quantity: 10 });
    const { id: orderId } = await addOrder(api.db, { userId, lines: [{ offerId: offer.id, quantity: 2, ...values }] });
    const [line] = (await orderOf(orderId)).order_offers;
    return { orderId, offer, lineId: line?.id ?? "" };
  }

  describe("GET", () => {
    test("shows brand and number as they were when the line was made, like the order itself", async () => {
      const { orderId, offer } = await orderWithLine({ brand: "Then", manufacturerNumber: "T-1", priceRub: 900 });
      const { status, body } = await linesOf(orderId, user());
      expect(status).toBe(200);
      expect(body).toMatchObject([
        { order_id: orderId, offer_id: offer.id, brand: "Then", manufacturer_number: "T-1" },
      ]);
      expect(body).toMatchObject([{ quantity: 2, price_rub: 900, offer: { id: offer.id, brand: "SKF" } }]);
      expect((await orderOf(orderId)).order_offers).toEqual(body);
    });

    test("is for the order's owner and staff", async () => {
      const { orderId } = await orderWithLine();
      expect((await linesOf(orderId)).status).toBe(200);
      expect((await linesOf(orderId, {})).status).toBe(401);
      const { status, body } = await linesOf(orderId, { token: otherToken });
      expect([status, (body as unknown as ShopBody).detail]).toEqual([
        403,
        `Access denied: order '${orderId}' belongs to another user.`,
      ]);
      const guests = await addOrder(api.db);
      expect((await linesOf(guests.id, user())).status).toBe(403);
    });

    test("of an unknown order is 404", async () => {
      const { status, body } = await linesOf(randomUUID());
      expect([status, (body as unknown as ShopBody).detail]).toEqual([404, "Order not found"]);
    });

    test("takes as many statements for twenty lines as for one", async () => {
      const offers = [];
      for (let n = 0; n < 20; n++) offers.push({ offerId: (await addOffer(api.db)).id });
      const few = await addOrder(api.db, { lines: offers.slice(0, 1) });
      const many = await addOrder(api.db, { lines: offers });
      await dropCatalogue(api.context.cache, "category");
      await linesOf(few.id);
      const one = await countStatements(api.db, () => linesOf(few.id));
      const twenty = await countStatements(api.db, async () => expect((await linesOf(many.id)).body).toHaveLength(20));
      // The caller, the order, lines, offers, products.
      expect([one, twenty]).toEqual([5, 5]);
    });
  });

  describe("POST", () => {
    test.each([
      ["USER_RETAIL", 717],
      ["USER_WHOLESALE", 645],
      ["USER_SUPER_WHOLESALE", 573],
    ] as const)("takes the price of a customer who is %s", async (customerType, price) => {
      await api.db.manager.update(User, { id: userId }, { customerType });
      const offer = await addOffer(api.db, { priceRub: 717, superWholesalePriceRub: 573 });
      const { id } = await addOrder(api.db, { userId });
      const { status, body } = await send(
        api,
        "POST",
        `/warehouse/orders/${id}/offers`,
        lineOf(offer.id, 2),
        employee(),
      );
      expect(status).toBe(201);
      readAs(warehouseCalls.W27, body);
      expect(body).toMatchObject({ order_id: id, offer_id: offer.id, brand: "ACME", quantity: 2, price_rub: price });
      await api.db.manager.update(User, { id: userId }, { customerType: "USER_RETAIL" });
    });

    test("takes the retail price for a guest, and puts the line last", async () => {
      const offer = await addOffer(api.db, { priceRub: 717, superWholesalePriceRub: 573 });
      const { id } = await addOrder(api.db, { lines: [{ offerId: offer.id }, { offerId: offer.id }] });
      const { body } = await add(id, lineOf(offer.id, 3));
      expect(body).toMatchObject({ price_rub: 717 });
      expect(await quantitiesOf(id)).toEqual([1, 1, 3]);
    });

    test("makes the order a changed one", async () => {
      const { orderId, offer } = await orderWithLine();
      const before = (await orderOf(orderId)).updated_at;
      await add(orderId, lineOf(offer.id));
      expect((await orderOf(orderId)).updated_at > before).toBe(true);
    });

    test("of an unknown order or offer is 404", async () => {
      const offer = await addOffer(api.db);
      const gone = await addOffer(api.db, { isDeleted: true });
      const { id } = await addOrder(api.db);
      const answers = [
        await add(randomUUID(), lineOf(offer.id)),
        await add(id, lineOf(randomUUID())),
        await add(id, lineOf(gone.id)),
      ];
      expect(answers.map(({ status, body }) => [status, body.detail])).toEqual([
        [404, "Order not found"],
        [404, "Offer not found"],
        [404, "Offer not found"],
      ]);
    });

    test("is refused when the order's lines together want more than there is", async () => {
      const { orderId, offer } = await orderWithLine({ quantity: 6 });
      const { status, body } = await add(orderId, lineOf(offer.id, 5));
      expect([status, body.detail]).toEqual([
        409,
        `There is too little in stock of 'SKF 6205' (offer '${offer.id}'): '11' wanted, 10 available. Lower the quantity`,
      ]);
      expect((await add(orderId, lineOf(offer.id, 4))).status).toBe(201);
    });

    test("is refused from 200 lines on", async () => {
      const offer = await addOffer(api.db, { quantity: 1_000 });
      const lines = Array.from({ length: 199 }, () => ({ offerId: offer.id }));
      const { id } = await addOrder(api.db, { lines });
      const answers = [await add(id, lineOf(offer.id)), await add(id, lineOf(offer.id))];
      expect(answers.map(({ status }) => status)).toEqual([201, 409]);
      expect(answers[1]?.body.detail).toBe(`Order '${id}' has 200 lines, which is the maximum`);
    });

    test("twice with one Idempotency-Key adds one line", async () => {
      const { orderId, offer } = await orderWithLine();
      const options = { ...employee(), key: randomUUID() };
      const answers = [await add(orderId, lineOf(offer.id), options), await add(orderId, lineOf(offer.id), options)];
      expect(answers[1]?.body).toEqual(answers[0]?.body);
      expect(await quantitiesOf(orderId)).toEqual([2, 1]);
      expect((await add(orderId, lineOf(offer.id, 2), options)).status).toBe(422);
    });

    test.each([{}, { quantity: 1 }, { offer_id: "x", quantity: 1 }, { offer_id: unknownId, quantity: 0 }])(
      "refuses %j",
      async (body) => expect((await add(randomUUID(), body)).status).toBe(422),
    );
  });

  describe("PATCH", () => {
    test("takes the whole line of the warehouse with a new quantity, and leaves its offer", async () => {
      const { orderId, lineId, offer } = await orderWithLine({ priceRub: 1_000 });
      const elsewhere = await addOffer(api.db);
      const [line] = (await orderOf(orderId)).order_offers;
      const sent = { ...line, id: randomUUID(), order_id: randomUUID(), offer_id: elsewhere.id, quantity: 5 };
      const { status, body } = await send(api, "PATCH", `/warehouse/order-offers/${lineId}`, sent, employee());
      expect(status).toBe(200);
      readAs(warehouseCalls["W28.change"], body);
      expect(body).toEqual({ ...line, quantity: 5 });
      expect(line?.offer_id).toBe(offer.id);
      expect((await orderOf(orderId)).total_sum).toBe(5_000);
    });

    test.each([
      [12.345678, 12],
      [12.5, 13],
      ["99.49", 99],
      ["0.5", 1],
      [0, 0],
      [1e3, 1_000],
    ])("makes whole roubles of the price %j", async (price, expected) => {
      const { orderId, lineId } = await orderWithLine({ quantity: 1 });
      expect((await patch(lineId, { price_rub: price })).body).toMatchObject({ price_rub: expected, quantity: 1 });
      expect((await orderOf(orderId)).total_sum).toBe(expected);
    });

    test("changes brand and number", async () => {
      const { lineId } = await orderWithLine();
      const change = { brand: " Other ", manufacturer_number: "O-1" };
      expect((await patch(lineId, change)).body).toMatchObject({
        brand: "Other",
        manufacturer_number: "O-1",
        quantity: 2,
      });
    });

    test.each([
      ...[{ price_rub: -0.4 }, { price_rub: -5 }, { price_rub: "much" }, { price_rub: null }, { price_rub: 1e10 }],
      ...[{ quantity: 0 }, { quantity: 1.5 }, { brand: "" }, { manufacturer_number: " " }, { brand: null }],
    ])("refuses %j", async (change) => {
      const { lineId } = await orderWithLine();
      expect((await patch(lineId, change)).status).toBe(422);
    });

    test("refuses what changes nothing, and a line that is unknown", async () => {
      const { lineId } = await orderWithLine();
      const nothing = await patch(lineId, { offer_id: randomUUID(), id: lineId });
      expect([nothing.status, nothing.body.detail]).toEqual([400, "No data provided for update"]);
      const unknown = await patch(randomUUID(), { quantity: 1 });
      expect([unknown.status, unknown.body.detail]).toEqual([404, "Entity not found"]);
    });

    test("is refused when it wants more than before and than there is, and may always want less", async () => {
      const { orderId, lineId, offer } = await orderWithLine({ quantity: 8 });
      await add(orderId, lineOf(offer.id, 2));
      const { status, body } = await patch(lineId, { quantity: 9 });
      expect([status, body.detail]).toEqual([
        409,
        `There is too little in stock of 'SKF 6205' (offer '${offer.id}'): '11' wanted, 10 available. Lower the quantity`,
      ]);
      await api.db.query("UPDATE offers SET quantity = 0 WHERE id = $1", [offer.id]);
      expect((await patch(lineId, { quantity: 7 })).status).toBe(200);
      expect((await patch(lineId, { price_rub: 1 })).status).toBe(200);
      expect((await patch(lineId, { quantity: 8 })).status).toBe(409);
    });
  });

  describe("DELETE", () => {
    test("takes the line out, once", async () => {
      const { orderId, lineId } = await orderWithLine();
      expect((await remove(lineId)).status).toBe(204);
      expect(await orderOf(orderId)).toMatchObject({ order_offers: [], total_sum: 0 });
      const again = await remove(lineId);
      expect([again.status, again.body.detail]).toEqual([404, "Offer not found in order"]);
    });
  });

  describe("of an order whose waybill is committed", () => {
    test.each([true, false])("cannot come to less than the waybill has taken, pending: %s", async (isPending) => {
      const { orderId, lineId, offer } = await orderWithLine();
      const [{ priceRub = 0 } = {}] = await api.db.manager.findBy(OrderOffer, { orderId });
      const waybillId = await addWaybillOf(api, {
        orderId,
        isPending,
        lines: [{ offerId: offer.id, quantity: 2, priceRub }],
      });
      const advice = isPending
        ? `change quantities and prices in the order first, or delete pending waybill '${waybillId}'`
        : "goods on a committed waybill have left, so the order keeps their quantity and price";
      const answers = [await patch(lineId, { quantity: 1 }), await remove(lineId)];
      const why = (has: number) =>
        `Order '${orderId}' would not agree with what was taken from it. Its waybills hold '2' pieces of offer '${offer.id}' at '${priceRub}' roubles, where it has ${has}; ${advice}`;
      expect(answers.map(({ status, body }) => [status, body.detail])).toEqual([
        [409, why(1)],
        [409, why(0)],
      ]);
      expect(await quantitiesOf(orderId)).toEqual([2]);
      const followed = await send(api, "DELETE", `/waybills/${waybillId}`, undefined, { token: api.tokens.admin });
      expect(followed.status).toBe(isPending ? 204 : 409);
      expect((await remove(lineId)).status).toBe(isPending ? 204 : 409);
    });

    test("can be raised and added to, and the rest leaves with another waybill", async () => {
      const { orderId, lineId, offer } = await orderWithLine();
      const [{ priceRub = 0 } = {}] = await api.db.manager.findBy(OrderOffer, { orderId });
      await addWaybillOf(api, { orderId, lines: [{ offerId: offer.id, quantity: 2, priceRub }] });
      expect((await patch(lineId, { quantity: 3 })).status).toBe(200);
      const { status, body } = await send(api, "POST", `/orders/${orderId}/convert`, undefined, {
        token: api.tokens.employee,
      });
      expect(status).toBe(201);
      const rest = await api.db.manager.findBy(WaybillOffer, { waybillId: body.id });
      expect(rest).toMatchObject([{ offerId: offer.id, quantity: 1, priceRub }]);
    });

    test("change its price as well while it is pending", async () => {
      const { orderId, lineId, offer } = await orderWithLine();
      const [{ priceRub = 0 } = {}] = await api.db.manager.findBy(OrderOffer, { orderId });
      const lines = [{ offerId: offer.id, quantity: 2, priceRub }];
      const waybillId = await addWaybillOf(api, { orderId, isPending: true, lines });
      expect((await patch(lineId, { price_rub: 7 })).status).toBe(200);
      expect(await api.db.manager.findBy(WaybillOffer, { waybillId })).toMatchObject([{ priceRub: 7 }]);
    });
  });

  describe("of an order that is paid", () => {
    test("cannot come to less than its payments", async () => {
      const { orderId, lineId } = await orderWithLine({ priceRub: 100, quantity: 2 });
      await addPayment(api.db, { orderId, amountRub: 150, state: "pending" });
      await addPayment(api.db, { orderId, amountRub: 500, state: "failed" });
      const { status, body } = await patch(lineId, { quantity: 1 });
      expect([status, body.detail]).toEqual([
        409,
        "The order would cost '100' roubles, and its payments are '150'; refund or fail a payment first",
      ]);
      expect((await remove(lineId)).status).toBe(409);
      expect((await patch(lineId, { price_rub: 75 })).status).toBe(200);
      expect(await api.db.manager.countBy(OrderOffer, { orderId })).toBe(1);
    });
  });

  test("changed at the same time by many are all counted", async () => {
    const offer = await addOffer(api.db, { quantity: 20 });
    const { id } = await addOrder(api.db);
    const answers = await Promise.all(Array.from({ length: 30 }, () => add(id, lineOf(offer.id))));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(20);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(10);
    const rows = await api.db.manager.find(OrderOffer, { where: { orderId: id }, order: { position: "ASC" } });
    expect(rows.map(({ position }) => position)).toEqual(Array.from({ length: 20 }, (_, n) => n + 1));
  });
});
