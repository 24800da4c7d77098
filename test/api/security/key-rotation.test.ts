import { exportJWK, generateKeyPair } from "jose";
import { afterEach, describe, expect, test, vi } from "vitest";
import { call, useApi, userIds } from "../../support/api.ts";
import { unknownId } from "../../support/sample-request.ts";

describe("when the issuer changes its key", () => {
  const api = useApi({ relay: false });
  afterEach(() => vi.useRealTimers());
  const pass = (ms: number) => vi.setSystemTime(Date.now() + ms);

  test("the new one is good within 30 s, and the old one is not after 10 min", { timeout: 60_000 }, async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const statusOf = async (token: Promise<string>) => {
      const headers = { authorization: `Bearer ${await token}` };
      return (await call(`${api.url}/jobs/${unknownId}`, { headers })).status;
    };
    const old = () => api.identity.token(userIds.admin);
    expect(await statusOf(old())).toBe(404);

    const keys = await generateKeyPair("EdDSA", { crv: "Ed25519", extractable: true });
    const both = [...api.identity.published];
    both.push({ ...(await exportJWK(keys.publicKey)), kid: "key-2", alg: "EdDSA", use: "sig" });
    api.identity.published = both;
    pass(31_000);
    expect(await statusOf(api.identity.token(userIds.admin, { kid: "key-2", keys }))).toBe(404);
    expect(await statusOf(old())).toBe(404);

    api.identity.published = both.filter(({ kid }) => kid !== "key-1");
    pass(10 * 60_000 + 1_000);
    expect(await statusOf(old())).toBe(401);
    api.identity.published = both;
    pass(31_000);
    expect(await statusOf(old())).toBe(404);
  });
});
