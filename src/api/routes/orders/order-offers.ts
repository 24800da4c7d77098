import type { EntityManager } from "typeorm";
import { z } from "zod";
import { orderOffers } from "../../../db/dao/orders/order-offers.ts";
import { addOrderLine, changeOrderLine, removeOrderLine } from "../../../services/orders/order-offers.ts";
import { defineRoute } from "../../http/define-route.ts";
import { line, pieces, roundedRoubles, uuid } from "../../http/fields.ts";
import { InvalidRequest, Problem } from "../../http/problem.ts";
import type { ApiContext } from "../../http/types.ts";
import { OrderLineView, viewOrderLines } from "../../views/order-offer.ts";
import { ownOrder } from "./order-access.ts";
import { NewOrderLine, toLine } from "./order-request.ts";

const tag = "Orders";
const ofOrder = z.object({ order_id: uuid });
const ofLine = z.object({ order_offer_id: uuid });

const LineChange = z.object({
  quantity: pieces.optional(),
  price_rub: roundedRoubles.optional().meta({ description: "Rounded to whole roubles, half up" }),
  brand: line().optional(),
  manufacturer_number: line().optional(),
});

async function viewLine(context: ApiContext, tx: EntityManager, id: string) {
  const row = await orderOffers.findById(tx, id);
  const [view] = row ? await viewOrderLines(context, tx, [row]) : [];
  return view;
}

export const orderOfferRoutes = [
  defineRoute({
    method: "get",
    path: "/orders/{order_id}/offers",
    summary: "List the lines of an order, oldest first",
    tag,
    access: "USER",
    params: ofOrder,
    responses: { 200: z.array(OrderLineView), 401: Problem, 403: Problem, 404: Problem, 422: InvalidRequest },
    async handle(context, { params: { order_id }, actor, reader }) {
      const order = await ownOrder(reader, order_id, actor);
      const rows = await orderOffers.ofOrders(reader, [order.id]);
      return { status: 200, body: await viewOrderLines(context, reader, rows) };
    },
  }),
  defineRoute({
    method: "post",
    path: "/orders/{order_id}/offers",
    summary: "Add a line at the price of the order's customer",
    tag,
    access: "EMPLOYEE",
    idempotent: true,
    params: ofOrder,
    body: NewOrderLine,
    responses: { 201: OrderLineView, 401: Problem, 403: Problem, 404: Problem, 409: Problem, 422: InvalidRequest },
    async handle(context, { params: { order_id: orderId }, body, commit }) {
      return commit(async (tx) => {
        const id = await addOrderLine(tx, { orderId, line: toLine(body) });
        return { status: 201, body: await viewLine(context, tx, id) };
      });
    },
  }),
  defineRoute({
    method: "patch",
    path: "/order-offers/{order_offer_id}",
    summary: "Update a line's quantity, price, brand or number",
    tag,
    access: "EMPLOYEE",
    params: ofLine,
    body: LineChange,
    responses: {
      200: OrderLineView,
      400: Problem,
      401: Problem,
      403: Problem,
      404: Problem,
      409: Problem,
      422: InvalidRequest,
    },
    async handle(context, { params: { order_offer_id: id }, body, commit }) {
      const { quantity, price_rub: priceRub, brand, manufacturer_number: manufacturerNumber } = body;
      const sent = Object.entries({ quantity, priceRub, brand, manufacturerNumber });
      const change = Object.fromEntries(sent.filter(([, value]) => value !== undefined));
      return commit(async (tx) => {
        await changeOrderLine(tx, { id, change });
        return { status: 200, body: await viewLine(context, tx, id) };
      });
    },
  }),
  defineRoute({
    method: "delete",
    path: "/order-offers/{order_offer_id}",
    summary: "Remove a line",
    tag,
    access: "EMPLOYEE",
    params: ofLine,
    responses: { 204: z.null(), 401: Problem, 403: Problem, 404: Problem, 409: Problem, 422: InvalidRequest },
    async handle(_context, { params: { order_offer_id: id }, commit }) {
      return commit(async (tx) => {
        await removeOrderLine(tx, { id });
        return { status: 204 };
      });
    },
  }),
];
