import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Request, Response } from "express";
import { bytesOf, etagOf } from "../../platform/cache.ts";
import type { Result, Route } from "./types.ts";

/**
 * Sends the result of a route. A GET carries an ETag, and is 304 when the caller has it already; no cache may keep an
 * answer that belongs to one person.
 */
export async function sendResult(req: Request, res: Response, route: Pick<Route, "cache" | "method">, result: Result) {
  const { status, body, cached, stream, headers = {}, fileName } = result;
  res.status(status);
  if (fileName !== undefined) res.attachment(fileName);
  // Express' own `set` would name a charset, which JSON does not have.
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  if (!res.hasHeader("cache-control")) {
    // Any cache may keep it, and has to revalidate it.
    res.setHeader("cache-control", route.cache === "public" ? "public, no-cache" : "no-store");
  }
  if (stream) return sendStream(req, res, stream);
  if (cached) return sendTagged(req, res, cached.etag, cached.bytes);
  if (body === undefined) return void res.end();
  const bytes = bytesOf(body);
  if (route.method === "get" && status === 200) return sendTagged(req, res, etagOf(bytes), bytes);
  sendBytes(res, bytes);
}

async function sendStream(req: Request, res: Response, stream: NonNullable<Result["stream"]>) {
  // Wrapped, a stream that is cut off would be noticed only when the caller reads the next piece.
  const source = stream instanceof Readable ? stream : Readable.from(stream);
  if (req.method !== "HEAD") return pipeline(source, res).catch(unlessCallerLeft);
  // A HEAD has no body, and an unread stream could hold a connection without end.
  source.destroy();
  res.end();
}

/** A client that hangs up in the middle of an answer does no harm, and is not worth a log line. */
function unlessCallerLeft(error: { code?: unknown }) {
  if (error.code !== "ERR_STREAM_PREMATURE_CLOSE") throw error;
}

/** Express' own `json` names a charset, which JSON does not have (RFC 8259; contract 1.2). */
export function sendJson(res: Response, body: unknown) {
  sendBytes(res, JSON.stringify(body));
}

/** True when a header such as If-None-Match names the ETag. */
export function matchesTag(header: string, etag: string) {
  return header.split(",").some((tag) => tag.trim().replace(/^W\//, "") === etag);
}

/** True when If-None-Match says that the caller has this state already. */
export function knowsTag(ifNoneMatch: string | undefined, etag: string) {
  return ifNoneMatch !== undefined && (ifNoneMatch.trim() === "*" || matchesTag(ifNoneMatch, etag));
}

function sendTagged(req: Request, res: Response, etag: string, bytes: Buffer) {
  res.setHeader("etag", etag);
  if (knowsTag(req.headers["if-none-match"], etag)) return void res.status(304).end();
  sendBytes(res, bytes);
}

function sendBytes(res: Response, bytes: Buffer | string) {
  if (!res.hasHeader("content-type")) res.setHeader("content-type", "application/json");
  res.end(bytes);
}
