import { z } from "zod";
import { timeline } from "../../../db/dao/audit/timeline.ts";
import { defineRoute } from "../../http/define-route.ts";
import { integer, timestamp, uuid } from "../../http/fields.ts";
import { InvalidRequest, Problem } from "../../http/problem.ts";

/** Entities with a history of their own. */
export const timelineTypes = [
  "category",
  "sub-category",
  "product",
  "offer",
  "image",
  "order",
  "payment",
  "waybill",
  "document",
  "mail",
  "user",
  "address",
  "webhook-endpoint",
] as const;

const TimelineEntryView = z
  .object({
    at: timestamp,
    kind: z.enum(["job", "change", "event", "stock", "payment"]),
    title: z.string(),
    ref: z.uuid().meta({ description: "Of the job, audit row, event, stock movement or payment" }),
  })
  .meta({ id: "TimelineEntry" });

/** `<at>~<ref>` of the last entry of a page. */
const cursor = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z~[0-9a-f-]{36}$/, "is not the `next` of a page")
  .refine((text) => !Number.isNaN(Date.parse(text.slice(0, 23).concat("Z"))), "is not the `next` of a page")
  .transform((text) => ({ at: text.slice(0, 27), ref: text.slice(28) }));

const end = { at: "infinity", ref: "" };

export const timelineRoutes = [
  defineRoute({
    method: "get",
    path: "/entities/{type}/{id}/timeline",
    summary: "Timeline of an entity: jobs, changes by staff, events, stock movements, payments; newest first",
    description: "The next page begins `before` the `next` of this one; there is none when that is null.",
    tag: "Jobs",
    access: "EMPLOYEE",
    params: z.object({ type: z.enum(timelineTypes), id: uuid }),
    query: z.object({ before: cursor.optional(), size: integer(z.int().min(1).max(200).default(50)) }),
    responses: {
      200: z.object({ items: z.array(TimelineEntryView), next: z.string().nullable() }),
      401: Problem,
      422: InvalidRequest,
    },
    async handle(_context, { params, query: { before = end, size }, reader }) {
      const items = await timeline(reader, params, before, size);
      const last = items.length === size ? items.at(-1) : undefined;
      return { status: 200, body: { items, next: last ? `${last.at}~${last.ref}` : null } };
    },
  }),
];
