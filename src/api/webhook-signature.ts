import { type Webhook, WebhookVerificationError } from "standardwebhooks";
import { UnauthorizedError } from "../errors.ts";

export type WebhookHeaders = Readonly<Record<string, string | string[] | undefined>>;

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
    throw new UnauthorizedError("Invalid webhook signature", "Webhook");
  }
}
