import type { EntityManager } from "typeorm";
import { z } from "zod";
import { documents } from "../../../db/dao/documents/documents.ts";
import type { Document } from "../../../db/entities/documents/document.ts";
import { ConflictError, NotFoundError } from "../../../errors.ts";
import { businessDay } from "../../../services/business-day.ts";
import { requireOwnSource } from "../../../services/documents/documents.ts";
import type { AnyKind } from "../../../services/documents/kinds/define-kind.ts";
import {
  type DocumentKind,
  definitionOf,
  documentKinds,
  publicKeyOf,
  publicPriceList,
} from "../../../services/documents/kinds/index.ts";
import { personalDataKind } from "../../../services/documents/kinds/personal-data.ts";
import { defineRoute } from "../../http/define-route.ts";
import { uuid } from "../../http/fields.ts";
import { pageOf, pageQuery, slice, toPage } from "../../http/paging.ts";
import { InvalidRequest, Problem } from "../../http/problem.ts";
import type { Actor } from "../../http/types.ts";
import { DocumentView, documentView } from "../../views/document.ts";
import { JobLink, jobLink } from "../../views/job.ts";
import { linkToDocument, makeDocument } from "./make-document.ts";

const tag = "Documents";
const params = z.object({ document_id: uuid });
const waiting =
  "Answers when the file is made, at most after 25 s: `Prefer: wait=N` waits for up to N seconds (60 at most), " +
  "`Prefer: respond-async` not at all.";

const notify = z.boolean().default(false).meta({
  description: "Sends the caller a mail when it is ready, unless the caller's address is known to be unverified",
});
const [first, ...others] = documentKinds.map(({ kind, summary, formats, asked, ...others }) =>
  z
    .object({ kind: z.literal(kind), format: z.enum(formats), parameters: asked, notify })
    .meta({ title: kind, description: "about" in others ? summary : `${summary}; for staff alone` }),
);
if (!first) throw new Error("There is no kind of document");
const Wanted = z.discriminatedUnion("kind", [first, ...others]);

function toKind({ kind, format, parameters }: z.output<typeof Wanted>): DocumentKind {
  const { complete = (asked) => asked } = definitionOf(kind);
  return { kind, format, parameters: complete(parameters, new Date()) } as DocumentKind;
}

const kinds = documentKinds.flatMap(({ kind, about }: AnyKind) => (about ? [{ kind, about }] : []));
const onlooker = ({ id: userId, role }: Actor) => ({ userId, role, kinds, personalData: personalDataKind.kind });

/** Another user's document looks like one that does not exist. */
async function requireVisible(tx: EntityManager, id: string, actor: Actor): Promise<Document> {
  const document = await documents.findSeen(tx, id, onlooker(actor));
  return document ?? Promise.reject(new NotFoundError("Document not found"));
}

export const documentRoutes = [
  defineRoute({
    method: "post",
    path: "/documents/price",
    summary: "Create and publish today's wholesale price list",
    description: waiting,
    tag,
    waits: true,
    access: "api-key",
    idempotent: true,
    responses: { 200: z.object({ url: z.url() }), 202: JobLink },
    async handle(context, input) {
      const list = publicPriceList(businessDay(new Date()));
      const { document, headers } = await makeDocument(context, input, { ...list, requestedBy: null });
      if (document.readyAt) {
        const url = context.store.publicUrl(String(publicKeyOf(list)));
        return { status: 200, body: { url }, headers };
      }
      const job = document.job && jobLink(document.job, context.publicUrl);
      return { status: 202, body: job, headers: { ...headers, location: String(job?.url) } };
    },
  }),
  defineRoute({
    method: "post",
    path: "/documents",
    summary: "Create a document: of one's own orders and waybills, or any for staff",
    description: waiting,
    tag,
    waits: true,
    access: "USER",
    idempotent: true,
    body: Wanted,
    responses: { 201: DocumentView, 202: DocumentView, 404: Problem, 409: Problem, 422: InvalidRequest },
    async handle(context, input) {
      const { actor, body } = input;
      const kind = toKind(body);
      const { document, headers } = await makeDocument(
        context,
        input,
        { ...kind, requestedBy: actor.id, notify: body.notify },
        async (tx) => {
          if (actor.role === "USER") await requireOwnSource(tx, kind, actor.id);
        },
      );
      const view = documentView(document, context);
      if (document.readyAt) return { status: 201, body: view, headers };
      return { status: 202, body: view, headers: { ...headers, location: String(view.job?.url) } };
    },
  }),
  defineRoute({
    method: "get",
    path: "/documents",
    summary: "List documents, newest first: one's own, or all for staff",
    tag,
    access: "USER",
    query: pageQuery(),
    responses: { 200: pageOf(DocumentView), 422: InvalidRequest },
    async handle(context, { actor, query, reader }) {
      const [rows, total] = await documents.list(reader, { by: onlooker(actor), ...slice(query) });
      const views = rows.map((row) => documentView(row, context));
      return { status: 200, body: toPage(views, total, query) };
    },
  }),
  defineRoute({
    method: "get",
    path: "/documents/{document_id}",
    summary: "Get a document, its progress and its file's address",
    tag,
    access: "USER",
    params,
    responses: { 200: DocumentView, 404: Problem, 422: InvalidRequest },
    async handle(context, { actor, params: { document_id }, reader }) {
      const document = await requireVisible(reader, document_id, actor);
      return { status: 200, body: documentView(document, context) };
    },
  }),
  defineRoute({
    method: "get",
    path: "/documents/{document_id}/download",
    summary: "Download a document: redirects to a link that is valid for five minutes",
    tag,
    access: "USER",
    params,
    responses: { 302: z.null(), 404: Problem, 409: Problem, 422: InvalidRequest },
    async handle(context, { actor, params: { document_id }, reader }) {
      const document = await requireVisible(reader, document_id, actor);
      if (!document.readyAt) throw new ConflictError("The document is not made yet; its job says how far it is");
      return { status: 302, headers: { location: await linkToDocument(context, document) } };
    },
  }),
];
