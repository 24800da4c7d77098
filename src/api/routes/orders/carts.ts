import type { EntityManager } from "typeorm";
import { z } from "zod";
import { acceptPrices, addToCart, changeCartLine, emptyCart, removeCartLine } from "../../../services/orders/carts.ts";
import { checkOut } from "../../../services/orders/checkout.ts";
import { mergeIntoCart } from "../../../services/orders/merge-cart.ts";
import { getOrder } from "../../../services/orders/orders.ts";
import { defineRoute } from "../../http/define-route.ts";
import { boolean, pieces, uuid } from "../../http/fields.ts";
import { InvalidRequest, Problem } from "../../http/problem.ts";
import type { ApiContext, Commit } from "../../http/types.ts";
import { CartView, MergedCartView, viewCart } from "../../views/cart.ts";
import { OrderView, viewOrders } from "../../views/order.ts";
import { NewOrderLine, newContact, requestedContact, toLine } from "./order-request.ts";

const tag = "Cart";
const params = z.object({ offer_id: uuid });
const refusals = { 401: Problem, 403: Problem, 422: InvalidRequest };

interface Change {
  userId: string;
  status: number;
  commit: Commit;
}

/** Changes a cart and answers with its new state. */
async function answerChange(
  context: ApiContext,
  { userId, status, commit }: Change,
  work: (tx: EntityManager) => Promise<void>,
) {
  return commit(async (tx) => {
    await work(tx);
    return { status, body: await viewCart(context, tx, userId) };
  });
}

export const cartRoutes = [
  defineRoute({
    method: "get",
    path: "/cart",
    summary: "Get the caller's cart, with current prices and stock",
    tag,
    access: "USER",
    responses: { 200: CartView, 401: Problem, 403: Problem },
    async handle(context, { actor, reader }) {
      return { status: 200, body: await viewCart(context, reader, actor.id) };
    },
  }),
  defineRoute({
    method: "get",
    path: "/carts/{user_id}",
    summary: "Get the cart of a user",
    tag,
    access: "EMPLOYEE",
    params: z.object({ user_id: uuid }),
    responses: { 200: CartView, 404: Problem, ...refusals },
    async handle(context, { params, reader }) {
      return { status: 200, body: await viewCart(context, reader, params.user_id) };
    },
  }),
  defineRoute({
    method: "post",
    path: "/cart/offers",
    summary: "Add an offer, or more of it",
    tag,
    access: "USER",
    idempotent: true,
    body: NewOrderLine,
    responses: { 201: CartView, 404: Problem, 409: Problem, ...refusals },
    async handle(context, { body, actor: { id: userId }, commit }) {
      const line = toLine(body);
      return answerChange(context, { userId, status: 201, commit }, (tx) => addToCart(tx, { userId, line }));
    },
  }),
  defineRoute({
    method: "patch",
    path: "/cart/offers/{offer_id}",
    summary: "Change the quantity of an offer",
    tag,
    access: "USER",
    params,
    body: z.object({ quantity: pieces }),
    responses: { 200: CartView, 404: Problem, ...refusals },
    async handle(context, { params: { offer_id: offerId }, body: { quantity }, actor: { id: userId }, commit }) {
      const line = { offerId, quantity };
      return answerChange(context, { userId, status: 200, commit }, (tx) => changeCartLine(tx, { userId, line }));
    },
  }),
  defineRoute({
    method: "delete",
    path: "/cart/offers/{offer_id}",
    summary: "Remove an offer",
    tag,
    access: "USER",
    params,
    responses: { 204: z.null(), 404: Problem, ...refusals },
    async handle(_context, { params: { offer_id: offerId }, actor: { id: userId }, commit }) {
      return commit(async (tx) => {
        await removeCartLine(tx, { userId, offerId });
        return { status: 204 };
      });
    },
  }),
  defineRoute({
    method: "delete",
    path: "/cart",
    summary: "Empty the cart",
    tag,
    access: "USER",
    responses: { 204: z.null(), 401: Problem, 403: Problem },
    async handle(_context, { actor: { id: userId }, commit }) {
      return commit(async (tx) => {
        await emptyCart(tx, { userId });
        return { status: 204 };
      });
    },
  }),
  defineRoute({
    method: "post",
    path: "/cart/merge",
    summary: "Merge the cart of a browser; of an offer in both, the larger quantity counts",
    description: "Offers that cannot be put in are named in `skipped`; they do not make the request fail.",
    tag,
    access: "USER",
    idempotent: true,
    body: z.object({ offers: z.array(NewOrderLine).max(1_000) }),
    responses: { 200: MergedCartView, ...refusals },
    async handle(context, { body, actor: { id: userId }, commit }) {
      return commit(async (tx) => {
        const left = await mergeIntoCart(tx, { userId, lines: body.offers.map(toLine) });
        const skipped = left.map(({ offerId, reason }) => ({ offer_id: offerId, reason }));
        return { status: 200, body: { ...(await viewCart(context, tx, userId)), skipped } };
      });
    },
  }),
  defineRoute({
    method: "post",
    path: "/cart/seen",
    summary: "Accept current prices",
    tag,
    access: "USER",
    idempotent: true,
    responses: { 200: CartView, ...refusals },
    async handle(context, { actor: { id: userId }, commit }) {
      return answerChange(context, { userId, status: 200, commit }, (tx) => acceptPrices(tx, { userId }));
    },
  }),
  defineRoute({
    method: "post",
    path: "/cart/checkout",
    limit: "orders",
    summary: "Check out: create an order from the cart and empty it",
    description:
      "409 names every line that is short in stock, or has another price than was seen last: `POST /cart/seen`, " +
      "or `accept_changes`, takes the new prices. Contact and shipping are as in `POST /orders`.",
    tag,
    access: "USER",
    idempotent: true,
    body: z.object({ ...newContact, accept_changes: boolean.default(false) }),
    responses: { 201: OrderView, 409: Problem, ...refusals },
    async handle(context, { body, actor, profile, commit }) {
      const contact = requestedContact(body, actor);
      return commit(async (tx) => {
        const orderId = await checkOut(tx, {
          userId: actor.id,
          note: body.note ?? null,
          contact,
          acceptChanges: body.accept_changes,
        });
        const [view] = await viewOrders(context, tx, [await getOrder(tx, orderId)], { actor, profile });
        return { status: 201, body: view };
      });
    },
  }),
];
