import { z } from "zod";
import { convertOrder } from "../../../services/orders/convert-order.ts";
import { getWaybill } from "../../../services/stock/waybills.ts";
import { defineRoute } from "../../http/define-route.ts";
import { uuid } from "../../http/fields.ts";
import { InvalidRequest, Problem } from "../../http/problem.ts";
import { WaybillView, waybillView } from "../../views/waybill.ts";

export const convertRoutes = [
  defineRoute({
    method: "post",
    path: "/orders/{order_id}/convert",
    summary: "Create a pending waybill from an order",
    tag: "Orders",
    access: "EMPLOYEE",
    idempotent: true,
    params: z.object({ order_id: uuid }),
    responses: { 201: WaybillView, 400: Problem, 404: Problem, 422: InvalidRequest },
    async handle(_context, { params: { order_id: orderId }, actor, profile, commit }) {
      return commit(async (tx) => {
        const id = await convertOrder(tx, { orderId, authorId: actor.id });
        return { status: 201, body: waybillView(await getWaybill(tx, id), profile) };
      });
    },
  }),
];
