import { isNetworkError, NotFoundError, UnavailableError } from "../../errors.ts";
import { tlsFault } from "../tls.ts";
import { traced } from "../tracing.ts";
import { CardRefusalError } from "./card-provider.ts";

/** Where and as which shop YooKassa is called. */
export interface YooKassaAccount {
  /** Base address of its API, without a slash at the end. */
  url: string;
  shopId: string;
  secretKey: string;
}

/** One call of the API: a POST has a body and its idempotence key. */
export interface YooKassaCall {
  /** What it is for, as in "YooKassa refuses the refund". */
  what: string;
  path: string;
  post?: { key: string; body: object };
  signal: AbortSignal;
}

/** YooKassa did not say how the call ended: the same call with the same key finds it out. */
export class UnknownResultError extends UnavailableError {
  /** How long YooKassa asks to wait, ms; 0 when it does not say. */
  readonly waitMs: number;
  constructor(message: string, { waitMs = 0, cause }: { waitMs?: number; cause?: unknown } = {}) {
    super(message, { cause });
    this.waitMs = waitMs;
  }
}

export type CallYooKassa = (call: YooKassaCall) => Promise<unknown>;

/** An answer is a few KB. */
const maxBytes = 512 * 1_024;

/**
 * Calls YooKassa's API v3, once, and returns the object of its answer. Throws `CardRefusalError` when it refuses,
 * `NotFoundError` when this shop has no such object, `UnavailableError` when it does not take the shop's key, and
 * `UnknownResultError` otherwise. None of them quotes what was sent or answered, except the code and the parameter.
 */
export function createYooKassaClient({ url, shopId, secretKey }: YooKassaAccount): CallYooKassa {
  const authorization = `Basic ${Buffer.from(`${shopId}:${secretKey}`).toString("base64")}`;
  return async ({ what, path, post, signal }) => {
    const request = {
      headers: {
        authorization,
        ...(post && { "content-type": "application/json", "idempotence-key": post.key }),
      },
      ...(post && { method: "POST", body: JSON.stringify(post.body) }),
      redirect: "error" as const,
      signal,
    };
    const answer = await traced(`YooKassa ${what}`, { kind: "client" }, () => exchange(`${url}${path}`, request)).catch(
      (error: unknown) => {
        throw new UnknownResultError(`YooKassa did not answer about the ${what}: ${reasonOf(error)}`, { cause: error });
      },
    );
    if (answer.status === 200) return answer.body;
    throw failureOf(what, answer);
  };
}

interface Answer {
  status: number;
  body: unknown;
  retryAfter: string | null;
}

function failureOf(what: string, { status, body, retryAfter }: Answer) {
  const { code, parameter, retry_after: waitMs } = (body ?? {}) as Record<string, unknown>;
  const named = [status, word(code), word(parameter)].filter(Boolean).join(", ");
  if (status === 401 || status === 403) {
    return new UnavailableError(
      `YooKassa refuses the shop's key for the ${what} (${named}): check YOOKASSA_SHOP_ID and YOOKASSA_SECRET_KEY`,
    );
  }
  if (status === 404) return new NotFoundError(`YooKassa knows nothing of the ${what}`);
  const isFinal = status >= 400 && status < 500 && status !== 429 && status !== 408;
  if (isFinal) return new CardRefusalError(`YooKassa refuses the ${what} (${named})`, word(code) ?? String(status));
  return new UnknownResultError(`YooKassa does not say yet how the ${what} ended (${named})`, {
    waitMs: positive(waitMs) || positive(retryAfter) * 1_000,
  });
}

async function exchange(url: string, request: RequestInit): Promise<Answer> {
  const response = await fetch(url, request);
  return {
    status: response.status,
    body: await readJson(response),
    retryAfter: response.headers.get("retry-after"),
  };
}

/** The object of an answer; undefined when it is none. Throws when the connection breaks before its end. */
async function readJson({ body, status }: Response): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    // Leaving the loop closes the connection.
    if (bytes > maxBytes) throw new Error("its answer is too long");
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch {
    if (status === 200) throw new Error("its answer is not JSON");
    return undefined;
  }
}

/** A code or the name of a parameter; other text could quote what was sent. */
const word = (value: unknown) => (typeof value === "string" && /^[\w.[\]-]{1,100}$/.test(value) ? value : undefined);

function positive(value: unknown) {
  const number = Number(value);
  return Number.isFinite(number) && number > 0 ? number : 0;
}

function reasonOf(error: unknown) {
  const { name, message, cause } = error as Error;
  if (name === "TimeoutError") return "it took too long";
  const fault = tlsFault(cause, "YooKassa");
  if (fault) return fault;
  if (isNetworkError(cause)) return String((cause as { code?: unknown }).code);
  return message.startsWith("its answer") ? message : "the connection broke";
}
