import type { CardCheckout, CardSettlement } from "./card-provider.ts";
import { createTestProvider, testSettlement } from "./test-provider.ts";
import { createYooKassa, type YooKassaOptions } from "./yookassa.ts";

/** The card provider of an installation; undefined: there is none. */
export type CardSettings = { provider: "test" } | ({ provider: "yookassa" } & YooKassaOptions) | undefined;

/** The card provider for requests; `webhookSecret` is for the test provider. */
export function createCardCheckout(
  settings: CardSettings,
  { webhookSecret, publicUrl }: { webhookSecret: string | undefined; publicUrl: string },
): CardCheckout | undefined {
  if (settings?.provider === "yookassa") return createYooKassa(settings);
  return settings && webhookSecret ? createTestProvider(webhookSecret, publicUrl) : undefined;
}

/** The card provider for jobs. */
export function createCardSettlement(settings: CardSettings): CardSettlement | undefined {
  if (settings?.provider === "yookassa") return createYooKassa(settings);
  return settings && testSettlement;
}
