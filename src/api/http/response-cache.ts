import type { IncomingMessage, ServerResponse } from "node:http";
import type { CachedBody } from "../../platform/cache.ts";
import { countAnonymous, rateLimitHeaders } from "./limit-requests.ts";
import { clientAddress } from "./networks.ts";
import { requestIdOf } from "./request-id.ts";
import { knowsTag } from "./send-result.ts";
import type { ResponseCache } from "./types.ts";

interface Ready {
  cached: CachedBody;
  /** How often it was sent, whole and as a 304. */
  sent: Record<200 | 304, { count: number }>;
  /** Alternating names and values, which Node sends as they are. */
  headers: readonly string[];
  /** The same of the body. */
  whole: readonly string[];
}

/** Bytes in all; a list of 300 products is a quarter of a megabyte. */
const maxBytes = 24 * 1024 * 1024;
/**
 * An address and its headers take a kilobyte, however small the answer is, and a client can make up endless addresses.
 */
const maxAnswers = 1_000;
const maxUrlLength = 500;
/** Headers of one request alone, or of an answer to another origin. */
const isNotCommon = /^(x-request-id|ratelimit.*|access-control-.*)$/;

/** An empty store; `proxies` are trusted about the address of a client. */
export function createResponseCache(proxies: number): ResponseCache {
  const ready = new Map<string, Ready>();
  let size = 0;
  const evict = (url: string) => {
    size -= ready.get(url)?.cached.bytes.length ?? 0;
    ready.delete(url);
  };
  const find = ({ method, url = "", headers }: IncomingMessage) => {
    const answer = method === "GET" ? ready.get(url) : undefined;
    // Express tells a browser on another site whether it may read the answer.
    if (!answer || headers.origin !== undefined) return undefined;
    if (answer.cached.isFresh()) return answer;
    evict(url);
    return undefined;
  };

  return {
    serve(context, req, res) {
      const answer = find(req);
      if (!answer) return false;
      const status = countAnonymous(context, clientAddress(req, proxies));
      if (status?.isExceeded) return false;
      const { cached, sent, headers, whole } = answer;
      const { bytes } = cached;
      const own = ["x-request-id", requestIdOf(req.headers["x-request-id"]), ...rateLimitHeaders(status)];
      if (knowsTag(req.headers["if-none-match"], cached.etag)) {
        res.writeHead(304, [...headers, ...own]).end();
        sent[304].count++;
      } else {
        res.writeHead(200, [...headers, ...own, ...whole]).end(bytes);
        sent[200].count++;
      }
      return true;
    },

    keep({ metrics }, req, res, route, { status, cached }) {
      const url = req.originalUrl;
      if (!cached?.isFresh() || status !== 200 || route.cache !== "public") return;
      if (req.method !== "GET" || req.headers.origin !== undefined || url.length > maxUrlLength) return;
      const { bytes } = cached;
      evict(url);
      for (const oldest of ready.keys()) {
        if (ready.size < maxAnswers && size + bytes.length <= maxBytes) break;
        evict(oldest);
      }
      const sent = {
        200: metrics.responseCacheHits.of(route.path, 200),
        304: metrics.responseCacheHits.of(route.path, 304),
      };
      const whole = ["content-type", "application/json", "content-length", String(bytes.length)];
      ready.set(url, { cached, sent, headers: commonHeaders(res, cached), whole });
      size += bytes.length;
    },
  };
}

function commonHeaders(res: ServerResponse, { etag }: CachedBody): string[] {
  const given = Object.entries(res.getHeaders()).filter(([name]) => !isNotCommon.test(name));
  const all = {
    ...Object.fromEntries(given),
    etag,
    "cache-control": "public, no-cache",
  };
  return Object.entries(all).flatMap(([name, value]) => [name, String(value)]);
}
