import { randomUUID } from "node:crypto";
import type { EntityManager } from "typeorm";
import { z } from "zod";
import { orders } from "../../../db/dao/orders/orders.ts";
import { payments } from "../../../db/dao/payments/payments.ts";
import { refunds } from "../../../db/dao/payments/refunds.ts";
import { type Payment, paymentMethods, paymentStates } from "../../../db/entities/payments/payment.ts";
import { NotFoundError } from "../../../errors.ts";
import { movePayment, type StaffMove } from "../../../services/payments/payment-states.ts";
import { createPayment, getPayment, maxRub } from "../../../services/payments/payments.ts";
import { refundPayment } from "../../../services/payments/refunds.ts";
import { assignToBalance, assignToOrder } from "../../../services/payments/unmatched-money.ts";
import { defineRoute } from "../../http/define-route.ts";
import { boolean, integer, note, uuid } from "../../http/fields.ts";
import { pageOf, pageQuery, slice, toPage } from "../../http/paging.ts";
import { InvalidRequest, Problem } from "../../http/problem.ts";
import type { Actor } from "../../http/types.ts";
import { PaymentView, paymentView, RefundView, refundView } from "../../views/payment.ts";
import { isTheirs, ownOrder } from "../orders/order-access.ts";
import { startCardPayment } from "./start-card-payment.ts";

const tag = "Payments";
const ofOrder = z.object({ order_id: uuid });
const params = z.object({ payment_id: uuid });
const refusals = { 401: Problem, 403: Problem, 404: Problem, 422: InvalidRequest };

const NewPayment = z.object({
  method: z.enum(paymentMethods).meta({ description: "BALANCE pays at once; CARD answers with a checkout_url" }),
  amount_rub: integer(z.int().min(1).max(maxRub)).optional().meta({ description: "The open amount when absent" }),
});

const NewRefund = z.object({
  amount_rub: integer(z.int().min(1).max(maxRub)).optional().meta({ description: "All that is left when absent" }),
  reason: note.optional(),
  waybill_id: uuid.nullish().meta({ description: "The committed return whose goods the money is for" }),
});

const Assignment = z
  .object({
    order_id: uuid.optional().meta({ description: "The order that it pays" }),
    user_id: uuid.optional().meta({ description: "The customer whose balance gets it" }),
  })
  .refine(
    ({ order_id, user_id }) => (order_id === undefined) !== (user_id === undefined),
    "name either order_id or user_id",
  );

/** Throws, as if it did not exist, when a payment is another customer's. */
async function requireTheirs(reader: EntityManager, { orderId }: Payment, actor: Actor) {
  const order = orderId === null ? null : await orders.findById(reader, orderId);
  if (order ? !isTheirs(order, actor) : actor.role === "USER") throw new NotFoundError("Payment not found");
}

/** The changes of a payment's state by staff. */
const moves: (Omit<StaffMove, "id"> & { name: string; summary: string })[] = [
  {
    name: "confirm",
    summary: "Mark a CASH or INVOICE payment received",
    from: ["pending"],
    to: "paid",
    methods: ["CASH", "INVOICE"],
  },
  { name: "capture", summary: "Capture an authorized payment", from: ["authorized"], to: "paid" },
  {
    name: "fail",
    summary: "Mark a payment failed",
    from: ["pending", "authorized"],
    to: "failed",
    failure: "Given up by staff",
  },
];

export const paymentRoutes = [
  defineRoute({
    method: "post",
    path: "/orders/{order_id}/payments",
    summary: "Create a payment for an order",
    description:
      "All payments that are neither failed nor refunded together never exceed the order's total. Card numbers are " +
      "entered at the provider and never here.",
    tag,
    access: "USER",
    idempotent: true,
    params: ofOrder,
    body: NewPayment,
    responses: { 201: PaymentView, 409: Problem, ...refusals, 503: Problem },
    async handle(context, { params, body: { method, amount_rub }, actor, reader, commit }) {
      const { id: orderId } = await ownOrder(reader, params.order_id, actor);
      const asked = { id: randomUUID(), orderId, amountRub: amount_rub };
      const [start] = await Promise.allSettled([
        method === "CARD" ? startCardPayment(context, reader, asked) : Promise.resolve(undefined),
      ]);
      return commit(async (tx) => {
        // Only here, because a repeated request gets its first answer before, also while the provider is down.
        if (start.status === "rejected") throw start.reason;
        const checkout = start.value;
        // The provider has the amount already, which therefore stays.
        const amountRub = checkout?.amountRub ?? amount_rub;
        await createPayment(tx, { ...asked, amountRub, method, createdBy: actor.id, checkout });
        return { status: 201, body: paymentView(await getPayment(tx, asked.id)) };
      });
    },
  }),
  defineRoute({
    method: "get",
    path: "/orders/{order_id}/payments",
    summary: "List the payments of an order, oldest first",
    tag,
    access: "USER",
    params: ofOrder,
    responses: { 200: z.array(PaymentView), ...refusals },
    async handle(_context, { params, actor, reader }) {
      const order = await ownOrder(reader, params.order_id, actor);
      return { status: 200, body: (await payments.ofOrder(reader, order.id)).map(paymentView) };
    },
  }),
  defineRoute({
    method: "get",
    path: "/payments",
    summary: "List payments, newest first",
    tag,
    access: "EMPLOYEE",
    query: pageQuery().extend({
      order_id: uuid.optional(),
      state: z.enum(paymentStates).optional(),
      method: z.enum(paymentMethods).optional(),
      due_back: boolean.optional().meta({
        description:
          "True: only payments from which money is due back to the customer, of a canceled order or for goods that " +
          "came back and that no balance got",
      }),
    }),
    responses: { 200: pageOf(PaymentView), 401: Problem, 403: Problem, 422: InvalidRequest },
    async handle(_context, { query, reader }) {
      const { order_id: orderId, state, method, due_back: isDueBack } = query;
      const [rows, total] = await payments.list(reader, { orderId, state, method, isDueBack }, slice(query));
      return { status: 200, body: toPage(rows.map(paymentView), total, query) };
    },
  }),
  defineRoute({
    method: "get",
    path: "/payments/{payment_id}",
    summary: "Get a payment: of one's own orders, or any for staff",
    tag,
    access: "USER",
    params,
    responses: { 200: PaymentView, ...refusals },
    async handle(_context, { params, actor, reader }) {
      const payment = await getPayment(reader, params.payment_id);
      await requireTheirs(reader, payment, actor);
      return { status: 200, body: paymentView(payment) };
    },
  }),
  defineRoute({
    method: "get",
    path: "/payments/{payment_id}/refunds",
    summary: "List the refunds of a payment, oldest first",
    tag,
    access: "USER",
    params,
    responses: { 200: z.array(RefundView), ...refusals },
    async handle(_context, { params, actor, reader }) {
      const payment = await getPayment(reader, params.payment_id);
      await requireTheirs(reader, payment, actor);
      return { status: 200, body: (await refunds.ofPayment(reader, payment.id)).map(refundView) };
    },
  }),
  defineRoute({
    method: "post",
    path: "/payments/{payment_id}/refund",
    summary: "Give a payment back, whole or in part",
    description:
      "Without a body all that is left of it. With `waybill_id` the price of the goods that came back with that committed " +
      "return. A payment from the balance goes back there, as far as its goods have not left. At a provider that charges " +
      "cards the refund is pending until a job has paid it out.",
    tag,
    access: "EMPLOYEE",
    idempotent: true,
    params,
    body: NewRefund.optional(),
    responses: { 200: PaymentView, 409: Problem, ...refusals },
    async handle(_context, { params: { payment_id: id }, body, actor, commit }) {
      return commit(async (tx) => {
        const { amount_rub: amountRub, reason, waybill_id: waybillId } = body ?? {};
        await refundPayment(tx, { paymentId: id, amountRub, reason, waybillId, createdBy: actor.id });
        return { status: 200, body: paymentView(await getPayment(tx, id)) };
      });
    },
  }),
  defineRoute({
    method: "post",
    path: "/payments/{payment_id}/assign",
    summary: "Assign unmatched money to an order or to a customer's balance",
    tag,
    access: "EMPLOYEE",
    idempotent: true,
    params,
    body: Assignment,
    responses: { 200: PaymentView, 409: Problem, ...refusals },
    async handle(_context, { params: { payment_id: id }, body, commit }) {
      return commit(async (tx) => {
        if (body.order_id) await assignToOrder(tx, { id, orderId: body.order_id });
        else if (body.user_id) await assignToBalance(tx, { id, userId: body.user_id });
        return { status: 200, body: paymentView(await getPayment(tx, id)) };
      });
    },
  }),
  ...moves.map(({ name, summary, ...move }) =>
    defineRoute({
      method: "post",
      path: `/payments/{payment_id}/${name}`,
      summary,
      tag,
      access: "EMPLOYEE",
      idempotent: true,
      params,
      responses: { 200: PaymentView, 409: Problem, ...refusals },
      async handle(_context, { params: { payment_id: id }, commit }) {
        return commit(async (tx) => {
          await movePayment(tx, { ...move, id });
          return { status: 200, body: paymentView(await getPayment(tx, id)) };
        });
      },
    }),
  ),
];
