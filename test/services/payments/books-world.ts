import { randomUUID } from "node:crypto";
import fc from "fast-check";
import type { DataSource, EntityManager, QueryRunner } from "typeorm";
import { orderOffers } from "../../../src/db/dao/orders/order-offers.ts";
import { bookRules } from "../../../src/db/dao/payments/books.ts";
import { User } from "../../../src/db/entities/accounts/user.ts";
import { Order, orderStatuses } from "../../../src/db/entities/orders/order.ts";
import { Payment } from "../../../src/db/entities/payments/payment.ts";
import { Refund } from "../../../src/db/entities/payments/refund.ts";
import { Waybill, waybillTypes } from "../../../src/db/entities/stock/waybill.ts";
import { createTransact } from "../../../src/engine/transaction.ts";
import { AppError, NotFoundError } from "../../../src/errors.ts";
import { convertOrder } from "../../../src/services/orders/convert-order.ts";
import { addOrderLine, changeOrderLine, removeOrderLine } from "../../../src/services/orders/order-offers.ts";
import { changeOrder, createOrder, deleteOrder } from "../../../src/services/orders/orders.ts";
import { changeBalance } from "../../../src/services/payments/balances.ts";
import { dueRub, getOrderBooks } from "../../../src/services/payments/order-balance.ts";
import { movePayment, receivePaymentEvent } from "../../../src/services/payments/payment-states.ts";
import { createPayment } from "../../../src/services/payments/payments.ts";
import {
  completeRefund,
  failRefund,
  receiveRefundEvent,
  refundPayment,
} from "../../../src/services/payments/refunds.ts";
import { assignToBalance, assignToOrder } from "../../../src/services/payments/unmatched-money.ts";
import { commitWaybill } from "../../../src/services/stock/commit-waybill.ts";
import { addLine, changeLine, getLines, removeLine } from "../../../src/services/stock/waybill-offers.ts";
import { changeWaybill, createWaybill, deleteWaybill, returnDelivery } from "../../../src/services/stock/waybills.ts";
import { addOffer } from "../../support/catalogue.ts";

/** What one act may refer to; each is there only when the shop has one. */
interface Scene {
  /** Choices among rows and values. */
  a: number;
  b: number;
  staff: string;
  customer: string;
  customers: readonly string[];
  offers: readonly string[];
  line: { offerId: string; quantity: number };
  order: Order | undefined;
  otherOrder: Order | undefined;
  waybill: Waybill | undefined;
  payment: Payment | undefined;
  /** A payment by card that the provider knows, also when it is not here any more. */
  card: Money | undefined;
}

/** Money at a provider. */
interface Money {
  reference: string;
  provider: string;
  rub: number;
}

/** Returns the money that the provider has taken, if it has taken any. */
type Act = (tx: EntityManager, scene: Scene) => Promise<Money | undefined>;

/** Makes an act of something that takes no money. */
const act =
  (work: (tx: EntityManager, scene: Scene) => Promise<unknown>): Act =>
  async (tx, scene) => {
    await work(tx, scene);
    return undefined;
  };

const ofOrder = (work: (tx: EntityManager, scene: Scene & { order: Order }) => Promise<unknown>) =>
  act(async (tx, scene) => scene.order && work(tx, { ...scene, order: scene.order }));
const ofWaybill = (work: (tx: EntityManager, scene: Scene & { waybill: Waybill }) => Promise<unknown>) =>
  act(async (tx, scene) => scene.waybill && work(tx, { ...scene, waybill: scene.waybill }));
const ofPayment = (work: (tx: EntityManager, scene: Scene & { payment: Payment }) => Promise<unknown>) =>
  act(async (tx, scene) => scene.payment && work(tx, { ...scene, payment: scene.payment }));

const pickLine = async (tx: EntityManager, { order, b }: Scene & { order: Order }) => {
  const lines = await orderOffers.ofOrders(tx, [order.id]);
  return lines[b % Math.max(1, lines.length)];
};

const staffMoves = [
  { from: ["pending"], to: "paid", methods: ["CASH", "INVOICE"] },
  { from: ["authorized"], to: "paid" },
  { from: ["pending", "authorized"], to: "failed" },
] as const;

/** Everything that can be done. */
const acts: Record<string, Act> = {
  order: act((tx, { a, b, customers, offers, staff }) => {
    const person = { firstName: "A", lastName: "B", email: "a@test.example", phone: "+79780000000" };
    return createOrder(tx, {
      callerId: [...customers, null, staff][a % 4] ?? null,
      claimedUserId: null,
      status: "NEW",
      note: null,
      contact: { shippingMethod: "SELF_PICKUP", ...person },
      lines: offers.slice(0, 1 + (a % 2)).map((offerId) => ({ offerId, quantity: 1 + (b % 3) })),
    });
  }),
  adjust: act((tx, { a, customer: userId }) =>
    changeBalance(tx, { userId, currency: "RUB", delta: 100 * a, reason: "ADMIN_ADJUSTMENT" }),
  ),
  addLine: ofOrder((tx, { order, line }) => addOrderLine(tx, { orderId: order.id, line })),
  editLine: ofOrder(async (tx, scene) => {
    const line = await pickLine(tx, scene);
    const change = scene.a % 2 === 0 ? { quantity: 1 + (scene.a % 5) } : { priceRub: 100 * (1 + (scene.a % 6)) };
    return line && changeOrderLine(tx, { id: line.id, change });
  }),
  dropLine: ofOrder(async (tx, scene) => {
    const line = await pickLine(tx, scene);
    return line && removeOrderLine(tx, { id: line.id });
  }),
  convert: ofOrder((tx, { order, staff }) => convertOrder(tx, { orderId: order.id, authorId: staff })),
  status: ofOrder((tx, { order, b, staff }) =>
    changeOrder(tx, { id: order.id, change: { status: orderStatuses[b % 4] ?? "NEW" }, actorId: staff }),
  ),
  cancel: ofOrder((tx, { order, b, staff }) => {
    const policy = b % 2 === 0 ? "keep" : "refund";
    return changeOrder(tx, { id: order.id, change: { status: "CANCELED" }, payments: policy, actorId: staff });
  }),
  dropOrder: ofOrder((tx, { order }) => deleteOrder(tx, { id: order.id })),
  pay: ofOrder(async (tx, { order, a, b, staff }) => {
    const method = (["BALANCE", "CASH", "INVOICE", "CARD", "CARD"] as const)[b % 5] ?? "CASH";
    const id = randomUUID();
    // Of the second one, jobs do what is decided here: see `settle`.
    const provider = a % 2 === 0 ? "test" : "yookassa";
    const checkout = { provider, reference: id, checkoutUrl: "https://pay.example" };
    const amountRub = a % 3 === 0 ? undefined : 150 * a;
    const request = { id, orderId: order.id, method, amountRub, createdBy: staff };
    return createPayment(tx, { ...request, checkout: method === "CARD" ? checkout : undefined });
  }),
  waybill: act((tx, { a, b, staff, customer, order, waybill, line }) =>
    createWaybill(tx, {
      authorId: staff,
      customerId: a % 4 === 0 ? null : customer,
      orderId: a % 2 === 0 ? (order?.id ?? null) : null,
      returnOf: a % 3 === 0 ? (waybill?.id ?? null) : null,
      waybillType: waybillTypes[b % 3] ?? "WAYBILL_OUT",
      note: null,
      lines: [line],
    }),
  ),
  commit: ofWaybill((tx, { waybill, staff }) => commitWaybill(tx, { waybillId: waybill.id, userId: staff })),
  return: ofWaybill((tx, { waybill, staff }) => returnDelivery(tx, { deliveryId: waybill.id, authorId: staff })),
  dropWaybill: ofWaybill((tx, { waybill }) => deleteWaybill(tx, waybill.id)),
  patchWaybill: ofWaybill((tx, { waybill, customer, order, a, b }) => {
    const changes = [
      { customerId: customer },
      { customerId: null },
      { orderId: order?.id ?? null },
      { orderId: null },
      { waybillType: waybillTypes[a % 3] },
      { waybillType: "WAYBILL_RETURN" as const, orderId: null },
    ];
    return changeWaybill(tx, waybill.id, changes[b % 6] ?? {});
  }),
  waybillLine: ofWaybill(async (tx, { waybill: { id }, line, a, b }) => {
    const lines = await getLines(tx, id);
    const some = lines[b % Math.max(1, lines.length)];
    if (!some || a % 4 === 0) return addLine(tx, { waybillId: id, ...line });
    if (a % 4 === 1) return removeLine(tx, some.id);
    return changeLine(tx, some.id, a % 4 === 2 ? { quantity: 1 + (a % 7) } : { priceRub: 100 * b });
  }),
  async event(tx, { card, b }) {
    if (!card) return;
    const { reference, provider } = card;
    const state = (["paid", "paid", "failed", "authorized"] as const)[b % 4] ?? "paid";
    const rub = b === 4 ? card.rub + 50 : card.rub;
    const before = await tx.findOneBy(Payment, { providerReference: reference });
    const order = before?.orderId ? await tx.findOneBy(Order, { id: before.orderId }) : null;
    const due = order && dueRub(await getOrderBooks(tx, order.id));
    const event = { id: randomUUID(), reference, state, amountRub: rub, failure: null };
    const { outcome } = await receivePaymentEvent(tx, { provider, event }).catch((error: unknown) => {
      // The provider has the money, whatever is known of it here.
      if (error instanceof NotFoundError) return { outcome: "done" };
      throw error;
    });
    if (state === "paid" && outcome === "done" && order?.status === "CANCELED" && rub > Number(due))
      throw new Error(`'${rub}' roubles were taken for a canceled order`);
    const isNews = outcome !== "ignored" || rub === card.rub;
    return state === "paid" && isNews ? { ...card, rub } : undefined;
  },
  staff: ofPayment((tx, { payment, b }) =>
    movePayment(tx, { ...(staffMoves[b % 3] ?? staffMoves[0]), id: payment.id }),
  ),
  refund: ofPayment((tx, { payment, waybill, a, b }) => {
    const amountRub = b % 2 === 0 ? undefined : 100 * (1 + a);
    const waybillId = b % 4 === 3 ? (waybill?.id ?? null) : null;
    return refundPayment(tx, { paymentId: payment.id, amountRub, waybillId, createdBy: null });
  }),
  /** The provider pays out a refund, refuses it, or reports one of its cabinet. */
  settle: act(async (tx, { payment, a, b }) => {
    const pending = await tx.find(Refund, { where: { state: "pending" }, order: { createdAt: "ASC", id: "ASC" } });
    const refund = pending[a % Math.max(1, pending.length)];
    if (refund && b % 3 === 0) return failRefund(tx, refund.id, "Refused");
    if (refund) return completeRefund(tx, refund.id);
    if (!payment?.providerReference || !payment.provider) return;
    const leftRub = payment.amountRub - payment.refundedRub;
    const amountRub = Math.min(leftRub, 100 * (1 + b));
    const event = { id: randomUUID(), reference: payment.providerReference, key: null, amountRub };
    if (amountRub > 0)
      await receiveRefundEvent(tx, { provider: payment.provider, event: { ...event, refundReference: event.id } });
  }),
  assign: ofPayment(async (tx, { payment, otherOrder, customer, a }) => {
    const [unmatched = payment] = await tx.find(Payment, { where: { state: "unmatched" } });
    if (a % 2 === 0 && otherOrder) return assignToOrder(tx, { id: unmatched.id, orderId: otherOrder.id });
    return assignToBalance(tx, { id: unmatched.id, userId: customer });
  }),
};

/** What happens often comes more than once. */
const kinds = [
  ...Object.keys(acts),
  ...["order", "pay", "pay", "convert", "convert", "commit", "commit", "commit", "patchWaybill", "patchWaybill"],
  ...["event", "event", "event", "event", "staff", "refund", "settle", "cancel", "dropOrder", "assign", "return"],
];

export interface Step {
  do: string;
  /** Choices among rows and values. */
  a: number;
  b: number;
  /** The process dies before the commit. */
  crash: boolean;
}

export const step: fc.Arbitrary<Step> = fc.record({
  do: fc.constantFrom(...kinds),
  a: fc.nat(11),
  b: fc.nat(11),
  crash: fc.nat(9).map((n) => n === 9),
});

/** One actor does something, or two do at the same moment. */
export const history = fc.array(fc.oneof({ weight: 4, arbitrary: fc.tuple(step) }, fc.tuple(step, step)), {
  minLength: 4,
  maxLength: 30,
});

/** An order of a customer with a payment by card, and one of a guest whose goods have left. */
const prelude = [
  { do: "order", a: 0, b: 2 },
  { do: "order", a: 2, b: 2 },
  { do: "pay", a: 0, b: 3 },
  { do: "convert", a: 1, b: 0 },
  { do: "commit", a: 1, b: 0 },
];

const tables =
  "user_balance_history, refunds, payments, invoices, stock_movements, waybill_offers, waybills, order_offers, orders";

const checkSql = bookRules
  .map(({ name, sql }) => `SELECT '${name}' AS rule, id::text, says FROM (${sql}) AS "${name}"`)
  .join("\nUNION ALL\n");

class Crash extends Error {}

/** A small shop in which anything may be done, and whose books are checked after each step. */
export class World {
  readonly #db: DataSource;
  readonly #transact: ReturnType<typeof createTransact>;
  readonly #staff: string[] = [];
  readonly #customers: string[] = [];
  readonly #offers: string[] = [];
  #checks: QueryRunner | undefined;
  /** Money that the provider has taken, by its reference. */
  #arrived = new Map<string, number>();
  /** Every payment by card that there ever was, with its first amount. */
  #cards = new Map<string, Money>();

  constructor(db: DataSource) {
    this.#db = db;
    this.#transact = createTransact(db, () => undefined);
  }

  /** Makes the people and the goods; once. */
  async open() {
    for (const list of [this.#staff, this.#staff, this.#customers, this.#customers]) {
      const id = randomUUID();
      const role = list === this.#staff ? "EMPLOYEE" : "USER";
      const names = { email: `${id}@test.example`, firstName: "A", lastName: "B" };
      await this.#db.manager.insert(User, { id, role, ...names });
      list.push(id);
    }
    for (const priceRub of [300, 500]) this.#offers.push((await addOffer(this.#db, { quantity: 0, priceRub })).id);
    this.#checks = this.#db.createQueryRunner();
    await this.#checks.query(`PREPARE books AS ${checkSql}`);
  }

  async close() {
    await this.#checks?.release();
  }

  /** An empty shop with goods and with money on the balances. */
  async reset() {
    this.#arrived = new Map();
    this.#cards = new Map();
    await this.#db.query(`TRUNCATE ${tables} CASCADE`);
    await this.#db.query("UPDATE users SET balance_rub = 0; UPDATE offers SET quantity = 0");
    const [author = ""] = this.#staff;
    await this.#db.transaction(async (tx) => {
      const lines = this.#offers.map((offerId) => ({ offerId, quantity: 40 }));
      const receipt = { authorId: author, customerId: null, orderId: null, returnOf: null, note: null, lines };
      const waybillId = await createWaybill(tx, { ...receipt, waybillType: "WAYBILL_IN" });
      await commitWaybill(tx, { waybillId, userId: author });
      for (const userId of this.#customers) {
        await changeBalance(tx, { userId, currency: "RUB", delta: 2_000, reason: "ADMIN_ADJUSTMENT" });
      }
    });
    for (const one of prelude) await this.run([{ ...one, crash: false }]);
  }

  /** Does what the actors want, at the same moment; what the rules refuse is not done. */
  async run(steps: readonly Step[]) {
    await Promise.all(steps.map((one) => this.#attempt(one)));
  }

  /** What the books say against themselves; empty when they agree. */
  async disagreements(): Promise<string[]> {
    const rows: { rule: string; id: string; says: string }[] = await this.#checks?.query("EXECUTE books");
    const broken = rows.map(({ rule, id, says }) => `${rule}: ${id}: ${says}`);
    for (const [providerReference, rub] of this.#arrived) {
      const payment = await this.#db.manager.findOneBy(Payment, { providerReference });
      const isKept = payment && ["paid", "refunded", "unmatched", "credited"].includes(payment.state);
      if (!isKept || payment.amountRub !== rub) broken.push(`${rub} roubles that arrived are not on record`);
    }
    return broken;
  }

  async #attempt(one: Step) {
    try {
      const taken = await this.#transact({ actorId: null, traceId: null }, async (tx) => {
        const money = await acts[one.do]?.(tx, await this.#scene(tx, one));
        if (one.crash) throw new Crash();
        return money;
      });
      if (taken && !this.#arrived.has(taken.reference)) this.#arrived.set(taken.reference, taken.rub);
      await this.#noteCards();
    } catch (error) {
      if (!(error instanceof AppError || error instanceof Crash)) throw error;
    }
  }

  async #noteCards() {
    const cards = await this.#db.manager.findBy(Payment, { method: "CARD" });
    for (const { providerReference: reference, provider, amountRub: rub } of cards) {
      if (reference && provider && !this.#cards.has(reference))
        this.#cards.set(reference, { reference, provider, rub });
    }
  }

  async #scene(tx: EntityManager, { a, b }: Step): Promise<Scene> {
    const [customers, offers] = [this.#customers, this.#offers];
    return {
      ...{ a, b, customers, offers },
      staff: this.#staff[b % 2] as string,
      customer: customers[b % 2] as string,
      line: { offerId: offers[a % 2] as string, quantity: 1 + (b % 3) },
      order: await pick(tx, Order, a),
      otherOrder: await pick(tx, Order, b),
      waybill: await pick(tx, Waybill, a),
      payment: await pick(tx, Payment, a),
      card: [...this.#cards.values()][a % Math.max(1, this.#cards.size)],
    };
  }
}

async function pick<Row extends { id: string; createdAt: Date }>(
  tx: EntityManager,
  entity: new () => Row,
  nth: number,
) {
  const rows = await tx.createQueryBuilder(entity, "row").orderBy("row.created_at").addOrderBy("row.id").getMany();
  return rows[nth % Math.max(1, rows.length)];
}
