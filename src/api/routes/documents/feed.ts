import { z } from "zod";
import { documents } from "../../../db/dao/documents/documents.ts";
import type { Document } from "../../../db/entities/documents/document.ts";
import { UnavailableError } from "../../../errors.ts";
import { businessDay } from "../../../services/business-day.ts";
import { feed } from "../../../services/documents/documents.ts";
import { defineRoute } from "../../http/define-route.ts";
import { Problem } from "../../http/problem.ts";
import { knowsTag } from "../../http/send-result.ts";
import type { ApiContext, Input, Result } from "../../http/types.ts";
import { JobLink, jobLink } from "../../views/job.ts";
import { makeDocument, sendFeed } from "./make-document.ts";

const tag = "Integrations";
const responses = { 200: { mediaTypes: ["application/xml"] }, 202: JobLink, 304: z.null(), 404: Problem };
const description =
  "As the worker has written it last: at most some minutes after a change of the catalogue, and every night.";

type Call = Pick<Input<"public", never, never, never>, "reader" | "headers" | "commit" | "aborted" | "client">;

/** The newest feed, or 304 for a client that has it already. */
async function answer(context: ApiContext, call: Call): Promise<Result> {
  const document = await newest(context, call);
  if (!document.readyAt) return notYet(context, call, document);
  const known = { etag: `"${document.sha256}"`, "last-modified": document.readyAt.toUTCString() };
  if (isKnown(call.headers, known.etag, document.readyAt)) return { status: 304, headers: known };
  const { headers, ...result } = await sendFeed(context, call, document);
  return { ...result, headers: { ...known, ...headers } };
}

/** The first request ever waits until the feed is made. */
async function newest(context: ApiContext, call: Call): Promise<Document> {
  const stored = await documents.findReady(call.reader, feed);
  if (stored) return stored;
  return (await makeDocument(context, call, { ...feed, requestedBy: null })).document;
}

/** A client that sends `Prefer` understands 202; others would take any 2xx for the feed. */
function notYet({ publicUrl }: ApiContext, { headers }: Call, { job }: Document): Result {
  if (headers.prefer === undefined || !job)
    throw new UnavailableError("The feed is not made yet; try again in a moment");
  const link = jobLink(job, publicUrl);
  return { status: 202, body: link, headers: { location: link.url } };
}

/** If-Modified-Since counts only where there is no If-None-Match (RFC 9110, 13.1.3); HTTP dates have whole seconds. */
function isKnown(headers: Readonly<Record<string, string | string[] | undefined>>, etag: string, changed: Date) {
  const tags = headers["if-none-match"]?.toString();
  if (tags !== undefined) return knowsTag(tags, etag);
  const since = Date.parse(String(headers["if-modified-since"]));
  return since >= Math.floor(changed.getTime() / 1_000) * 1_000;
}

export const feedRoutes = [
  defineRoute({
    method: "get",
    path: "/integrations/yml",
    summary: "Get the Yandex feed of what is in stock",
    description,
    tag,
    waits: true,
    access: "public",
    cache: "public",
    responses,
    handle: answer,
  }),
  defineRoute({
    method: "get",
    path: "/integrations/yml/file",
    summary: "Download the Yandex feed",
    description,
    tag,
    waits: true,
    access: "public",
    cache: "public",
    responses,
    async handle(context, input) {
      const result = await answer(context, input);
      const disposition = `attachment; filename="yml_feed_${businessDay(new Date())}.xml"`;
      return { ...result, headers: { ...result.headers, "content-disposition": disposition } };
    },
  }),
];
