import { createHmac } from "node:crypto";
import { generateKeyPair } from "jose";
import { describe, expect, test, vi } from "vitest";
import { User } from "../../src/db/entities/user.ts";
import { call, sendCategory, stored, useApi, userIds } from "../support/api.ts";
import type { TokenOptions } from "../support/identity.ts";
import { redPng } from "../support/images.ts";

describe("who may do what", () => {
  const api = useApi({ relay: false });
  const anyJob = () => `${api.url}/jobs/${userIds.user}`;

  const ask = (authorization?: string) => call(anyJob(), { headers: authorization ? { authorization } : {} });
  const base64 = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = () => ({
    sub: userIds.admin,
    iss: api.identity.url,
    aud: api.identity.url,
    iat: 1,
    exp: 4_000_000_000,
  });

  test.each([
    ["no token", undefined],
    ["an empty header", ""],
    ["another scheme", "Basic dXNlcjpwYXNz"],
    ["a lower-case scheme", "bearer x"],
  ])("401 to %s", async (_what, header) => {
    const { status, body, headers } = await ask(header);
    expect([status, body.detail]).toEqual([401, "Missing Authorization header"]);
    expect(headers.get("www-authenticate")).toBe("Bearer");
    expect(body.request_id).toBe(headers.get("x-request-id"));
  });

  test.each<[string, string, TokenOptions]>([
    ["an expired token", "Token expired", { expires: "-31s" }],
    ["a token of an unknown key", "Unknown signing key", { kid: "another" }],
    ["a token of another issuer", "Invalid issuer", { issuer: "https://evil.test" }],
    ["a token for somebody else", "Invalid audience", { audience: "https://evil.test" }],
    ["a token for several others", "Invalid audience", { audience: ["https://evil.test", "x"] }],
    ["a key id that climbs", "Unknown signing key", { kid: "../../dev/null" }],
    ["a key id of 6 kB", "Unknown signing key", { kid: "k".repeat(6_000) }],
    ["a token that is not valid yet", "Invalid JWT", { claims: { nbf: 4_000_000_000 } }],
  ])("401 to %s", async (_what, detail, options) => {
    const { status, body } = await ask(`Bearer ${await api.identity.token(userIds.admin, options)}`);
    expect([status, body.detail]).toEqual([401, detail]);
  });

  test("401 to a signature by another key under our key's id", async () => {
    const keys = await generateKeyPair("EdDSA", { crv: "Ed25519" });
    const token = await api.identity.token(userIds.admin, { keys });
    expect((await ask(`Bearer ${token}`)).body.detail).toBe("Invalid JWT");
  });

  test.each(["none", "None", "nOnE"])("401 to a token that says alg %s", async (alg) => {
    const token = `${base64({ alg, kid: "key-1" })}.${base64(claims())}.`;
    expect((await ask(`Bearer ${token}`)).status).toBe(401);
  });

  test("401 to the public key used as a shared secret", async () => {
    const { x = "" } = await api.identity.publicKey();
    const head = `${base64({ alg: "HS256", kid: "key-1" })}.${base64(claims())}`;
    const signature = createHmac("sha256", Buffer.from(x, "base64url")).update(head).digest("base64url");
    expect((await ask(`Bearer ${head}.${signature}`)).body.detail).toBe("Invalid JWT");
  });

  test.each([
    ["nonsense", "Malformed JWT header"],
    ["a.b.c", "Malformed JWT header"],
    [`${base64({ alg: "EdDSA" })}.${base64({})}.x`, "Missing kid in JWT"],
  ])("401 to the token %s", async (token, detail) => {
    expect((await ask(`Bearer ${token}`)).body.detail).toBe(detail);
  });

  test("401 to a subject that is no id", async () => {
    expect((await ask(`Bearer ${await api.identity.token("somebody")}`)).body.detail).toBe("Invalid JWT");
  });

  test("clocks may differ by 29 seconds", async () => {
    const token = await api.identity.token(userIds.admin, { expires: "-29s" });
    expect((await ask(`Bearer ${token}`)).status).toBe(404);
  });

  test("an audience list is fine when we are in it", async () => {
    const token = await api.identity.token(userIds.admin, { audience: ["x", api.identity.url] });
    expect((await ask(`Bearer ${token}`)).status).toBe(404);
  });

  test("403 to a deactivated user", async () => {
    expect((await ask(`Bearer ${api.tokens.inactive}`)).status).toBe(403);
  });

  test("403 to a customer who creates a category, naming the role, and nothing is stored", async () => {
    const before = await stored(api);
    const { status, body } = await sendCategory(api, { name: "А", image: await redPng(), token: api.tokens.user });
    expect([status, body.detail]).toEqual([403, "Access denied: role USER is not allowed."]);
    const anonymous = await sendCategory(api, { name: "А", image: await redPng(), token: "" });
    expect(anonymous.status).toBe(401);
    expect(await stored(api)).toEqual(before);
  });

  test("the role comes from our own table at the time of the request, not from the token", async () => {
    const id = "0f5a1c52-8a4b-4d1e-8f77-5b9c2a1e4d0a";
    const token = await api.identity.token(id, {
      claims: { email: "new@test.example", role: "ADMIN", first_name: "Нина" },
    });
    expect((await sendCategory(api, { name: "А", token })).body.detail).toBe(
      "Access denied: role USER is not allowed.",
    );
    expect(await api.db.manager.findOneBy(User, { id })).toMatchObject({
      role: "USER",
      firstName: "Нина",
      lastName: "",
    });
    await api.db.manager.update(User, { id }, { role: "EMPLOYEE" });
    expect((await sendCategory(api, { name: "А", token })).status).toBe(422);
  });

  test("401 to an unknown user without an e-mail, or with the e-mail of another", async () => {
    const id = "0f5a1c52-8a4b-4d1e-8f77-5b9c2a1e4d0b";
    expect((await ask(`Bearer ${await api.identity.token(id)}`)).body.detail).toBe("User not found");
    const token = await api.identity.token(id, { claims: { email: "ADMIN@test.example" } });
    expect((await ask(`Bearer ${token}`)).body.detail).toBe("User not found");
  });

  test("a thousand unknown key ids ask the issuer for its keys at most once", async () => {
    const token = await api.identity.token(userIds.admin);
    await ask(`Bearer ${token}`);
    const before = api.identity.requests;
    for (let n = 0; n < 1_000; n += 50) {
      const tokens = await Promise.all(
        Array.from({ length: 50 }, (_, i) => api.identity.token(userIds.admin, { kid: `unknown-${n + i}` })),
      );
      const answers = await Promise.all(tokens.map((one) => ask(`Bearer ${one}`)));
      expect(new Set(answers.map(({ body }) => body.detail))).toEqual(new Set(["Unknown signing key"]));
    }
    expect(api.identity.requests - before).toBeLessThanOrEqual(1);
  });

  test("known keys go on working while the issuer is away", async () => {
    const token = await api.identity.token(userIds.admin, { expires: "2h" });
    expect((await ask(`Bearer ${token}`)).status).toBe(404);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 11 * 60_000 });
    try {
      const before = api.identity.requests;
      for (const fault of ["error", "no JSON", "no keys"] as const) {
        api.identity.fault = fault;
        expect((await ask(`Bearer ${token}`)).status, fault).toBe(404);
        vi.setSystemTime(Date.now() + 11 * 60_000);
      }
      expect(api.identity.requests - before).toBe(3);
      vi.setSystemTime(Date.now() + 60 * 60_000);
      expect((await ask(`Bearer ${token}`)).status).toBe(503);
    } finally {
      vi.useRealTimers();
      api.identity.fault = undefined;
    }
  });
});

describe("an issuer that was never seen", () => {
  const api = useApi({ relay: false });

  test("503 with Retry-After while it is away, and 404 for the job once it is back", async () => {
    api.identity.fault = "error";
    const headers = { authorization: `Bearer ${api.tokens.admin}` };
    const url = `${api.url}/jobs/${userIds.user}`;
    const answer = await call(url, { headers });
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "5"]);
    api.identity.fault = undefined;
    await expect.poll(async () => (await call(url, { headers })).status, { timeout: 5_000 }).toBe(404);
  });
});
