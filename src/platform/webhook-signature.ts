import { type Webhook, WebhookVerificationError } from "standardwebhooks";
import { UnauthorizedError } from "../errors.ts";

export type WebhookHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** Older than this, in seconds, a signature is not good; Standard Webhooks has the same. */
const oldest = 5 * 60;

/** Throws `UnauthorizedError` when the headers alone show that the signature cannot be right. */
export function refuseUnsigned(headers: WebhookHeaders, prefix = "webhook") {
  const [id, timestamp, signature] = ["id", "timestamp", "signature"].map((name) => headers[`${prefix}-${name}`]);
  const age = Math.abs(Date.now() / 1_000 - Number(timestamp));
  if (!id || !signature || !(age <= oldest + 1)) throw invalidSignature();
}

const invalidSignature = () => new UnauthorizedError("Invalid webhook signature", "Webhook");

/**
 * Throws `UnauthorizedError` unless the signature is right and at most 5 minutes old. `prefix` is what the names of the
 * three headers begin with.
 */
export function checkSignature(webhook: Webhook, bytes: Buffer, headers: WebhookHeaders, prefix = "webhook") {
  const named = ["id", "timestamp", "signature"].map((name) => [
    `webhook-${name}`,
    String(headers[`${prefix}-${name}`] ?? ""),
  ]);
  try {
    // The signature is checked over text: other bytes may not come to the same text.
    new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    webhook.verify(bytes, Object.fromEntries(named) as Record<string, string>, { jsonParse: false });
  } catch (error) {
    if (!(error instanceof WebhookVerificationError || error instanceof TypeError)) throw error;
    throw invalidSignature();
  }
}
