import { z } from "zod";
import { requestPriceListMail } from "../../services/mails.ts";
import { defineRoute } from "../define-route.ts";
import { email } from "../fields.ts";
import { InvalidRequest } from "../problem.ts";

export const mailRoutes = [
  defineRoute({
    method: "post",
    path: "/mail/{recipient}",
    summary: "Mail the link to today's price list to one address",
    tag: "Mail",
    access: "api-key",
    idempotent: true,
    params: z.object({ recipient: email }),
    responses: { 200: z.object({ id: z.uuid().meta({ description: "The job that sends it" }) }), 422: InvalidRequest },
    handle(_context, { params: { recipient }, commit }) {
      return commit(async (tx) => ({ status: 200, body: { id: await requestPriceListMail(tx, { recipient }) } }));
    },
  }),
];
