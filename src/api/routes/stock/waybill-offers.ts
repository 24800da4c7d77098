import type { EntityManager } from "typeorm";
import { z } from "zod";
import type { LineRowChange } from "../../../db/dao/stock/waybill-offers.ts";
import { BadRequestError } from "../../../errors.ts";
import { addLine, changeLine, getLine, getLines, removeLine } from "../../../services/stock/waybill-offers.ts";
import { defineRoute } from "../../http/define-route.ts";
import { line, pieces, roundedRoubles, uuid } from "../../http/fields.ts";
import { InvalidRequest, Problem } from "../../http/problem.ts";
import type { ApiContext, Result } from "../../http/types.ts";
import { WaybillOfferView, waybillOfferViews } from "../../views/waybill-offer.ts";

const tag = "Waybills";
const params = z.object({ waybill_offer_id: uuid });
const waybillParams = z.object({ waybill_id: uuid });

/** Brand, number and price come from the offer; what else is sent is ignored. */
export const NewWaybillLine = z.object({ offer_id: uuid, quantity: pieces });

const LineChange = z.object({
  quantity: pieces.optional(),
  price_rub: roundedRoubles.optional(),
  brand: line().optional(),
  manufacturer_number: line().optional(),
});

/** The answer to a write, made inside its transaction. */
async function answerWrite(context: ApiContext, tx: EntityManager, status: number, id: string): Promise<Result> {
  const [body] = await waybillOfferViews(context, tx, [await getLine(tx, id)]);
  return { status, body };
}

export const waybillOfferRoutes = [
  defineRoute({
    method: "get",
    path: "/waybills/{waybill_id}/offers",
    summary: "List the lines of a waybill",
    tag,
    access: "EMPLOYEE",
    params: waybillParams,
    responses: { 200: z.array(WaybillOfferView), 404: Problem, 422: InvalidRequest },
    async handle(context, { params: { waybill_id }, reader }) {
      const lines = await getLines(reader, waybill_id);
      return { status: 200, body: await waybillOfferViews(context, reader, lines) };
    },
  }),
  defineRoute({
    method: "post",
    path: "/waybills/{waybill_id}/offers",
    summary: "Add a line to a pending waybill, priced for its customer",
    tag,
    access: "EMPLOYEE",
    idempotent: true,
    params: waybillParams,
    body: NewWaybillLine,
    responses: { 201: WaybillOfferView, 404: Problem, 409: Problem, 422: InvalidRequest },
    async handle(context, { params: { waybill_id: waybillId }, body: { offer_id: offerId, quantity }, commit }) {
      return commit(async (tx) => {
        const id = await addLine(tx, { waybillId, offerId, quantity });
        return answerWrite(context, tx, 201, id);
      });
    },
  }),
  defineRoute({
    method: "patch",
    path: "/waybill-offers/{waybill_offer_id}",
    summary: "Update a line of a pending waybill",
    tag,
    access: "EMPLOYEE",
    params,
    body: LineChange,
    responses: { 200: WaybillOfferView, 400: Problem, 404: Problem, 409: Problem, 422: InvalidRequest },
    async handle(context, { params: { waybill_offer_id: id }, body, commit }) {
      const change = toRowChange(body);
      if (Object.keys(change).length === 0) throw new BadRequestError("No data provided for update");
      return commit(async (tx) => {
        await changeLine(tx, id, change);
        return answerWrite(context, tx, 200, id);
      });
    },
  }),
  defineRoute({
    method: "delete",
    path: "/waybill-offers/{waybill_offer_id}",
    summary: "Remove a line of a pending waybill",
    tag,
    access: "EMPLOYEE",
    params,
    responses: { 204: z.null(), 404: Problem, 409: Problem, 422: InvalidRequest },
    async handle(_context, { params: { waybill_offer_id: id }, commit }) {
      return commit(async (tx) => {
        await removeLine(tx, id);
        return { status: 204 };
      });
    },
  }),
];

function toRowChange({ price_rub, manufacturer_number, ...same }: z.output<typeof LineChange>): LineRowChange {
  const change = { ...same, priceRub: price_rub, manufacturerNumber: manufacturer_number };
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
}
