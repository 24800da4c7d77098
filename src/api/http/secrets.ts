import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Secrets } from "./types.ts";

/**
 * Keeps only the hashes. Several API keys may be valid at once, so that one can be replaced without an outage.
 * `signingKey` is a secret that all processes share; without one, a signature is valid only in its own process.
 */
export function createSecrets(
  apiKeys: readonly string[],
  webhookSecret: string | undefined,
  signingKey: string | Buffer = randomBytes(32),
): Secrets {
  const csrfKey = createHmac("sha256", signingKey).update("csrf token of the board").digest();
  const csrfToken = (session: string) => createHmac("sha256", csrfKey).update(session).digest("base64url");
  const keys = apiKeys.map(sha256);
  const webhooks = webhookSecret === undefined ? [] : [sha256(webhookSecret)];
  return {
    isApiKey: (given) => isOneOf(keys, given),
    isWebhookSecret: (given) => isOneOf(webhooks, given),
    csrfToken,
    isCsrfToken: (given, session) => isOneOf([sha256(csrfToken(session))], given),
  };
}

function isOneOf(hashes: Buffer[], given: string) {
  const hash = sha256(given);
  // All of them are compared, so that the time does not reveal which one matched.
  return hashes.filter((known) => timingSafeEqual(known, hash)).length > 0;
}

function sha256(text: string) {
  return createHash("sha256").update(text).digest();
}
