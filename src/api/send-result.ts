import type { Request, Response } from "express";
import type { Result } from "./define-route.ts";

/** Sends what a route returned; a cached answer carries its ETag and is 304 when the caller has it already. */
export function sendResult(req: Request, res: Response, { status, body, cached, headers }: Result) {
  res.status(status);
  if (headers) res.set(headers);
  if (cached) {
    // Anybody may keep it, and has to ask whether it is still good.
    res.set({ etag: cached.etag, "cache-control": "public, no-cache" });
    if (knows(req.headers["if-none-match"], cached.etag)) return void res.status(304).end();
    res.setHeader("content-type", "application/json");
    return void res.end(cached.body);
  }
  if (!res.hasHeader("cache-control")) res.set("cache-control", "no-store");
  if (body === undefined) return void res.end();
  sendJson(res, body);
}

/** Express' own `json` names a charset, which JSON does not have (RFC 8259; wire contract 1.2). */
export function sendJson(res: Response, body: unknown) {
  res.setHeader("content-type", "application/json");
  res.end(JSON.stringify(body));
}

function knows(ifNoneMatch: string | undefined, etag: string) {
  if (!ifNoneMatch) return false;
  return ifNoneMatch.trim() === "*" || ifNoneMatch.split(",").some((tag) => tag.trim().replace(/^W\//, "") === etag);
}
