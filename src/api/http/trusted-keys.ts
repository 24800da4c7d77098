import { createRemoteJWKSet, customFetch, type JWTVerifyGetKey } from "jose";
import { UnavailableError } from "../../errors.ts";
import { tlsFault } from "../../platform/tls.ts";

const timeoutMs = 3_000;
const maxBodyBytes = 256 * 1024;
/** An unknown key id asks the issuer again, but not more often than this. */
const cooldownMs = 30_000;
/** A key that the issuer has withdrawn is refused after so long. */
const maxAgeMs = 10 * 60_000;
/** How long the last known keys are used while the issuer is unavailable. */
const outageMs = 60 * 60_000;

/**
 * The public keys of an issuer, fetched when needed and kept. While the issuer is unavailable the last known keys stay
 * valid for an hour; without any it throws `UnavailableError`. Redirects and large answers are refused.
 */
export function trustedKeys(url: string): JWTVerifyGetKey {
  let last: { body: string; at: number } | undefined;
  let failedAt = 0;

  const load = async (signal: AbortSignal): Promise<Response> => {
    if (Date.now() - failedAt < 1_000) return fallback(new Error("it failed a moment ago"));
    try {
      const answer = await fetch(url, { signal, redirect: "error", headers: { accept: "application/json" } });
      if (answer.status !== 200) throw new Error(`it answered ${answer.status}`);
      const body = await readBounded(answer);
      if (!Array.isArray((JSON.parse(body) as { keys?: unknown }).keys)) throw new Error("it answered no key set");
      last = { body, at: Date.now() };
      return new Response(body);
    } catch (error) {
      failedAt = Date.now();
      return fallback(error);
    }
  };
  const fallback = (cause: unknown) => {
    if (last && Date.now() - last.at < outageMs) return new Response(last.body);
    throw new UnavailableError(tlsFault(cause, "the identity provider") ?? "The identity provider cannot be reached", {
      cause,
    });
  };

  return createRemoteJWKSet(new URL(url), {
    timeoutDuration: timeoutMs,
    cooldownDuration: cooldownMs,
    cacheMaxAge: maxAgeMs,
    [customFetch]: (_url, { signal }) => load(signal),
  });
}

async function readBounded(answer: Response) {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of answer.body ?? []) {
    size += chunk.length;
    if (size > maxBodyBytes) throw new Error("its key set is too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
