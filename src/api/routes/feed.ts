import { createHash } from "node:crypto";
import { z } from "zod";
import { feedRows } from "../../db/dao/feed-rows.ts";
import { businessDay } from "../../services/business-day.ts";
import type { ApiContext } from "../context.ts";
import { defineRoute, type Input, type Result } from "../define-route.ts";
import { ymlFeed } from "../feed/yml.ts";
import { knowsTag } from "../send-result.ts";

const tag = "Integrations";
const contentType = "application/xml";
const responses = { 200: { mediaTypes: [contentType] }, 304: z.null() };

/**
 * The feed, or 304 for whoever has it already. Nothing is kept here for twelve hours: whether the catalogue is still the
 * one that the caller knows is one short question to the database, and then the answer is never out of date.
 */
async function answer(
  { store }: ApiContext,
  { reader, headers }: Pick<Input<"public", never, never, never>, "reader" | "headers">,
): Promise<Result> {
  const { changedAt, fingerprint } = await feedRows.state(reader);
  const changed = changedAt ?? new Date(0);
  const hash = createHash("sha256").update(fingerprint).digest("base64url").slice(0, 22);
  // Weak: a write that comes in between is in a later piece, and changes the tag of the next answer.
  const known = { etag: `W/"${hash}"`, "last-modified": changed.toUTCString() };
  if (isKnown(headers, `"${hash}"`, changed)) return { status: 304, headers: known };
  return { status: 200, headers: { ...known, "content-type": contentType }, stream: ymlFeed(reader, store, changed) };
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
    summary: "The catalogue as a Yandex feed: what is in stock",
    tag,
    access: "public",
    cache: "public",
    responses,
    handle: answer,
  }),
  defineRoute({
    method: "get",
    path: "/integrations/yml/file",
    summary: "The Yandex feed as a file",
    tag,
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
