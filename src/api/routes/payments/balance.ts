import { z } from "zod";
import { balances } from "../../../db/dao/payments/balances.ts";
import { adjustmentReasons, currencies } from "../../../db/entities/payments/balance-entry.ts";
import { ValidationError } from "../../../errors.ts";
import { changeBalance } from "../../../services/payments/balances.ts";
import { checkOwn } from "../../http/access.ts";
import { defineRoute } from "../../http/define-route.ts";
import { integer, uuid } from "../../http/fields.ts";
import { pageOf, pageQuery, slice, toPage } from "../../http/paging.ts";
import { InvalidRequest, Problem } from "../../http/problem.ts";
import { missingField } from "../../http/violations.ts";
import { BalanceEntryView, balanceEntryView } from "../../views/balance-entry.ts";

const tag = "Balance";
const params = z.object({ user_id: uuid });

/** Each may come in the query or the body; the body takes precedence. */
const Adjustment = z.object({
  delta: integer(z.int()).optional().meta({ description: "Whole units; required" }),
  reason: z.enum(adjustmentReasons).optional().meta({ description: "Required" }),
  currency: z.enum(currencies).optional().meta({ description: "RUB when absent" }),
});
type Adjustment = z.output<typeof Adjustment>;

function complete(query: Adjustment, body: Adjustment | undefined) {
  const { delta = query.delta, reason = query.reason, currency = query.currency ?? "RUB" } = body ?? {};
  if (delta !== undefined && reason !== undefined) return { delta, reason, currency };
  const missing = [...(delta === undefined ? ["delta"] : []), ...(reason === undefined ? ["reason"] : [])];
  const place = body ? "body" : "query";
  throw new ValidationError(missing.map((name) => ({ ...missingField, loc: [place, name], input: body ?? null })));
}

export const balanceRoutes = [
  defineRoute({
    method: "get",
    path: "/balance/history/{user_id}",
    summary: "List balance changes of a user, newest first: one's own, or any for staff",
    tag,
    access: "USER",
    params,
    query: pageQuery(),
    responses: { 200: pageOf(BalanceEntryView), 422: InvalidRequest },
    async handle(_context, { params: { user_id }, query, actor, profile, reader }) {
      checkOwn(actor, user_id);
      const [rows, total] = await balances.history(reader, user_id, slice(query));
      const items = rows.map((entry) => balanceEntryView(entry, profile));
      return { status: 200, body: toPage(items, total, query) };
    },
  }),
  defineRoute({
    method: "post",
    path: "/balance/adjust/{user_id}",
    summary: "Change a balance and record it",
    description: "Values come from the query, from a JSON body, or from both.",
    tag,
    access: "ADMIN",
    idempotent: true,
    params,
    query: Adjustment,
    body: Adjustment.optional(),
    responses: { 201: BalanceEntryView, 404: Problem, 409: Problem, 422: InvalidRequest },
    async handle(_context, { params: { user_id: userId }, query, body, profile, commit }) {
      const adjustment = complete(query, body);
      return commit(async (tx) => {
        const entry = await changeBalance(tx, { userId, ...adjustment });
        return { status: 201, body: balanceEntryView({ ...entry, waybill: null }, profile) };
      });
    },
  }),
];
