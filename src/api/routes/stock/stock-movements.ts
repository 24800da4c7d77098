import { z } from "zod";
import { stockMovements } from "../../../db/dao/stock/stock-movements.ts";
import { getStockSums } from "../../../services/stock/stock-movements.ts";
import { defineRoute } from "../../http/define-route.ts";
import { uuid } from "../../http/fields.ts";
import { pageOf, pageQuery, slice, toPage } from "../../http/paging.ts";
import { InvalidRequest, Problem } from "../../http/problem.ts";
import { StockMovementView, stockMovementView } from "../../views/stock-movement.ts";

const tag = "Stock";

const StockSums = z
  .object({ offer_id: z.uuid(), movements: z.int(), sum_delta: z.int(), quantity: z.int() })
  .meta({ id: "StockSums" });

export const stockMovementRoutes = [
  defineRoute({
    method: "get",
    path: "/stock-movements",
    summary: "List stock movements, newest first",
    tag,
    access: "EMPLOYEE",
    query: pageQuery().extend({ offer_id: uuid.optional(), waybill_id: uuid.optional() }),
    responses: { 200: pageOf(StockMovementView), 422: InvalidRequest },
    async handle(_context, { query, reader }) {
      const { offer_id: offerId, waybill_id: waybillId } = query;
      const [rows, total] = await stockMovements.list(reader, { offerId, waybillId }, slice(query));
      return { status: 200, body: toPage(rows.map(stockMovementView), total, query) };
    },
  }),
  defineRoute({
    method: "get",
    path: "/stock-movements/sums",
    summary: "Compare an offer's movements with its stock",
    description: "`quantity` minus `sum_delta` is what the offer had before its first movement, and never changes.",
    tag,
    access: "EMPLOYEE",
    query: z.object({ offer_id: uuid }),
    responses: { 200: StockSums, 404: Problem, 422: InvalidRequest },
    async handle(_context, { query: { offer_id }, reader }) {
      const { movements, sumDelta, quantity } = await getStockSums(reader, offer_id);
      return { status: 200, body: { offer_id, movements, sum_delta: sumDelta, quantity } };
    },
  }),
];
