import type { EntityManager } from "typeorm";
import { z } from "zod";
import { waybills } from "../../../db/dao/stock/waybills.ts";
import { waybillTypes } from "../../../db/entities/stock/waybill.ts";
import { BadRequestError } from "../../../errors.ts";
import { dropCatalogue } from "../../../platform/cache-tags.ts";
import { commitWaybill } from "../../../services/stock/commit-waybill.ts";
import { maxWaybillLines } from "../../../services/stock/price-waybill-lines.ts";
import {
  changeWaybill,
  createWaybill,
  deleteWaybill,
  getOwnWaybill,
  getWaybill,
  returnDelivery,
} from "../../../services/stock/waybills.ts";
import { defineRoute } from "../../http/define-route.ts";
import { boolean, note, searchTerm, uuid } from "../../http/fields.ts";
import { Count, pageOf, pageQuery, slice, toPage } from "../../http/paging.ts";
import { InvalidRequest, Problem } from "../../http/problem.ts";
import type { Profile, Result } from "../../http/types.ts";
import { WaybillView, waybillView } from "../../views/waybill.ts";
import { NewWaybillLine } from "./waybill-offers.ts";

const tag = "Waybills";
const params = z.object({ waybill_id: uuid });
const filter = { waybill_type: z.enum(waybillTypes).optional(), is_pending: boolean.optional() };

const NewWaybill = z.object({
  waybill_type: z.enum(waybillTypes),
  is_pending: boolean.refine(
    (isPending) => isPending,
    "a waybill is always created pending; send true, and commit it afterwards with POST /waybills/{id}/commit",
  ),
  customer_id: uuid
    .nullable()
    .default(null)
    .meta({ description: "Null: that of the order or delivery, and without them the author of the waybill" }),
  order_id: uuid
    .nullable()
    .default(null)
    .meta({ description: "For a WAYBILL_OUT: the order that its goods are taken from" }),
  return_of: uuid
    .nullable()
    .default(null)
    .meta({ description: "For a WAYBILL_RETURN: the committed delivery whose goods come back" }),
  note: note.default(null),
  waybill_offers: z.array(NewWaybillLine).max(maxWaybillLines).default([]),
});

const WaybillChange = z.object({
  waybill_type: z.enum(waybillTypes).optional(),
  customer_id: uuid.nullable().optional().meta({ description: "Null: the author" }),
  order_id: uuid.nullable().optional(),
  note: note.optional(),
  is_pending: boolean.optional().meta({ description: "Changes nothing; only a commit does" }),
});

/** The answer to a write, made inside its transaction. */
async function answerWrite(tx: EntityManager, profile: Profile, status: number, id: string): Promise<Result> {
  return { status, body: waybillView(await getWaybill(tx, id), profile) };
}

export const waybillRoutes = [
  defineRoute({
    method: "get",
    path: "/waybills",
    summary: "List waybills, newest first",
    tag,
    access: "EMPLOYEE",
    query: pageQuery().extend({
      ...filter,
      search_term: searchTerm
        .default("")
        .meta({ description: "Part of the note, or of the name or e-mail of author or customer" }),
    }),
    responses: { 200: pageOf(WaybillView), 422: InvalidRequest },
    async handle(_context, { query, profile, reader }) {
      const { waybill_type: waybillType, is_pending: isPending, search_term: term } = query;
      const [rows, total] = await waybills.list(reader, { waybillType, isPending, term }, slice(query));
      const views = rows.map((row) => waybillView(row, profile));
      return { status: 200, body: toPage(views, total, query) };
    },
  }),
  defineRoute({
    method: "get",
    path: "/waybills/meta/count",
    summary: "Count waybills",
    tag,
    access: "EMPLOYEE",
    query: z.object(filter),
    responses: { 200: Count, 422: InvalidRequest },
    async handle(_context, { query: { waybill_type: waybillType, is_pending: isPending }, reader }) {
      return { status: 200, body: { count: await waybills.count(reader, { waybillType, isPending }) } };
    },
  }),
  defineRoute({
    method: "get",
    path: "/waybills/{waybill_id}",
    summary: "Get a waybill, for its author, its customer and staff",
    tag,
    access: "USER",
    params,
    responses: { 200: WaybillView, 404: Problem, 422: InvalidRequest },
    async handle(_context, { params: { waybill_id: id }, actor, profile, reader }) {
      const isOutsider = actor.role === "USER";
      const waybill = isOutsider ? await getOwnWaybill(reader, { id, userId: actor.id }) : await getWaybill(reader, id);
      return { status: 200, body: waybillView(waybill, profile) };
    },
  }),
  defineRoute({
    method: "post",
    path: "/waybills",
    summary: "Create a pending waybill with lines, priced for its customer",
    tag,
    access: "EMPLOYEE",
    idempotent: true,
    body: NewWaybill,
    responses: { 201: WaybillView, 404: Problem, 409: Problem, 422: InvalidRequest },
    async handle(_context, { body, actor, profile, commit }) {
      return commit(async (tx) => {
        const id = await createWaybill(tx, {
          authorId: actor.id,
          customerId: body.customer_id,
          orderId: body.order_id,
          returnOf: body.return_of,
          waybillType: body.waybill_type,
          note: body.note,
          lines: body.waybill_offers.map(({ offer_id: offerId, quantity }) => ({ offerId, quantity })),
        });
        return answerWrite(tx, profile, 201, id);
      });
    },
  }),
  defineRoute({
    method: "patch",
    path: "/waybills/{waybill_id}",
    summary: "Update a pending waybill, or the note of a committed one",
    tag,
    access: "EMPLOYEE",
    params,
    body: WaybillChange,
    responses: { 200: WaybillView, 400: Problem, 404: Problem, 409: Problem, 422: InvalidRequest },
    async handle(_context, { params: { waybill_id: id }, body, profile, commit }) {
      if (Object.keys(body).length === 0) throw new BadRequestError("No data provided for update");
      const { waybill_type: waybillType, customer_id: customerId, order_id: orderId, note } = body;
      return commit(async (tx) => {
        await changeWaybill(tx, id, { waybillType, customerId, orderId, note });
        return answerWrite(tx, profile, 200, id);
      });
    },
  }),
  defineRoute({
    method: "post",
    path: "/waybills/{waybill_id}/commit",
    summary: "Commit a waybill: move its goods and its customer's balance, once",
    description: "May be repeated: a committed waybill is returned unchanged.",
    tag,
    access: "EMPLOYEE",
    idempotent: true,
    params,
    responses: { 201: WaybillView, 404: Problem, 409: Problem, 422: InvalidRequest },
    async handle(context, { params: { waybill_id: waybillId }, actor, profile, commit }) {
      const result = await commit(async (tx) => {
        await commitWaybill(tx, { waybillId, userId: actor.id });
        return answerWrite(tx, profile, 201, waybillId);
      });
      void dropCatalogue(context.cache, "offer");
      return result;
    },
  }),
  defineRoute({
    method: "post",
    path: "/waybills/{waybill_id}/return",
    summary: "Create a pending return of a delivery: all of its goods that no return has yet",
    description: "Lower its lines to what comes back, then commit it; refunds can name it.",
    tag,
    access: "EMPLOYEE",
    idempotent: true,
    params,
    responses: { 201: WaybillView, 409: Problem, 422: InvalidRequest },
    async handle(_context, { params: { waybill_id: deliveryId }, actor, profile, commit }) {
      return commit(async (tx) => {
        const id = await returnDelivery(tx, { deliveryId, authorId: actor.id });
        return answerWrite(tx, profile, 201, id);
      });
    },
  }),
  defineRoute({
    method: "delete",
    path: "/waybills/{waybill_id}",
    summary: "Delete a pending waybill with its lines",
    tag,
    access: "EMPLOYEE",
    params,
    responses: { 204: z.null(), 404: Problem, 409: Problem, 422: InvalidRequest },
    async handle(_context, { params: { waybill_id: id }, commit }) {
      return commit(async (tx) => {
        await deleteWaybill(tx, id);
        return { status: 204 };
      });
    },
  }),
];
