import { z } from "zod";
import { documents } from "../../../db/dao/documents/documents.ts";
import { type ExportOf, exportPieces, sizeOfExport } from "../../../db/dao/privacy/personal-data.ts";
import type { Document } from "../../../db/entities/documents/document.ts";
import { ForbiddenError, NotFoundError } from "../../../errors.ts";
import { requestDocument } from "../../../services/documents/documents.ts";
import { requestErasure, requestGuestErasure } from "../../../services/privacy/erasures.ts";
import { defineRoute } from "../../http/define-route.ts";
import { email, line, timestamp, uuid } from "../../http/fields.ts";
import { InvalidRequest, Problem } from "../../http/problem.ts";
import type { Actor, ApiContext, Input, Result } from "../../http/types.ts";
import { DocumentView, documentView } from "../../views/document.ts";
import { JobLink, jobLink } from "../../views/job.ts";
import { linkToDocument } from "../documents/make-document.ts";

const tag = "Personal data";
const params = z.object({ user_id: uuid });
const reason = line(500).meta({ description: "Why, and not who: it is kept for ever" });
const refusals = { 401: Problem, 403: Problem, 404: Problem, 409: Problem, 422: InvalidRequest };

/** A worker makes larger exports. */
const maxAtOnce = { rows: 1_000, bytes: 1_000_000 };

const PersonalData = z
  .object({
    user_id: z.uuid(),
    taken_at: timestamp,
    tables: z.record(z.string(), z.array(z.record(z.string(), z.unknown()))).meta({
      description: "Rows by the name of their table; ids of staff are left out",
    }),
  })
  .meta({ id: "PersonalData", description: "All that is stored about a person" });

/** A user's own, or any for admins; employees see what their work needs, one entity at a time. */
function checkOwnOrAdmin({ id, role }: Actor, userId: string) {
  if (role === "ADMIN" || id === userId) return;
  throw new ForbiddenError(`Access denied: role ${role} is not allowed.`);
}

function promised({ publicUrl }: ApiContext, jobId: string): Result {
  const link = jobLink({ id: jobId, state: "open" }, publicUrl);
  return { status: 202, body: link, headers: { location: link.url } };
}

export const personalDataRoutes = [
  defineRoute({
    method: "get",
    path: "/users/{user_id}/export",
    summary: "Export all data about a user: one's own, or any for admins",
    description:
      "Few rows are returned at once. More rows become a file: the answer is the document to poll (202), " +
      "and within the hour a redirect to its file (302). Admins also get the orders that a guest made under " +
      "the user's address; a guest's address is not verified, so users do not.",
    tag,
    access: "USER",
    params,
    responses: { 200: PersonalData, 202: DocumentView, 302: z.null(), ...refusals },
    async handle(context, input) {
      const { actor, params, reader } = input;
      const userId = params.user_id;
      checkOwnOrAdmin(actor, userId);
      const whose = { userId, withGuestOrders: actor.role === "ADMIN" };
      const size = await sizeOfExport(reader, whose);
      if (!size) throw new NotFoundError("User not found");
      if (size.rows <= maxAtOnce.rows && size.bytes <= maxAtOnce.bytes) return answerAtOnce(context, whose);
      const document = await orderExport(context, input, { ...whose, requestedBy: actor.id });
      if (document.readyAt) {
        return { status: 302, headers: { location: await linkToDocument(context, document) } };
      }
      const location = `${context.publicUrl}/documents/${document.id}`;
      return { status: 202, body: documentView(document, context), headers: { location } };
    },
  }),
  defineRoute({
    method: "post",
    path: "/users/{user_id}/erasure",
    summary: "Erase the data about a user",
    description:
      "The user is locked out at once, even with a valid token; the job does the rest and reports what it has " +
      "erased. What was sold for how much is kept, under the same id and without a name. Orders that are under way " +
      "lose their contact, too: complete or cancel them first. May be repeated.",
    tag,
    access: "ADMIN",
    act: { act: "start", kind: "erase-person" },
    params,
    body: z.object({ reason }),
    isBodyPrivate: true,
    idempotent: true,
    responses: { 202: JobLink, ...refusals },
    handle(context, { params: { user_id }, body, actor, commit }) {
      const endpoint = `${context.publicUrl}/users/${user_id}/erasure`;
      const request = { reason: body.reason, requestedBy: actor.id, endpoint };
      return commit(async (tx) => promised(context, await requestErasure(tx, user_id, request)));
    },
  }),
  defineRoute({
    method: "post",
    path: "/erasures",
    summary: "Erase the data about a guest, by e-mail",
    description:
      "Of orders without an account and of mails, until now; later orders under the address belong to a new person. An " +
      "address that an account has is erased with the account.",
    tag,
    access: "ADMIN",
    act: { act: "start", kind: "erase-person" },
    body: z.object({ email, reason }),
    isBodyPrivate: true,
    idempotent: true,
    responses: { 202: JobLink, ...refusals },
    handle(context, { body, actor, commit }) {
      const request = { reason: body.reason, requestedBy: actor.id, endpoint: `${context.publicUrl}/erasures` };
      return commit(async (tx) => promised(context, await requestGuestErasure(tx, body.email, request)));
    },
  }),
];

/** The document with these data: made, being made, or ordered now. */
async function orderExport(
  { shop }: ApiContext,
  { commit, reader }: Pick<Input<"USER", never, never, never>, "commit" | "reader">,
  { requestedBy, ...parameters }: ExportOf & { requestedBy: string },
): Promise<Document> {
  const kind = { kind: "personal-data", format: "json", parameters, requestedBy } as const;
  const { body } = await commit(async (tx) => {
    const { id } = await requestDocument(tx, kind, shop);
    return { status: 202, body: { id } };
  });
  const document = await documents.findById(reader, (body as { id: string }).id);
  if (!document) throw new NotFoundError("Document not found");
  return document;
}

/** From one state of the database; it is small, so it is read completely before the answer. */
async function answerAtOnce({ db }: ApiContext, whose: ExportOf): Promise<Result> {
  const text = await db.transaction("REPEATABLE READ", async (tx) => {
    let text = "";
    for await (const piece of exportPieces(tx, whose)) text += piece;
    return text;
  });
  return { status: 200, body: JSON.parse(text) };
}
