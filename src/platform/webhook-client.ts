import { lookup as systemLookup } from "node:dns";
import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import type { LookupFunction } from "node:net";
import { onAbort } from "./abort.ts";
import { ForbiddenTargetError, mayReach, type OutboundRules, readOutboundUrl } from "./outbound-url.ts";
import { traced } from "./tracing.ts";

/** The answer of the receiving server. */
export interface OutboundAnswer {
  status: number;
}

export interface OutboundRequest {
  url: string;
  headers: Readonly<Record<string, string>>;
  body: string;
  /** Aborts the request. */
  signal: AbortSignal;
}

export interface WebhookClient {
  /**
   * Sends one POST to an address from a user, and returns the answer, whatever its status; redirects are not followed.
   * Throws `ForbiddenTargetError` when no request may go to the address, the signal's reason when it fires, and
   * `UnreachableError` when there is no answer in time. Whether the request arrived is unknown then.
   */
  post(request: OutboundRequest): Promise<OutboundAnswer>;
}

/** No answer: the connection failed, broke or took too long. Has no `code`, so that it does not count as our outage. */
export class UnreachableError extends Error {
  override readonly name = "UnreachableError";
}

export interface PosterOptions extends OutboundRules {
  /** Resolves a name to its addresses; the system's resolver when absent. */
  lookup?: typeof systemLookup;
  /** Time limit for connecting and the answer's headers, ms. */
  answerMs?: number;
  /** Time limit for the body after that, ms; the status counts in any case. */
  bodyMs?: number;
}

const maxBytes = 64 * 1_024;

/**
 * Posts to addresses from users. Each request resolves the name once, checks every address, and connects to one of
 * those: a name that resolves differently the next moment changes nothing.
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
    // No agent: a kept connection could lead to another address.
    const sent = request(url, { method: "POST", headers, lookup, agent: false, maxHeaderSize: 16_384 }, resolve);
    const forget = onAbort(signal, () => sent.destroy(new Error("aborted")));
    sent.once("response", forget);
    sent.once("error", (error) => {
      forget();
      reject(error);
    });
    sent.end(body);
  });
}

/** Refuses a name when one of its addresses may not be reached: no honest receiver needs a mixture. */
function checkedLookup(lookup: typeof systemLookup, rules: OutboundRules): LookupFunction {
  return (hostname, options, done) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return done(error, "", 0);
      const forbidden = addresses.find(({ address }) => !mayReach(address, rules));
      const [first] = addresses;
      if (forbidden || !first) {
        const found = forbidden ? `'${forbidden.address}', which is not a public address` : "nothing";
        return done(new ForbiddenTargetError(`'${hostname}' resolves to ${found}`), "", 0);
      }
      if (options.all) return done(null, addresses);
      return done(null, first.address, first.family);
    });
  };
}

/**
 * Reads an answer and discards it: it may quote the request. Its end, 64 KB or the signal, whichever comes first,
 * closes the connection.
 */
async function readOn(response: IncomingMessage, signal: AbortSignal): Promise<void> {
  let bytes = 0;
  const forget = onAbort(signal, () => response.destroy());
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes >= maxBytes) break;
    }
  } catch {
    // The status is reported already.
  } finally {
    forget();
    response.destroy();
  }
}

/** A short reason for people: the code of the system or of TLS, never a message, which may contain the URL. */
function reasonOf(error: unknown) {
  const { code } = error as { code?: unknown };
  return typeof code === "string" ? code : "the connection broke";
}
