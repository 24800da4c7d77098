import { randomUUID } from "node:crypto";
import fc from "fast-check";
import type { EntityManager } from "typeorm";
import { beforeAll, describe, expect, test } from "vitest";
import { orderOffers } from "../../../src/db/dao/orders/order-offers.ts";
import { payments } from "../../../src/db/dao/payments/payments.ts";
import { User } from "../../../src/db/entities/accounts/user.ts";
import { ConflictError } from "../../../src/errors.ts";
import { convertOrder } from "../../../src/services/orders/convert-order.ts";
import { movePayment, receivePaymentEvent } from "../../../src/services/payments/payment-states.ts";
import { createPayment } from "../../../src/services/payments/payments.ts";
import { commitWaybill } from "../../../src/services/stock/commit-waybill.ts";
import { addOffer } from "../../support/catalogue.ts";
import { useDatabase } from "../../support/database.ts";
import { addOrder } from "../../support/orders.ts";

type Step =
  | { do: "pay"; method: "CASH" | "INVOICE" | "CARD" | "BALANCE"; amountRub: number }
  | { do: "confirm" | "capture" | "refund" | "fail"; nth: number }
  | { do: "event"; state: "authorized" | "paid" | "failed"; nth: number }
  | { do: "deliver" };

const nth = fc.nat(5);
const pay = fc.record({
  do: fc.constant("pay" as const),
  method: fc.constantFrom("CASH" as const, "INVOICE" as const, "CARD" as const, "BALANCE" as const),
  amountRub: fc.integer({ min: 1, max: 900 }),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: pay },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom("confirm", "capture", "refund", "fail"), nth }) as fc.Arbitrary<Step>,
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("event" as const),
      state: fc.constantFrom("authorized", "paid", "failed"),
      nth,
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: "deliver" as const }) },
);

const moves = {
  confirm: { from: ["pending"], to: "paid", methods: ["CASH", "INVOICE"] },
  capture: { from: ["authorized"], to: "paid" },
  refund: { from: ["paid"], to: "refunded" },
  fail: { from: ["pending", "authorized"], to: "failed" },
} as const;

describe("the books of an order", () => {
  const db = useDatabase();
  const authorId = randomUUID();
  const [totalRub, startRub] = [1_000, 600];
  let offerId = "";

  beforeAll(async () => {
    await db.manager.insert(User, { id: authorId, email: "author@test.example", firstName: "A", lastName: "B" });
    offerId = (await addOffer(db, { quantity: 10_000 })).id;
  });

  async function start() {
    const userId = randomUUID();
    const email = `${userId}@test.example`;
    await db.manager.insert(User, { id: userId, email, firstName: "A", lastName: "B", balanceRub: startRub });
    const order = await addOrder(db, { userId, lines: [{ offerId, priceRub: totalRub / 2, quantity: 2 }] });
    return { userId, orderId: order.id, isDelivered: false };
  }
  type State = Awaited<ReturnType<typeof start>>;

  /** Does one thing, or nothing when the rules refuse it. */
  async function run(state: State, one: Step) {
    const work = db.transaction((tx) => {
      if (one.do === "deliver") return deliver(tx, state);
      return one.do === "pay" ? enter(tx, state, one) : move(tx, state, one);
    });
    await work.catch((error: unknown) => {
      if (!(error instanceof ConflictError)) throw error;
    });
  }

  async function enter(tx: EntityManager, { orderId }: State, { method, amountRub }: Extract<Step, { do: "pay" }>) {
    const id = randomUUID();
    const checkout = { provider: "test", reference: id, checkoutUrl: "https://pay.example" };
    const about = { id, orderId, createdBy: authorId, method, amountRub };
    await createPayment(tx, { ...about, checkout: method === "CARD" ? checkout : undefined });
  }

  async function move(tx: EntityManager, { orderId }: State, one: Exclude<Step, { do: "pay" | "deliver" }>) {
    const all = await payments.ofOrder(tx, orderId);
    const payment = all[one.nth % Math.max(1, all.length)];
    if (!payment) return;
    if (one.do !== "event") return movePayment(tx, { ...moves[one.do], id: payment.id });
    const { providerReference: reference, amountRub } = payment;
    if (reference === null) return;
    const event = { id: randomUUID(), reference, amountRub, state: one.state, failure: null };
    await receivePaymentEvent(tx, { provider: "test", event });
  }

  async function deliver(tx: EntityManager, state: State) {
    if (state.isDelivered) return;
    const waybillId = await convertOrder(tx, { orderId: state.orderId, authorId });
    await commitWaybill(tx, { waybillId, userId: authorId });
    state.isDelivered = true;
  }

  async function check({ userId, orderId, isDelivered }: State) {
    const all = await payments.ofOrder(db.manager, orderId);
    const paid = (isBalance: boolean) =>
      all
        .filter(({ state, method }) => state === "paid" && (method === "BALANCE") === isBalance)
        .reduce((sum, { amountRub }) => sum + amountRub, 0);
    const { balanceRub } = await db.manager.findOneByOrFail(User, { id: userId });
    const [{ sum }] = await db.query(
      "SELECT coalesce(sum(delta), 0)::int AS sum FROM user_balance_history WHERE user_id = $1",
      [userId],
    );
    expect(balanceRub).toBe(startRub + sum);
    expect(balanceRub).toBe(startRub + (isDelivered ? paid(false) - totalRub : -paid(true)));
    expect(await payments.activeRub(db.manager, orderId)).toBeLessThanOrEqual(
      await orderOffers.totalRub(db.manager, orderId),
    );
    if (!isDelivered) expect(balanceRub).toBeGreaterThanOrEqual(0);
  }

  test("add up after every step, whatever is done in whatever order", { timeout: 60_000 }, async () => {
    const sequences = fc.array(step, { minLength: 5, maxLength: 25 });
    await fc.assert(
      fc.asyncProperty(sequences, async (steps) => {
        const state = await start();
        for (const one of steps) {
          await run(state, one);
          await check(state);
        }
      }),
      { numRuns: 40, interruptAfterTimeLimit: 40_000 },
    );
  });
});
