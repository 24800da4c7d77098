import { afterAll, beforeAll, beforeEach } from "vitest";
import { startYooKassa, type YooKassaEmulator } from "../../dev/yookassa/server.ts";
import { createYooKassa, type YooKassaOptions } from "../../src/platform/payments/yookassa.ts";

export const shopId = "100500";
const secretKey = "test_not-a-key-of-any-shop";
/** Another shop of the same provider. */
export const otherShop = { shopId: "200600", secretKey: "test_not-a-key-of-others" };

/** An emulator of YooKassa of this test file, without faults at the beginning of each test. */
export function useYooKassa(): YooKassaEmulator & {
  options(): YooKassaOptions;
  provider(more?: Partial<YooKassaOptions>): Provider;
} {
  const emulator = {} as YooKassaEmulator;
  beforeAll(async () => {
    const shops = { [shopId]: secretKey, [otherShop.shopId]: otherShop.secretKey };
    Object.assign(emulator, await startYooKassa({ port: 0, shops, retryMs: 20, slowMs: 60_000 }));
  });
  beforeEach(() => emulator.faults.clear());
  afterAll(() => emulator.stop());
  const options = (): YooKassaOptions => ({
    ...{ url: emulator.apiUrl, shopId, secretKey, isTwoStage: false },
    returnUrl: "https://shop.test/orders/{order_id}",
    // Slow enough for a busy machine, and short enough for a test that waits for the end of it.
    patience: { startMs: 4_000, callMs: 1_000 },
  });
  const provider = (more: Partial<YooKassaOptions> = {}) => createYooKassa({ ...options(), ...more });
  return Object.assign(emulator, { options, provider });
}

type Provider = ReturnType<typeof createYooKassa>;
