import { createHash, timingSafeEqual } from "node:crypto";

/** Checks secrets that programs send; takes the same time for every wrong one. */
export interface Secrets {
  isApiKey(given: string): boolean;
  isWebhookSecret(given: string): boolean;
}

/** Keeps only the hashes. Several API keys may be good at once, so that one can be replaced without an outage. */
export function createSecrets(apiKeys: readonly string[], webhookSecret: string | undefined): Secrets {
  const keys = apiKeys.map(sha256);
  const webhooks = webhookSecret === undefined ? [] : [sha256(webhookSecret)];
  return {
    isApiKey: (given) => isOneOf(keys, given),
    isWebhookSecret: (given) => isOneOf(webhooks, given),
  };
}

function isOneOf(hashes: Buffer[], given: string) {
  const hash = sha256(given);
  // All of them are compared, so that the time does not tell which one it was.
  return hashes.filter((known) => timingSafeEqual(known, hash)).length > 0;
}

function sha256(text: string) {
  return createHash("sha256").update(text).digest();
}
