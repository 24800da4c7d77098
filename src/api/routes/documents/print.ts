import { z } from "zod";
import { UnavailableError } from "../../../errors.ts";
import { businessDay } from "../../../services/business-day.ts";
import { sheetFormats } from "../../../services/documents/kinds/define-kind.ts";
import { type DocumentKind, mediaTypesOf, namesOf } from "../../../services/documents/kinds/index.ts";
import { priceListTypes } from "../../../services/documents/kinds/price-list.ts";
import { defineRoute } from "../../http/define-route.ts";
import { uuid } from "../../http/fields.ts";
import { InvalidRequest, Problem } from "../../http/problem.ts";
import type { ApiContext, Input, Result } from "../../http/types.ts";
import { JobLink, jobLink } from "../../views/job.ts";
import { makeDocument, sendDocument } from "./make-document.ts";

const tag = "Print";
/** The former document service had no others. */
const listExtensions = ["xlsx", "csv"] as const;
const sheetQuery = z.object({ format: z.enum(sheetFormats).default("docx") });
const responses = {
  200: { mediaTypes: mediaTypesOf(sheetFormats) },
  202: JobLink,
  404: Problem,
  422: InvalidRequest,
};

/** The file itself, as the warehouse expects it, from the present data. */
async function print(
  context: ApiContext,
  input: Pick<Input<"print", never, never, never>, "actor" | "commit" | "reader" | "headers" | "aborted" | "client">,
  kind: DocumentKind,
  ascii = namesOf(kind).ascii,
): Promise<Result> {
  const { document } = await makeDocument(context, input, { ...kind, requestedBy: input.actor?.id ?? null });
  if (document.readyAt) return sendDocument(context, input, document, { shown: ascii, ascii });
  // A client that sends `Prefer` understands 202; the warehouse would save any 2xx as the document.
  if (input.headers.prefer === undefined || !document.job) {
    throw new UnavailableError("The document is not made yet; try again in a moment");
  }
  const job = jobLink(document.job, context.publicUrl);
  return { status: 202, body: job, headers: { location: job.url } };
}

export const printRoutes = [
  defineRoute({
    method: "get",
    path: "/print/orders/{order_id}",
    summary: "Download an order",
    tag,
    waits: true,
    access: "print",
    params: z.object({ order_id: uuid }),
    query: sheetQuery,
    responses,
    handle: (context, input) =>
      print(context, input, {
        kind: "order",
        format: input.query.format,
        parameters: { id: input.params.order_id },
      }),
  }),
  defineRoute({
    method: "get",
    path: "/print/waybills/{waybill_id}",
    summary: "Download a waybill",
    tag,
    waits: true,
    access: "print",
    params: z.object({ waybill_id: uuid }),
    query: sheetQuery,
    responses,
    handle: (context, input) =>
      print(context, input, {
        kind: "waybill",
        format: input.query.format,
        parameters: { id: input.params.waybill_id },
      }),
  }),
  // The warehouse uses the one, the former service used the other.
  ...["/print/prices", "/print/price"].map((path) =>
    defineRoute({
      method: "get",
      path,
      summary: "Download today's price list",
      tag,
      waits: true,
      access: "print",
      query: z.object({
        type: z.enum(priceListTypes).default("wholesale"),
        ext: z
          .enum(listExtensions)
          .default("xlsx")
          .meta({
            description:
              "`csv` is for programs: spreadsheets read `0986424797` or `1E5` as numbers and change them. " +
              "`xlsx` keeps every part number",
          }),
      }),
      responses: {
        200: { mediaTypes: mediaTypesOf(listExtensions) },
        202: JobLink,
        422: InvalidRequest,
      },
      handle(context, input) {
        const { type, ext } = input.query;
        const parameters = { type, day: businessDay(new Date()) };
        return print(context, input, { kind: "price-list", format: ext, parameters }, `priceList.${ext}`);
      },
    }),
  ),
];
