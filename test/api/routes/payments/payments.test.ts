import { randomUUID } from "node:crypto";
import { beforeEach, describe, expect, test } from "vitest";
import { User } from "../../../../src/db/entities/accounts/user.ts";
import { BalanceEntry } from "../../../../src/db/entities/payments/balance-entry.ts";
import { type Payment, type PaymentState, paymentStates } from "../../../../src/db/entities/payments/payment.ts";
import { getOrderBooks, paidRub } from "../../../../src/services/payments/order-balance.ts";
import { commitWaybill } from "../../../../src/services/stock/commit-waybill.ts";
import { returnDelivery } from "../../../../src/services/stock/waybills.ts";
import { useApi, userIds } from "../../../support/api.ts";
import { addOffer } from "../../../support/catalogue.ts";
import { countStatements } from "../../../support/count-statements.ts";
import { addWaybillOf, deliver } from "../../../support/deliveries.ts";
import { addOrder } from "../../../support/orders.ts";
import { type Sending, send, sendPatiently } from "../../../support/shop.ts";

const unknownId = "0198f6b0-0000-7000-8000-000000000000";

describe("payments", () => {
  const api = useApi({ relay: false });
  let userId = "";
  let token = "";
  let offerId = "";
  const employee = () => ({ token: api.tokens.employee });

  beforeEach(async () => {
    userId = randomUUID();
    const name = { firstName: "Пётр", lastName: "Test" };
    await api.db.manager.insert(User, { id: userId, email: `${userId}@test.example`, ...name });
    token = await api.identity.token(userId);
    offerId ||= (await addOffer(api.db, { quantity: 1_000 })).id;
  });

  const request = (method: string, path: string, body?: unknown, options: Sending = {}) =>
    send(api, method, path, body, { token, ...options });
  const pay = (orderId: string, body: object, options?: Sending) =>
    request("POST", `/orders/${orderId}/payments`, body, options);
  const staff = (id: string, move: string) => request("POST", `/payments/${id}/${move}`, undefined, employee());
  const one = (id: string, options?: Sending) => request("GET", `/payments/${id}`, undefined, options);

  /** An order of the customer that comes to so much. */
  async function orderOf(totalRub: number, owner: string | null = userId) {
    const lines = [{ offerId, quantity: 1, priceRub: totalRub }];
    return (await addOrder(api.db, { userId: owner, lines })).id;
  }
  async function newPayment(totalRub: number, method = "CASH", state: PaymentState = "pending") {
    const orderId = await orderOf(totalRub);
    const { body } = await pay(orderId, { method });
    const isUnmatched = state === "unmatched" || state === "credited";
    await api.db.query(
      `UPDATE payments SET state = $2, unmatched_reason = $3, credited_to = $4, refunded_rub = $5 WHERE id = $1`,
      [
        ...[body.id, state, isUnmatched ? "nothing_due" : null, state === "credited" ? userId : null],
        state === "refunded" ? totalRub : 0,
      ],
    );
    return { ...body, orderId };
  }
  const setBalance = (balanceRub: number) => api.db.manager.update(User, { id: userId }, { balanceRub });
  const balance = async (id = userId) => (await api.db.manager.findOneByOrFail(User, { id })).balanceRub;
  const history = async () => {
    const rows = await api.db.manager.find(BalanceEntry, { where: { userId }, order: { createdAt: "ASC" } });
    return rows.map(({ reason, delta, balanceBefore, balanceAfter }) => [reason, delta, balanceBefore, balanceAfter]);
  };

  describe("POST", () => {
    test.each(["CASH", "INVOICE"])(
      "by %s waits for the money, all that is open unless it says less",
      async (method) => {
        const orderId = await orderOf(1_000);
        const { status, body } = await pay(orderId, { method, amount_rub: "400" });
        expect(status).toBe(201);
        expect(body).toEqual({
          ...{
            id: expect.any(String),
            order_id: orderId,
            method,
            state: "pending",
            amount_rub: 400,
            created_by: userId,
          },
          ...{ original_order_id: null, refunded_rub: 0, unmatched_reason: null, credited_to: null },
          ...{ provider: null, provider_reference: null, checkout_url: null, failure: null, paid_at: null },
          ...{ refunded_at: null, created_at: expect.any(String), updated_at: expect.any(String) },
        });
        expect((await pay(orderId, { method })).body.amount_rub).toBe(600);
        expect((await one(body.id)).body).toEqual(body);
      },
    );

    test("is refused when more is to be paid than is open", async () => {
      const orderId = await orderOf(1_000);
      const more = await pay(orderId, { method: "CASH", amount_rub: 1_001 });
      expect([more.status, more.body.detail]).toEqual([
        409,
        `'1001' roubles are more than the '1000' that are left to be paid for order '${orderId}'`,
      ]);
      await pay(orderId, { method: "CASH" });
      const nothing = await pay(orderId, { method: "CASH" });
      const promised =
        "'1000' are promised by payments that are pending or authorized: wait for them, or have staff fail them";
      expect([nothing.status, nothing.body.detail]).toEqual([
        409,
        `Nothing is left to be paid for order '${orderId}'; ${promised}`,
      ]);
      expect((await pay(await orderOf(0), { method: "CASH" })).status).toBe(409);
    });

    test("may take the place of one that has failed or was refunded", async () => {
      const first = await newPayment(500);
      await staff(first.id, "fail");
      const second = await pay(first.orderId, { method: "CASH" });
      await staff(second.body.id, "confirm");
      await staff(second.body.id, "refund");
      expect((await pay(first.orderId, { method: "CASH" })).body.amount_rub).toBe(500);
    });

    test("is for the order's owner and staff", async () => {
      const orderId = await orderOf(1_000);
      expect((await pay(orderId, { method: "CASH", amount_rub: 1 }, employee())).body.created_by).toBe(
        userIds.employee,
      );
      const foreign = await pay(orderId, { method: "CASH" }, { token: api.tokens.user });
      expect([foreign.status, foreign.body.detail]).toEqual([
        403,
        `Access denied: order '${orderId}' belongs to another user.`,
      ]);
      const unknown = await pay(unknownId, { method: "CASH" });
      expect([unknown.status, unknown.body.detail]).toEqual([404, "Order not found"]);
    });

    test("is refused for an order that is canceled", async () => {
      const { id } = await addOrder(api.db, { userId, status: "CANCELED", lines: [{ offerId }] });
      expect((await pay(id, { method: "CASH" })).body.detail).toBe(
        `Order '${id}' is canceled; nothing is to be paid for it`,
      );
    });

    test.each([
      ...[{}, { method: "BITCOIN" }, { method: "cash" }, { method: "CASH", amount_rub: 0 }],
      ...[
        { method: "CASH", amount_rub: -5 },
        { method: "CASH", amount_rub: 1.5 },
        { method: "CASH", amount_rub: 1e10 },
      ],
    ])("refuses %j", async (body) => {
      expect((await pay(await orderOf(1_000), body)).status).toBe(422);
    });

    test("takes no more than one payment holds", async () => {
      const lines = Array.from({ length: 3 }, () => ({ offerId, quantity: 1, priceRub: 1_000_000_000 }));
      const { id } = await addOrder(api.db, { userId, lines });
      for (const method of ["CASH", "CARD"]) {
        const { status, body } = await pay(id, { method });
        expect([status, body.detail]).toEqual([
          409,
          "'3000000000' roubles are too much for one payment; name an amount_rub up to 1000000000",
        ]);
      }
      expect((await pay(id, { method: "CASH", amount_rub: 1_000_000_000 })).status).toBe(201);
    });

    test("never stores data of a card, wherever it is sent", async () => {
      const orderId = await orderOf(100);
      const number = "4111111111111111";
      const body = { method: "CARD", card_number: number, cvv: "123", card: { number, exp: "12/30" } };
      expect((await pay(orderId, body, employee())).status).toBe(201);
      const tables = await api.db.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'");
      for (const { tablename } of tables) {
        const rows = await api.db.query(`SELECT t::text AS row FROM ${tablename} t`);
        const found = rows.filter(({ row }: { row: string }) => row.includes(number) || row.includes("cvv"));
        expect(found, tablename).toEqual([]);
      }
    });

    test("twice with one Idempotency-Key pays once, also when all is paid then", async () => {
      await setBalance(1_000);
      for (const method of ["CASH", "CARD", "BALANCE"]) {
        const orderId = await orderOf(100);
        const key = randomUUID();
        const [first, again] = [await pay(orderId, { method }, { key }), await pay(orderId, { method }, { key })];
        expect([first.status, again.status], method).toEqual([201, 201]);
        expect(again.body).toEqual(first.body);
        expect(again.headers.get("idempotency-replayed")).toBe("true");
        expect((await pay(orderId, { method, amount_rub: 1 }, { key })).status).toBe(422);
      }
      expect(await balance()).toBe(900);
    });
  });

  describe("GET", () => {
    test("lists those of an order for its owner and staff, oldest first", async () => {
      const orderId = await orderOf(100);
      const ids = [];
      for (let n = 0; n < 3; n++) ids.push((await pay(orderId, { method: "CASH", amount_rub: 10 })).body.id);
      const path = `/orders/${orderId}/payments`;
      const list = async (options?: Sending) =>
        (await request("GET", path, undefined, options)).body as unknown as Payment[];
      expect((await list()).map(({ id }) => id)).toEqual(ids);
      expect(await list(employee())).toEqual(await list());
      expect((await request("GET", path, undefined, { token: api.tokens.user })).status).toBe(403);
      expect((await request("GET", `/orders/${unknownId}/payments`)).status).toBe(404);
    });

    test("of one that belongs to another user looks like none", async () => {
      const { id } = await newPayment(100);
      const answers = [await one(id, { token: api.tokens.user }), await one(unknownId)];
      for (const { status, body } of answers) expect([status, body.detail]).toEqual([404, "Payment not found"]);
      expect((await one(id, employee())).status).toBe(200);
    });

    test("lists all for staff, newest first, by order, state and method", async () => {
      const { orderId, id } = await newPayment(100);
      await staff(id, "fail");
      const next = (await pay(orderId, { method: "INVOICE", amount_rub: 10 })).body;
      const list = async (query: string) => (await request("GET", `/payments?${query}`, undefined, employee())).body;
      const ids = async (query: string) => (await list(`order_id=${orderId}&${query}`)).items.map((item) => item.id);
      expect(await ids("")).toEqual([next.id, id]);
      expect(await ids("state=failed")).toEqual([id]);
      expect(await ids("method=INVOICE")).toEqual([next.id]);
      expect(await ids("method=CARD")).toEqual([]);
      expect(await list(`order_id=${orderId}&size=1&page=2`)).toMatchObject({
        total: 2,
        page: 2,
        pages: 2,
        items: [{ id }],
      });
      expect((await request("GET", "/payments")).status).toBe(403);
      for (const wrong of ["state=PAID", "method=x", "order_id=x", "size=0"]) {
        expect((await request("GET", `/payments?${wrong}`, undefined, employee())).status).toBe(422);
      }
    });

    test("lists twenty in as many statements as one", async () => {
      const orderId = await orderOf(100);
      const list = (size: number) => () => request("GET", `/payments?size=${size}`, undefined, employee());
      for (let n = 0; n < 20; n++) await pay(orderId, { method: "CASH", amount_rub: 1 });
      // The caller, the page, the count.
      expect([await countStatements(api.db, list(1)), await countStatements(api.db, list(20))]).toEqual([3, 3]);
    });
  });

  describe("moved by staff", () => {
    const moves = {
      confirm: { from: ["pending"], to: "paid" },
      capture: { from: ["authorized"], to: "paid" },
      refund: { from: ["paid", "unmatched"], to: "refunded" },
      fail: { from: ["pending", "authorized"], to: "failed" },
    } as const;
    const cases = Object.entries(moves).flatMap(([move, { from, to }]) =>
      paymentStates.map((state) => ({ move, state, to, isRight: (from as readonly string[]).includes(state), from })),
    );

    test.each(cases)("$move of one that is $state", async ({ move, state, to, isRight, from }) => {
      const { id } = await newPayment(100, "CASH", state);
      const { status, body } = await staff(id, move);
      if (isRight) return expect([status, body.state]).toEqual([200, to]);
      const expected = from.map((one) => `'${one}'`).join(" or ");
      expect([status, body.detail]).toEqual([
        409,
        `Payment '${id}' is '${state}'; only one that is ${expected} becomes '${to}' this way`,
      ]);
      expect((await one(id)).body.state).toBe(state);
    });

    test("notes when, and why", async () => {
      const { id } = await newPayment(100, "INVOICE");
      const paid = (await staff(id, "confirm")).body;
      expect(paid).toMatchObject({ state: "paid", paid_at: expect.any(String), refunded_at: null });
      expect((await staff(id, "refund")).body).toMatchObject({
        paid_at: paid.paid_at,
        refunded_at: expect.any(String),
      });
      const failed = await newPayment(100);
      expect((await staff(failed.id, "fail")).body.failure).toBe("Given up by staff");
    });

    test.each([
      ["confirm", "pending", "; what was paid in cash or by bank goes back the same way"],
      ["capture", "authorized", ", which gives its authorization up"],
    ] as const)("for a canceled order is told that to fail it is left instead of %s", async (move, state, advice) => {
      const { id, orderId } = await newPayment(100, "CASH", state);
      await api.db.query("UPDATE orders SET status = 'CANCELED' WHERE id = $1", [orderId]);
      const { status, body } = await staff(id, move);
      expect([status, body.detail]).toEqual([
        409,
        `Order '${orderId}' is canceled; mark payment '${id}' as failed${advice}`,
      ]);
      expect((await staff(id, "fail")).status).toBe(200);
    });

    test("is confirmed by hand only when it is CASH or INVOICE", async () => {
      const { id } = await newPayment(100, "CARD");
      const { status, body } = await staff(id, "confirm");
      expect([status, body.detail]).toEqual([
        409,
        "A payment by 'CARD' becomes 'paid' when its provider says so, and not by hand",
      ]);
    });

    test("once, with one Idempotency-Key", async () => {
      const { id } = await newPayment(100);
      const options = { ...employee(), key: randomUUID() };
      const answers = [];
      for (let n = 0; n < 2; n++) answers.push(await request("POST", `/payments/${id}/confirm`, undefined, options));
      expect(answers.map(({ status }) => status)).toEqual([200, 200]);
      expect((await staff(id, "confirm")).status).toBe(409);
      expect((await staff(unknownId, "confirm")).body.detail).toBe("Payment not found");
    });
  });

  describe("from the balance", () => {
    test("takes the money at once, and gives it back with a refund", async () => {
      await setBalance(1_000);
      const orderId = await orderOf(700);
      const { status, body } = await pay(orderId, { method: "BALANCE" });
      expect([status, body.state, body.amount_rub]).toEqual([201, "paid", 700]);
      expect(body.paid_at).not.toBeNull();
      expect(await balance()).toBe(300);
      expect((await staff(body.id, "refund")).body.state).toBe("refunded");
      expect(await balance()).toBe(1_000);
      expect(await history()).toEqual([
        ["ORDER_PAYMENT", -700, 1_000, 300],
        ["ORDER_REFUND", 700, 300, 1_000],
      ]);
      expect(await api.db.manager.countBy(BalanceEntry, { paymentId: body.id })).toBe(2);
    });

    test("is refused with too little on it, and says how much there is", async () => {
      await setBalance(699);
      const orderId = await orderOf(700);
      const { status, body } = await pay(orderId, { method: "BALANCE" });
      expect([status, body.detail]).toEqual([409, "The balance of '699' roubles is less than the '700' to be paid"]);
      expect((await pay(orderId, { method: "BALANCE", amount_rub: 699 })).status).toBe(201);
      expect(await balance()).toBe(0);
      expect((await pay(orderId, { method: "BALANCE" })).status).toBe(409);
    });

    test("takes it from the customer when staff pays, never from staff", async () => {
      await setBalance(50);
      await api.db.manager.update(User, { id: userIds.employee }, { balanceRub: 1_000 });
      const orderId = await orderOf(100);
      expect((await pay(orderId, { method: "BALANCE" }, employee())).status).toBe(409);
      expect((await pay(orderId, { method: "BALANCE", amount_rub: 50 }, employee())).status).toBe(201);
      expect([await balance(), await balance(userIds.employee)]).toEqual([0, 1_000]);
    });

    test("is refused for a guest's order", async () => {
      const orderId = await orderOf(100, null);
      const { status, body } = await pay(orderId, { method: "BALANCE" }, employee());
      expect([status, body.detail]).toEqual([
        409,
        `Order '${orderId}' belongs to no account, so there is no balance to pay from; choose another method`,
      ]);
    });

    test("is refused for goods that staff has booked for itself", async () => {
      const orderId = await orderOf(700, userIds.employee);
      await deliver(api, { orderId });
      const { status, body } = await pay(orderId, { method: "BALANCE" }, employee());
      expect([status, body.detail]).toEqual([
        409,
        `Staff has booked the goods of order '${orderId}' for itself, so nothing is paid for them from a balance; choose another method`,
      ]);
    });

    test("is refused after the goods have left, both ways", async () => {
      await setBalance(1_000);
      const orderId = await orderOf(700);
      const { body } = await pay(orderId, { method: "BALANCE", amount_rub: 100 });
      await deliver(api, { orderId });
      const [more, back] = [await pay(orderId, { method: "BALANCE" }), await staff(body.id, "refund")];
      expect([more.status, more.body.detail]).toEqual([
        409,
        `The goods of order '${orderId}' have left, and the balance has been charged for them already`,
      ]);
      expect([back.status, back.body.detail]).toEqual([
        409,
        `The goods of order '${orderId}' have left; take them back with a WAYBILL_RETURN, which raises the balance`,
      ]);
      expect(await balance()).toBe(300);
      const [{ id: deliveryId }] = await api.db.query("SELECT id FROM waybills WHERE order_id = $1", [orderId]);
      await api.context.transact({ actorId: null, traceId: null }, async (tx) => {
        const waybillId = await returnDelivery(tx, { deliveryId, authorId: userIds.employee });
        await commitWaybill(tx, { waybillId, userId: userIds.employee });
      });
      expect(await balance()).toBe(1_000);
      expect((await staff(body.id, "refund")).body.detail).toBe(
        `The goods of order '${orderId}' have left; they have come back, and that has raised the balance`,
      );
    });

    test("is given back for goods that staff had booked for itself and that came back, and not before", async () => {
      await api.db.manager.update(User, { id: userIds.employee }, { balanceRub: 1_000 });
      const orderId = await orderOf(700, userIds.employee);
      const { body } = await pay(orderId, { method: "BALANCE" }, employee());
      const asStaff = (path: string) => request("POST", path, {}, employee());
      const waybill = await asStaff(`/orders/${orderId}/convert`);
      await asStaff(`/waybills/${waybill.body.id}/commit`);
      const early = await staff(body.id, "refund");
      expect([early.status, early.body.detail]).toEqual([
        409,
        `The goods of order '${orderId}' have left; take them back with a WAYBILL_RETURN, and refund it then`,
      ]);
      const back = await asStaff(`/waybills/${waybill.body.id}/return`);
      await asStaff(`/waybills/${back.body.id}/commit`);
      expect((await staff(body.id, "refund")).status).toBe(200);
      expect(await balance(userIds.employee)).toBe(1_000);
    });
  });

  describe("and the books", () => {
    const cover = (orderId: string) => getOrderBooks(api.db.manager, orderId).then(paidRub);

    test("before the goods leave, what is paid covers the waybill and touches no balance", async () => {
      const { orderId, id } = await newPayment(700);
      expect(await cover(orderId)).toBe(0);
      await staff(id, "confirm");
      expect([await cover(orderId), await history()]).toEqual([700, []]);
      await deliver(api, { orderId });
      expect([await balance(), await history()]).toEqual([0, []]);
    });

    test("a waybill that is pending has not left", async () => {
      await setBalance(100);
      const { orderId, id } = await newPayment(700);
      await addWaybillOf(api, { orderId, customerId: userId, isPending: true });
      await staff(id, "confirm");
      expect(await history()).toEqual([]);
      await staff(id, "refund");
      const { body } = await pay(orderId, { method: "BALANCE", amount_rub: 100 });
      await staff(body.id, "refund");
      expect(await history()).toEqual([
        ["ORDER_PAYMENT", -100, 100, 0],
        ["ORDER_REFUND", 100, 0, 100],
      ]);
    });

    test("a refund before the goods leave touches no balance, and they are charged then", async () => {
      const { orderId, id } = await newPayment(700);
      await staff(id, "confirm");
      await staff(id, "refund");
      expect([await cover(orderId), await history()]).toEqual([0, []]);
      await deliver(api, { orderId });
      expect(await balance()).toBe(-700);
    });

    test("money that comes after the goods have left raises the balance, and its refund lowers it", async () => {
      const { orderId, id } = await newPayment(700);
      await deliver(api, { orderId });
      await staff(id, "confirm");
      expect(await balance()).toBe(0);
      await staff(id, "refund");
      expect(await history()).toEqual([
        ["WAYBILL_PAYMENT", -700, 0, -700],
        ["ORDER_PAYMENT", 700, -700, 0],
        ["ORDER_REFUND", -700, 0, -700],
      ]);
    });

    test("a refund after the goods have left is owed, also of what was paid before", async () => {
      const { orderId, id } = await newPayment(700);
      await staff(id, "confirm");
      await deliver(api, { orderId });
      await staff(id, "refund");
      expect(await history()).toEqual([["ORDER_REFUND", -700, 0, -700]]);
    });

    test("a failure never touches a balance", async () => {
      const { orderId, id } = await newPayment(700);
      await deliver(api, { orderId });
      await staff(id, "fail");
      expect(await balance()).toBe(-700);
    });

    test("a guest has no balance, nor has the author whose waybill it became", async () => {
      const orderId = await orderOf(700, null);
      const before = await balance(userIds.employee);
      await deliver(api, { orderId });
      const { body } = await pay(orderId, { method: "CASH" }, employee());
      expect((await staff(body.id, "confirm")).status).toBe(200);
      expect((await staff(body.id, "refund")).status).toBe(200);
      expect(await balance(userIds.employee)).toBe(before);
    });

    test.each([0, 1, 2, 3])("balance = paid - delivered when the goods leave after step %i", async (at) => {
      const orderId = await orderOf(1_000);
      const cash = (await pay(orderId, { method: "CASH", amount_rub: 300 })).body;
      const invoice = (await pay(orderId, { method: "INVOICE", amount_rub: 500 })).body;
      const steps: (() => Promise<unknown>)[] = [
        () => staff(cash.id, "confirm"),
        () => staff(invoice.id, "confirm"),
        () => staff(cash.id, "refund"),
      ];
      for (const step of steps.toSpliced(at, 0, () => deliver(api, { orderId }))) await step();
      const sum = (await history()).reduce((total, [, delta]) => total + Number(delta), 0);
      expect([await balance(), sum]).toEqual([500 - 1_000, 500 - 1_000]);
    });

    test("what is paid while the goods leave is either covered or credited, never lost", async () => {
      for (let n = 0; n < 10; n++) {
        await setBalance(0);
        const { orderId, id } = await newPayment(700);
        await Promise.all([deliver(api, { orderId }), staff(id, "confirm")]);
        expect(await balance()).toBe(0);
      }
    });
  });

  describe("by many at once", () => {
    test("never come to more than the order's total", { timeout: 60_000 }, async () => {
      const orderId = await orderOf(1_000);
      const answers = await Promise.all(
        Array.from({ length: 100 }, () =>
          sendPatiently(
            api,
            "POST",
            `/orders/${orderId}/payments`,
            { method: "CASH", amount_rub: 30 },
            { token, key: randomUUID() },
          ),
        ),
      );
      expect(answers.filter(({ status }) => status === 201)).toHaveLength(33);
      expect(answers.filter(({ status }) => status === 409)).toHaveLength(67);
      const sums = await api.db.query("SELECT sum(amount_rub)::int AS sum FROM payments WHERE order_id = $1", [
        orderId,
      ]);
      expect(sums).toEqual([{ sum: 990 }]);
    });

    test("never overdraw the balance", { timeout: 60_000 }, async () => {
      await setBalance(1_000);
      const orderIds = await Promise.all(Array.from({ length: 100 }, () => orderOf(50)));
      const answers = await Promise.all(
        orderIds.map((orderId) =>
          sendPatiently(
            api,
            "POST",
            `/orders/${orderId}/payments`,
            { method: "BALANCE" },
            { token, key: randomUUID() },
          ),
        ),
      );
      expect(answers.filter(({ status }) => status === 201)).toHaveLength(20);
      expect(answers.filter(({ status }) => status === 409)).toHaveLength(80);
      expect(await balance()).toBe(0);
      const entries = (await history()).toSorted((a, b) => Number(b[2]) - Number(a[2]));
      expect(entries).toEqual(
        Array.from({ length: 20 }, (_, n) => ["ORDER_PAYMENT", -50, 1_000 - 50 * n, 950 - 50 * n]),
      );
    });

    test("are moved once", async () => {
      const { id } = await newPayment(100);
      const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => staff(id, n % 2 ? "confirm" : "fail")));
      expect(answers.map(({ status }) => status).toSorted()).toEqual([200, ...Array.from({ length: 9 }, () => 409)]);
    });

    test("are refunded to the balance once", async () => {
      await setBalance(100);
      const { id } = await newPayment(100, "BALANCE", "paid");
      await Promise.all(Array.from({ length: 10 }, () => staff(id, "refund")));
      expect(await balance()).toBe(100);
    });
  });
});
