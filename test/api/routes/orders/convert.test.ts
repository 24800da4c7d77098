import { describe, expect, test } from "vitest";
import { Order } from "../../../../src/db/entities/orders/order.ts";
import { OrderOffer } from "../../../../src/db/entities/orders/order-offer.ts";
import { Waybill } from "../../../../src/db/entities/stock/waybill.ts";
import { WaybillOffer } from "../../../../src/db/entities/stock/waybill-offer.ts";
import { useApi, userIds } from "../../../support/api.ts";
import { addOffer } from "../../../support/catalogue.ts";
import { countStatements } from "../../../support/count-statements.ts";
import { brokenRules } from "../../../support/invariants.ts";
import { untilBlocked } from "../../../support/locks.ts";
import { addOrder, addPayment } from "../../../support/orders.ts";
import { parallel, send } from "../../../support/send.ts";
import { addUser } from "../../../support/users.ts";

describe("POST /orders/{id}/convert", () => {
  const api = useApi({ relay: false });
  const unknownId = "6a0b7e0e-3c1d-4f6a-9b0e-2d4c5e6f7a81";

  const convert = (id: string, options = {}, path = "") => send(api, "POST", `${path}/orders/${id}/convert`, options);
  const linesOf = (waybillId: string) =>
    api.db.manager.find(WaybillOffer, { where: { waybillId }, order: { id: "ASC" } });
  const expectOne = (answers: Awaited<ReturnType<typeof convert>>[]) => {
    const refused = answers.filter(({ status }) => status !== 201);
    expect(refused).toHaveLength(answers.length - 1);
    for (const answer of refused) expect(answer).toMatchObject(already);
  };
  const already = { status: 400, body: { detail: "Order is already converted to a waybill" } };

  test("makes a pending waybill out for the order's user with note, lines and stored prices", async () => {
    const customer = await addUser(api.db, { customerType: "USER_SUPER_WHOLESALE", shippingMethod: "OTHER" });
    const [first, second] = [await addOffer(api.db), await addOffer(api.db, { isDeleted: true })];
    const order = await addOrder(api.db, {
      userId: customer.id,
      note: "позвонить",
      status: "IN_PROGRESS",
      lines: [
        { offerId: second.id, quantity: 99, priceRub: 700, brand: "Прежняя", manufacturerNumber: "OLD-1" },
        { offerId: first.id, quantity: 2, priceRub: 800 },
        { offerId: second.id, quantity: 1, priceRub: 0 },
      ],
    });
    const before = await api.db.manager.findOneBy(Order, { id: order.id });
    const linesBefore = await api.db.manager.findBy(OrderOffer, { orderId: order.id });

    const { status, body } = await convert(order.id);
    expect(status).toBe(201);
    expect(body).toMatchObject({
      order_id: order.id,
      waybill_type: "WAYBILL_OUT",
      is_pending: true,
      note: "позвонить",
      author: { id: userIds.employee },
      customer: { id: customer.id, shipping_method: null },
    });
    const lines = await linesOf(body.id);
    expect(lines.map((one) => [one.offerId, one.quantity, one.priceRub, one.brand, one.manufacturerNumber])).toEqual([
      [second.id, 99, 700, "Прежняя", "OLD-1"],
      [first.id, 2, 800, "ACME", "AC-100"],
      [second.id, 1, 0, "ACME", "AC-100"],
    ]);
    expect(await api.db.manager.findOneBy(Order, { id: order.id })).toEqual(before);
    expect(await api.db.manager.findBy(OrderOffer, { orderId: order.id })).toEqual(linesBefore);
  });

  test.each([
    ["no body", undefined],
    ["an empty object", {}],
    ["anything else", { note: "x", customer_id: unknownId, waybill_type: "WAYBILL_IN" }],
  ])("takes %s, and shows the warehouse its own representation", async (_what, body) => {
    const customer = await addUser(api.db, { shippingMethod: "OTHER" });
    const order = await addOrder(api.db, { userId: customer.id });
    const answer = await convert(order.id, { body, token: api.tokens.admin }, "/warehouse");
    expect(answer).toMatchObject({
      status: 201,
      body: {
        waybill_type: "WAYBILL_OUT",
        note: null,
        author: { id: userIds.admin },
        customer: { id: customer.id, shipping_method: "OTHER" },
      },
    });
    expect(await linesOf(answer.body.id)).toEqual([]);
  });

  test("books a guest's order on the author, who then owes nothing", async () => {
    const offer = await addOffer(api.db);
    const order = await addOrder(api.db, { lines: [{ offerId: offer.id, quantity: 2 }] });
    const { body } = await convert(order.id);
    expect(body).toMatchObject({ customer_id: userIds.employee, author: { id: userIds.employee } });
    const committed = await send(api, "POST", `/waybills/${body.id}/commit`);
    expect(committed).toMatchObject({ status: 201, body: { customer: { balance_rub: 0 } } });
    expect(await brokenRules(api.db)).toEqual({});
  });

  test("charges only what has not been paid when the waybill is committed", async () => {
    const [customer, offer] = [await addUser(api.db), await addOffer(api.db)];
    const lines = [{ offerId: offer.id, quantity: 3, priceRub: 1_000 }];
    const order = await addOrder(api.db, { userId: customer.id, lines });
    await addPayment(api.db, { orderId: order.id, amountRub: 1_200 });
    await addPayment(api.db, { orderId: order.id, amountRub: 1_800, state: "pending" });
    const { body } = await convert(order.id);
    const committed = await send(api, "POST", `/waybills/${body.id}/commit`);
    expect(committed).toMatchObject({ status: 201, body: { customer: { balance_rub: -1_800 } } });
    expect(await brokenRules(api.db)).toEqual({});
  });

  test("answers 404 to an unknown order and 422 to what is no id", async () => {
    expect(await convert(unknownId)).toMatchObject({ status: 404, body: { detail: "Order not found" } });
    expect((await convert("42")).status).toBe(422);
  });

  test("answers 400 to an order that has a waybill, pending or not, and takes it again when that is deleted", async () => {
    const order = await addOrder(api.db);
    const first = await convert(order.id);
    expect(await convert(order.id)).toMatchObject(already);
    expect((await send(api, "DELETE", `/waybills/${first.body.id}`)).status).toBe(204);
    const second = await convert(order.id);
    expect(second.status).toBe(201);
    expect((await send(api, "POST", `/waybills/${second.body.id}/commit`)).status).toBe(201);
    expect(await convert(order.id)).toMatchObject(already);
  });

  test("is for staff", async () => {
    const order = await addOrder(api.db, { userId: userIds.user });
    expect((await convert(order.id, { token: "" })).status).toBe(401);
    expect((await convert(order.id, { token: api.tokens.user })).status).toBe(403);
    expect(await api.db.manager.countBy(Waybill, { orderId: order.id })).toBe(0);
  });

  test("takes as many statements for fifty lines as for one", async () => {
    const offer = await addOffer(api.db);
    const count = async (size: number) => {
      const order = await addOrder(api.db, { lines: Array.from({ length: size }, () => ({ offerId: offer.id })) });
      return countStatements(api.db, () => convert(order.id));
    };
    const one = await count(1);
    expect(await count(50)).toBe(one);
  });

  test("makes one waybill however many ask at once", async () => {
    const offer = await addOffer(api.db);
    const order = await addOrder(api.db, { lines: [{ offerId: offer.id }] });
    const answers = await parallel(Array.from({ length: 50 }, () => () => convert(order.id)));
    expectOne(answers);
    expect(await linesOf(String(answers.find(({ status }) => status === 201)?.body.id))).toHaveLength(1);
  });

  test("makes one waybill also when all of them have come as far as they can before the first may go on", async () => {
    const order = await addOrder(api.db);
    const other = api.db.createQueryRunner();
    await other.startTransaction();
    await other.query("SELECT 1 FROM orders WHERE id = $1 FOR UPDATE", [order.id]);
    const answers = Array.from({ length: 8 }, () => convert(order.id));
    await untilBlocked(api.db, 8);
    await other.commitTransaction();
    await other.release();
    expectOne(await Promise.all(answers));
    expect(await api.db.manager.countBy(Waybill, { orderId: order.id })).toBe(1);
  });

  test("and a waybill made by hand for the same order at once leave one waybill", async () => {
    const offer = await addOffer(api.db);
    const order = await addOrder(api.db, { lines: [{ offerId: offer.id, quantity: 2 }] });
    const lines = [{ offer_id: offer.id, quantity: 2 }];
    const body = { waybill_type: "WAYBILL_OUT", is_pending: true, order_id: order.id, waybill_offers: lines };
    const answers = await parallel(
      Array.from(
        { length: 20 },
        (_, n) => () => (n % 2 ? convert(order.id) : send(api, "POST", "/waybills", { body })),
      ),
    );
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 201)).toHaveLength(1);
    expect(statuses.every((status) => [201, 400, 409].includes(status))).toBe(true);
    expect(await api.db.manager.countBy(Waybill, { orderId: order.id })).toBe(1);
  });
});
