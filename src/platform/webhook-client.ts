import { lookup as systemLookup } from "node:dns";
import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import type { LookupFunction } from "node:net";
import { ForbiddenTargetError, mayReach, type OutboundRules, readOutboundUrl } from "./outbound-url.ts";
import { traced } from "./tracing.ts";

/** What a server at the other end said. */
export interface OutboundAnswer {
  status: number;
}

export interface OutboundRequest {
  url: string;
  headers: Readonly<Record<string, string>>;
  body: string;
  /** Ends it early. */
  signal: AbortSignal;
}

export interface WebhookClient {
  /**
   * Sends one POST to an address that somebody has given, and returns the answer, whatever its status; redirects are
   * not followed. Throws `ForbiddenTargetError` when the address is one that no request may go to, the signal's reason
   * when it fires, and `UnreachableError` when there is no answer in time. Nobody knows then whether the request came.
   */
  post(request: OutboundRequest): Promise<OutboundAnswer>;
}

/** No answer: the connection failed or broke, or took too long. Has no `code`, so it is taken for no outage of ours. */
export class UnreachableError extends Error {
  override readonly name = "UnreachableError";
}

export interface PosterOptions extends OutboundRules {
  /** What finds the addresses of a name; that of the system when absent. */
  lookup?: typeof systemLookup;
  /** What connecting and the answer's headers may take, ms. */
  answerMs?: number;
  /** What the body may take after that, ms; the status counts in any case. */
  bodyMs?: number;
}

const maxBytes = 64 * 1_024;

/**
 * Posts to addresses that people have given. The name is looked up once for each request, every address that it has is
 * checked, and the connection goes to one of those: a name that resolves differently the next moment changes nothing.
 */
export function createWebhookClient({
  allowPrivate,
  lookup = systemLookup,
  answerMs = 12_000,
  bodyMs = 2_000,
}: PosterOptions): WebhookClient {
  const rules = { allowPrivate };
  return {
    async post({ url: text, headers, body, signal }) {
      const url = readOutboundUrl(text, rules);
      signal.throwIfAborted();
      const late = AbortSignal.timeout(answerMs);
      try {
        const sending = {
          headers: { ...headers, "content-length": String(Buffer.byteLength(body)) },
          body,
          lookup: checkedLookup(lookup, rules),
          signal: AbortSignal.any([signal, late]),
        };
        const response = await traced("HTTP POST", { kind: "client" }, () => send(url, sending));
        await readOn(response, AbortSignal.any([signal, AbortSignal.timeout(bodyMs)]));
        signal.throwIfAborted();
        return { status: response.statusCode ?? 0 };
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof ForbiddenTargetError) throw error;
        if (late.aborted) throw new UnreachableError(`No answer within ${answerMs / 1_000} s`);
        throw new UnreachableError(`No answer: ${reasonOf(error)}`, { cause: error });
      }
    },
  };
}

interface Sending {
  headers: Record<string, string>;
  body: string;
  lookup: LookupFunction;
  signal: AbortSignal;
}

function send(url: URL, { headers, body, lookup, signal }: Sending): Promise<IncomingMessage> {
  const { request } = url.protocol === "https:" ? https : http;
  return new Promise((resolve, reject) => {
    // No agent: a connection that is kept could have been made to another address.
    const sent = request(url, { method: "POST", headers, lookup, agent: false, maxHeaderSize: 16_384 }, resolve);
    const abort = () => sent.destroy(new Error("aborted"));
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort();
    sent.once("response", () => signal.removeEventListener("abort", abort));
    sent.once("error", (error) => {
      signal.removeEventListener("abort", abort);
      reject(error);
    });
    sent.end(body);
  });
}

/** Refuses a name when one of its addresses is none that may be reached: nobody needs a mixture. */
function checkedLookup(lookup: typeof systemLookup, rules: OutboundRules): LookupFunction {
  return (hostname, options, done) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return done(error, "", 0);
      const forbidden = addresses.find(({ address }) => !mayReach(address, rules));
      const [first] = addresses;
      if (forbidden || !first) {
        const found = forbidden ? `'${forbidden.address}', which is no public address` : "nothing";
        return done(new ForbiddenTargetError(`'${hostname}' resolves to ${found}`), "", 0);
      }
      if (options.all) return done(null, addresses);
      return done(null, first.address, first.family);
    });
  };
}

/**
 * Reads an answer and forgets it: it may quote what it was sent. Its end, 64 KB or the signal, whichever comes first, ends
 * the connection.
 */
async function readOn(response: IncomingMessage, signal: AbortSignal): Promise<void> {
  let bytes = 0;
  const stop = () => response.destroy();
  signal.addEventListener("abort", stop, { once: true });
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes >= maxBytes) break;
    }
  } catch {
    // Its status has been said.
  } finally {
    signal.removeEventListener("abort", stop);
    response.destroy();
  }
}

/** A word for people: the code of the system or of TLS, never a message, which may have the URL in it. */
function reasonOf(error: unknown) {
  const { code } = error as { code?: unknown };
  return typeof code === "string" ? code : "the connection broke";
}
