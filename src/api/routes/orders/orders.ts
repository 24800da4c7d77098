import type { EntityManager } from "typeorm";
import { z } from "zod";
import { orders } from "../../../db/dao/orders/orders.ts";
import { orderStatuses } from "../../../db/entities/orders/order.ts";
import { ForbiddenError, ValidationError } from "../../../errors.ts";
import { changeOrder, createOrder, deleteOrder, getOrder } from "../../../services/orders/orders.ts";
import { maxOrderLines } from "../../../services/orders/price-order-lines.ts";
import { defineRoute } from "../../http/define-route.ts";
import { searchTerm, uuid } from "../../http/fields.ts";
import { pageOf, pageQuery, slice } from "../../http/paging.ts";
import { InvalidRequest, Problem } from "../../http/problem.ts";
import type { Actor, ApiContext } from "../../http/types.ts";
import { missingKeys } from "../../http/violations.ts";
import { OrderView, type Viewer, viewOrders } from "../../views/order.ts";
import { orderPage } from "./order-page.ts";
import { NewOrderLine, newContact, OrderChange, orderFields, requestedContact, toLine } from "./order-request.ts";

const tag = "Orders";
const params = z.object({ order_id: uuid });

const filter = {
  user_id: uuid.optional(),
  order_status: z.enum(orderStatuses).optional(),
  status: z.enum(orderStatuses).optional().meta({ description: "The same as order_status" }),
};

const NewOrder = z.object({
  ...newContact,
  status: z.enum(orderStatuses).meta({ description: "Customers and guests always create NEW orders" }),
  user_id: uuid
    .nullish()
    .meta({ description: "Without a token: the account to order for; its e-mail must be the same" }),
  order_offers: z.array(NewOrderLine).max(maxOrderLines).optional().meta({ description: "Needed without a token" }),
});

async function viewOrder(context: ApiContext, reader: EntityManager, id: string, viewer: Viewer) {
  const [view] = await viewOrders(context, reader, [await getOrder(reader, id)], viewer);
  return view;
}

function assertOwner(actor: Actor, userId: string | undefined) {
  if (actor.role !== "USER" || userId === undefined || userId === actor.id) return;
  throw new ForbiddenError(`Access denied: role ${actor.role} is not allowed to list the orders of another user.`);
}

export const orderRoutes = [
  defineRoute({
    method: "get",
    path: "/orders",
    summary: "List orders, newest first: a customer's own, or all for staff",
    tag,
    access: "USER",
    query: pageQuery().extend({
      ...filter,
      search_term: searchTerm.default("").meta({
        description: "Part of the e-mail, names or phone of the account or the contact, or of the note",
      }),
    }),
    responses: { 200: pageOf(OrderView), 401: Problem, 403: Problem, 422: InvalidRequest },
    async handle(context, { query, actor, profile, reader }) {
      assertOwner(actor, query.user_id);
      const wanted = {
        userId: actor.role === "USER" ? actor.id : query.user_id,
        status: query.order_status ?? query.status,
        term: query.search_term,
      };
      const [rows, total] = await orders.list(reader, wanted, slice(query));
      return orderPage(context, reader, { orders: rows, total, query, viewer: { actor, profile } });
    },
  }),
  defineRoute({
    method: "get",
    path: "/orders/meta/count",
    summary: "Count orders",
    tag,
    access: "EMPLOYEE",
    query: z.object(filter),
    responses: { 200: z.object({ count: z.int() }), 401: Problem, 403: Problem, 422: InvalidRequest },
    async handle(_context, { query: { user_id: userId, order_status, status }, reader }) {
      return { status: 200, body: { count: await orders.count(reader, { userId, status: order_status ?? status }) } };
    },
  }),
  defineRoute({
    method: "get",
    path: "/orders/{order_id}",
    summary: "Get an order; strangers see it without account and waybill",
    tag,
    access: "optional",
    params,
    responses: { 200: OrderView, 404: Problem, 422: InvalidRequest },
    async handle(context, { params: { order_id }, actor, profile, reader }) {
      return { status: 200, body: await viewOrder(context, reader, order_id, { actor, profile }) };
    },
  }),
  defineRoute({
    method: "post",
    path: "/orders",
    summary: "Create an order, with an account or as a guest",
    description:
      "All lines or none. Prices, brands and numbers are those of the offers: a guest pays retail prices, a customer " +
      "with a token those of the account. With a token, `address_id` stands for contact and shipping. A guest's names may " +
      "hold no web address: mail about the order goes to an address that is not verified.",
    tag,
    access: "optional",
    limit: "orders",
    idempotent: true,
    body: NewOrder,
    responses: { 201: OrderView, 404: Problem, 409: Problem, 422: InvalidRequest },
    async handle(context, { body, actor, profile, commit }) {
      const contact = requestedContact(body, actor);
      const { order_offers: lines } = body;
      if (!lines && !actor) throw new ValidationError(missingKeys(["order_offers"], body));
      return commit(async (tx) => {
        const id = await createOrder(tx, {
          callerId: actor?.id ?? null,
          claimedUserId: body.user_id ?? null,
          status: body.status,
          note: body.note ?? null,
          contact,
          lines: (lines ?? []).map(toLine),
        });
        return { status: 201, body: await viewOrder(context, tx, id, { actor, profile }) };
      });
    },
  }),
  defineRoute({
    method: "patch",
    path: "/orders/{order_id}",
    summary: "Update an order, except its lines",
    description:
      "A change to CANCELED ends the order's payments. Pending ones fail; if the customer pays nevertheless, the money is " +
      "unmatched. With `payments: refund` authorized ones are given up, and what was paid for goods that have not left " +
      "is given back; with `keep`, the default, both stay, and `GET /orders/{order_id}/money` shows what is due back. " +
      "Pending waybills stay, and cannot be committed while the order is canceled. Invoices say that nothing is to be paid.",
    tag,
    access: "EMPLOYEE",
    params,
    body: OrderChange,
    responses: {
      200: OrderView,
      400: Problem,
      401: Problem,
      403: Problem,
      404: Problem,
      409: Problem,
      422: InvalidRequest,
    },
    async handle(context, { params: { order_id: id }, body, actor, profile, commit }) {
      return commit(async (tx) => {
        await changeOrder(tx, { id, change: orderFields(body), payments: body.payments, actorId: actor.id });
        return { status: 200, body: await viewOrder(context, tx, id, { actor, profile }) };
      });
    },
  }),
  defineRoute({
    method: "delete",
    path: "/orders/{order_id}",
    summary: "Delete an order that has no waybill and no payment but failed ones",
    tag,
    access: "ADMIN",
    params,
    responses: { 204: z.null(), 401: Problem, 403: Problem, 404: Problem, 409: Problem, 422: InvalidRequest },
    async handle(_context, { params: { order_id: id }, commit }) {
      return commit(async (tx) => {
        await deleteOrder(tx, { id });
        return { status: 204 };
      });
    },
  }),
];
