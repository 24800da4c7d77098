import { z } from "zod";
import { waybills } from "../../../db/dao/stock/waybills.ts";
import { dueBackRub, dueRub, getOrderBooks, paidRub } from "../../../services/payments/order-balance.ts";
import { remainingGoods } from "../../../services/stock/goods.ts";
import { paperNumberOf } from "../../../services/stock/paper-number.ts";
import { defineRoute } from "../../http/define-route.ts";
import { uuid } from "../../http/fields.ts";
import { InvalidRequest, Problem } from "../../http/problem.ts";
import { ownOrder } from "../orders/order-access.ts";

const rub = z.int();

/** What the books say about one order. */
const OrderMoneyView = z
  .object({
    order_id: z.uuid(),
    total_rub: rub,
    paid_rub: rub.meta({ description: "Payments that were taken, less refunds" }),
    promised_rub: rub.meta({ description: "Payments that are pending or authorized" }),
    refunded_rub: rub,
    refunding_rub: rub.meta({ description: "Refunds that the provider has yet to do" }),
    due_rub: rub.meta({
      description:
        "total_rub - returned_rub - paid_rub, at least 0; of a canceled order delivered_rub - returned_rub - paid_rub",
    }),
    due_back_rub: rub.meta({
      description:
        "Paid for what a canceled order never delivered, or for goods that came back and that no balance got: of a guest, or booked by staff for itself",
    }),
    delivered_rub: rub,
    returned_rub: rub,
    waybills: z.array(z.object({ id: z.uuid(), is_pending: z.boolean(), paper_number: z.string().nullable() })),
    remaining: z
      .array(z.object({ offer_id: z.uuid(), quantity: z.int(), price_rub: rub }))
      .meta({ description: "Goods that no waybill has taken yet" }),
  })
  .meta({ id: "OrderMoney" });

export const orderMoneyRoutes = [
  defineRoute({
    method: "get",
    path: "/orders/{order_id}/money",
    summary: "Get what is paid, due and delivered of an order",
    tag: "Payments",
    access: "USER",
    params: z.object({ order_id: uuid }),
    responses: { 200: OrderMoneyView, 401: Problem, 403: Problem, 404: Problem, 422: InvalidRequest },
    async handle(_context, { params, actor, reader }) {
      const { id } = await ownOrder(reader, params.order_id, actor);
      const books = await getOrderBooks(reader, id);
      const remaining = (await remainingGoods(reader, { orderId: id, returnOf: null })) ?? [];
      const body = {
        order_id: id,
        total_rub: books.totalRub,
        paid_rub: paidRub(books),
        promised_rub: books.promisedRub,
        refunded_rub: books.refundedRub,
        refunding_rub: books.refundingRub,
        due_rub: dueRub(books),
        due_back_rub: dueBackRub(books),
        delivered_rub: books.deliveredRub,
        returned_rub: books.returnedRub,
        waybills: (await waybills.ofOrder(reader, id)).map((waybill) => ({
          id: waybill.id,
          is_pending: waybill.isPending,
          paper_number: paperNumberOf(waybill),
        })),
        remaining: remaining.map(({ offerId, quantity, priceRub }) => {
          return { offer_id: offerId, quantity, price_rub: priceRub };
        }),
      };
      return { status: 200, body };
    },
  }),
];
