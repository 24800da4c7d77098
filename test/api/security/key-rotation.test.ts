import { exportJWK, generateKeyPair, type JWK } from "jose";
import { afterEach, describe, expect, test } from "vitest";
import { call, useApi, userIds } from "../../support/api.ts";
import { useClockAhead } from "../../support/clock.ts";
import { unknownId } from "../../support/sample-request.ts";

const api = useApi({ relay: false, trustProxy: 1, limits: { credentials: { points: 3, seconds: 600 } } });
const clock = useClockAhead();

const ask = async (token: string | Promise<string>, address = "192.0.2.1") => {
  const headers = { authorization: `Bearer ${await token}`, "x-forwarded-for": address };
  return (await call(`${api.url}/jobs/${unknownId}`, { headers })).status;
};
const tokenOf = (kid?: string) => api.identity.token(userIds.admin, { expires: "2h", ...(kid && { kid }) });

describe("when the issuer changes its key", () => {
  test("the new one is good from the first request on, beside the old one, which ends when it is withdrawn", async () => {
    const old = await tokenOf();
    expect(await ask(old)).toBe(404);
    const [before] = api.identity.published;
    await api.identity.rotate();
    const [after] = api.identity.published;
    const fresh = await tokenOf();
    api.identity.published = [before, after] as JWK[];

    clock.pass(6_000);
    const asked = api.identity.requests;
    const statuses = await Promise.all(Array.from({ length: 50 }, () => ask(fresh)));
    expect(new Set(statuses)).toEqual(new Set([404]));
    expect(api.identity.requests - asked).toBe(1);
    expect(await ask(old)).toBe(404);

    api.identity.published = [after] as JWK[];
    clock.pass(11 * 60_000);
    expect([await ask(fresh), await ask(old)]).toEqual([404, 401]);
  });

  test("good tokens wait for the next look-up while invented key ids have used up the present one", async () => {
    clock.pass(6_000);
    expect(await ask(tokenOf())).toBe(404);
    const asked = api.identity.requests;
    const began = Date.now();
    let isOver = false;
    let refused = 0;
    const flood = async (of: number) => {
      for (let n = 0; !isOver; n++) {
        expect([401, 429]).toContain(await ask(tokenOf(`invented-${of}-${n}`), `198.51.100.${of}`));
        refused++;
      }
    };
    const floods = Array.from({ length: 20 }, (_, of) => flood(of));
    try {
      await expect.poll(() => refused, { timeout: 10_000 }).toBeGreaterThan(0);
      await api.identity.rotate();
      const rotatedAt = Date.now();
      const fresh = await tokenOf();
      // More requests than wrong credentials are allowed.
      const statuses = await Promise.all(Array.from({ length: 20 }, () => ask(fresh)));
      expect(new Set(statuses)).toEqual(new Set([404]));
      expect(Date.now() - rotatedAt).toBeLessThan(6_500);
    } finally {
      isOver = true;
      await Promise.all(floods);
    }
    expect(api.identity.requests - asked).toBeLessThanOrEqual(Math.ceil((Date.now() - began) / 5_000) + 1);
  });
});

describe("a key set", () => {
  afterEach(async () => {
    api.identity.published = [{ ...(await api.identity.publicKey()), kid: api.identity.kid, alg: "EdDSA", use: "sig" }];
  });
  const good = async (): Promise<JWK> => ({ ...(await api.identity.publicKey()), kid: api.identity.kid });
  const other = async () => {
    const { publicKey } = await generateKeyPair("EdDSA", { crv: "Ed25519" });
    return { ...(await exportJWK(publicKey)), kid: api.identity.kid };
  };
  const nothing = [null, 5, "key", []] as unknown as JWK[];

  test.each<[string, () => Promise<JWK[]>, number]>([
    ["with unknown algorithms", async () => [{ kty: "LWE", alg: "ML-DSA-99", kid: "x" }, await good()], 404],
    ["with entries that are no keys", async () => [...nothing, await good()], 404],
    ["with a secret key among them", async () => [{ kty: "oct", k: "AAAA", kid: api.identity.kid }, await good()], 404],
    ["with two keys of one id, ours last", async () => [await other(), await other(), await good()], 404],
    ["with two keys of one id, ours first", async () => [await good(), await other()], 404],
    ["with two keys of one id, neither ours", async () => [await other(), await other()], 401],
    ["with a broken key of the same id", async () => [{ ...(await good()), x: "AAAA" }, await good()], 404],
    ["with nothing but a broken key", async () => [{ ...(await good()), x: "AAAA" }], 401],
    ["whose key has no id", async () => [{ ...(await good()), kid: undefined } as unknown as JWK], 401],
    ["whose key is for encryption", async () => [{ ...(await good()), use: "enc" }], 401],
    ["without keys", async () => [], 401],
  ])("%s", async (_what, keys, status) => {
    api.identity.published = await keys();
    clock.pass(11 * 60_000);
    expect(await ask(tokenOf(), `203.0.113.${Math.floor(Math.random() * 250)}`)).toBe(status);
  });
});
