import { createHmac, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair } from "jose";
import { beforeAll, describe, expect, test } from "vitest";
import { createAuthenticate } from "../../../src/api/http/authenticate.ts";
import { User } from "../../../src/db/entities/accounts/user.ts";
import type { Log } from "../../../src/platform/logger.ts";
import { call, sendCategory, stored, useApi, userIds } from "../../support/api.ts";
import { useClockAhead } from "../../support/clock.ts";
import { useDatabase } from "../../support/database.ts";
import { type TokenOptions, useIdentity } from "../../support/identity.ts";
import { redPng } from "../../support/images.ts";

const clock = useClockAhead();

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
    ["a token for another program", "Invalid audience", { audience: "https://evil.test" }],
    ["a token for several others", "Invalid audience", { audience: ["https://evil.test", "x"] }],
    ["a key id that climbs", "Unknown signing key", { kid: "../../dev/null" }],
    ["a key id of 6 kB", "Unknown signing key", { kid: "k".repeat(6_000) }],
    ["a token that is not valid yet", "Invalid JWT", { claims: { nbf: 4_000_000_000 } }],
    ["a token of the future", "Invalid JWT", { claims: { iat: Math.floor(Date.now() / 1_000) + 3_600 } }],
    ["a token without a time", "Invalid JWT", { claims: { iat: undefined } }],
    ["a token whose time is a text", "Invalid JWT", { claims: { iat: "yesterday" } }],
    ["a token without an end", "Invalid JWT", { expires: null }],
    ["a token without an issuer", "Invalid issuer", { issuer: null }],
    ["a token without an audience", "Invalid audience", { audience: null }],
    ["a token for a prefix of us", "Invalid audience", { audience: "http://127.0.0.1" }],
  ])("401 to %s", async (_what, detail, options) => {
    clock.pass(6_000);
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

  test.each([null, "", "a-user", "user_2abc", "1", `${userIds.user} `, "\0"])(
    "401 to the subject %j",
    async (subject) => {
      const claims = { email: "unknown@test.example" };
      expect(await ask(`Bearer ${await api.identity.token(subject, { claims })}`)).toMatchObject({
        status: 401,
        body: { detail: "Invalid JWT" },
      });
    },
  );

  test("no address in a token's header is ever called", async () => {
    const asked: string[] = [];
    const listener = createServer((req, res) => {
      asked.push(String(req.url));
      res.end("{}");
    }).listen(0, "127.0.0.1");
    await once(listener, "listening");
    const url = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`;
    const keys = await generateKeyPair("EdDSA", { crv: "Ed25519" });
    const header = { jku: `${url}/jku`, x5u: `${url}/x5u`, jwk: await exportJWK(keys.publicKey) };
    for (const options of [
      { header, keys },
      { header, keys, kid: "another" },
      { issuer: url, header, keys },
    ]) {
      expect((await ask(`Bearer ${await api.identity.token(userIds.admin, options)}`)).status).toBe(401);
    }
    listener.close();
    expect(asked).toEqual([]);
  });

  test("a token in the address is not looked at", async () => {
    for (const name of ["token", "access_token", "authorization"]) {
      expect((await call(`${anyJob()}?${name}=${api.tokens.admin}`)).body.detail).toBe("Missing Authorization header");
    }
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

  test("many first requests at once make one user", async () => {
    const id = randomUUID();
    const authorization = `Bearer ${await api.identity.token(id, { claims: { email: `${id}@test.example` } })}`;
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(authorization)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([404]));
    expect(await api.db.manager.countBy(User, { id })).toBe(1);
  });

  test("a new user's odd names are mended, and odd e-mails and ids are not entered", async () => {
    const id = randomUUID();
    const claims = { email: `${id}@test.example`, first_name: " Ни\0на\n", last_name: 5 };
    expect((await ask(`Bearer ${await api.identity.token(id, { claims })}`)).status).toBe(404);
    expect(await api.db.manager.findOneBy(User, { id })).toMatchObject({ firstName: "Нина", lastName: "" });
    for (const email of ["a@localhost", "a@x.ru, b@x.ru", "a@x.ru\r\nBcc: b@x.ru", 5]) {
      const token = await api.identity.token(randomUUID(), { claims: { email } });
      expect((await ask(`Bearer ${token}`)).body.detail).toBe("User not found");
    }
    const odd = await api.identity.token("11111111-1111-1111-1111-111111111111", {
      claims: { email: "odd@test.example" },
    });
    expect((await ask(`Bearer ${odd}`)).body.detail).toBe("User not found");
  });

  test("what has happened to the user since the token was made counts at the next request", async () => {
    const id = randomUUID();
    await api.db.manager.insert(User, {
      id,
      email: `${id}@test.example`,
      firstName: "А",
      lastName: "Б",
      role: "ADMIN",
    });
    const headers = { authorization: `Bearer ${await api.identity.token(id)}` };
    const list = async () => (await call(`${api.url}/users`, { headers })).status;
    expect(await list()).toBe(200);
    await api.db.manager.update(User, { id }, { role: "USER" });
    expect(await list()).toBe(403);
    await api.db.manager.update(User, { id }, { role: "ADMIN", isActive: false });
    expect(await list()).toBe(403);
    await api.db.manager.delete(User, { id });
    expect(await list()).toBe(401);
  });

  test("401 to an unknown user without an e-mail, or with the e-mail of another", async () => {
    const id = "0f5a1c52-8a4b-4d1e-8f77-5b9c2a1e4d0b";
    expect((await ask(`Bearer ${await api.identity.token(id)}`)).body.detail).toBe("User not found");
    const token = await api.identity.token(id, { claims: { email: "ADMIN@test.example" } });
    expect((await ask(`Bearer ${token}`)).body.detail).toBe("User not found");
  });

  test("known keys go on working while the issuer is unavailable", async () => {
    const token = await api.identity.token(userIds.admin, { expires: "2h" });
    expect((await ask(`Bearer ${token}`)).status).toBe(404);
    try {
      for (const fault of ["error", "no JSON", "no keys"] as const) {
        const before = api.identity.requests;
        clock.pass(11 * 60_000);
        api.identity.fault = fault;
        expect((await ask(`Bearer ${token}`)).status, fault).toBe(404);
        await expect.poll(() => api.identity.requests).toBe(before + 1);
      }
      clock.pass(60 * 60_000);
      expect((await ask(`Bearer ${token}`)).status).toBe(503);
    } finally {
      api.identity.fault = undefined;
      clock.pass(6_000);
      await ask(`Bearer ${token}`);
    }
  });
});

describe("a second issuer", () => {
  const db = useDatabase();
  const shop = useIdentity();
  const clerk = useIdentity("RS256");
  const party = "https://warehouse.test";
  const clerkId = "user_2abcDEF";
  const claims = { azp: party };
  const lines: unknown[] = [];
  const log = { debug() {}, info() {}, error() {}, warn: (fields: unknown) => lines.push(fields) } as unknown as Log;
  let authenticate: ReturnType<typeof createAuthenticate>;

  beforeAll(async () => {
    const jwksOf = ({ url }: { url: string }) => ({ issuer: url, jwksUrl: `${url}/api/auth/jwks` });
    authenticate = createAuthenticate(
      db,
      [
        { ...jwksOf(shop), algorithms: ["EdDSA"], audiences: [shop.url], authorizedParties: [], userKey: "id" },
        { ...jwksOf(clerk), algorithms: ["RS256"], audiences: [], authorizedParties: [party], userKey: "clerk_id" },
      ],
      log,
    );
    const names = { firstName: "Нина", lastName: "Ли", clerkId };
    await db.manager.insert(User, { id: userIds.employee, email: "nina@test.example", role: "EMPLOYEE", ...names });
  });

  const refusal = (token: Promise<string>) =>
    token
      .then((text) => authenticate(`Bearer ${text}`))
      .then(
        (actor) => JSON.stringify(actor),
        (error: Error) => error.message,
      );
  const ofClerk = (subject: string | null, options: TokenOptions = {}) =>
    clerk.token(subject, { audience: null, claims, ...options });

  test("has its users found by the claim clerk_id, else by the subject; their role is ours", async () => {
    const employee = { id: userIds.employee, role: "EMPLOYEE" };
    for (const token of [
      await ofClerk(clerkId, { claims: { ...claims, role: "ADMIN", metadata: { role: "ADMIN" } } }),
      await ofClerk("user_other", { claims: { ...claims, clerk_id: clerkId } }),
      await ofClerk(clerkId, { audience: "https://anything.test" }),
    ]) {
      expect(await authenticate(`Bearer ${token}`)).toMatchObject(employee);
    }
    expect(await refusal(ofClerk(clerkId, { claims: { ...claims, clerk_id: "user_other" } }))).toBe("User not found");
  });

  test("has to name a party that we know", async () => {
    for (const azp of [undefined, "https://evil.test", "", null, [], `${party}/`]) {
      expect(await refusal(ofClerk(clerkId, { claims: { azp } }))).toBe("Invalid audience");
    }
  });

  test("enters no user, and takes no id of ours for its own", async () => {
    const email = "new@test.example";
    for (const subject of ["user_unknown", userIds.employee, randomUUID()]) {
      expect(await refusal(ofClerk(subject, { claims: { ...claims, email } }))).toBe("User not found");
    }
    expect(await db.manager.countBy(User, { email })).toBe(0);
  });

  test.each([null, "", "a b", "a\0b", "я", "x".repeat(256)])("has no user with the subject %#", async (subject) => {
    expect(await refusal(ofClerk(subject))).toBe("Invalid JWT");
  });

  test.each([5, {}, [clerkId], ""])("has no user with the claim clerk_id %j", async (clerk_id) => {
    expect(await refusal(ofClerk(clerkId, { claims: { ...claims, clerk_id } }))).toBe("Invalid JWT");
  });

  test("cannot speak for the first one, nor the first one for it", async () => {
    expect(await refusal(ofClerk(userIds.employee, { issuer: shop.url, audience: shop.url }))).toBe("Invalid JWT");
    expect(await refusal(shop.token(clerkId, { issuer: clerk.url, claims }))).toBe("Invalid JWT");
    expect(await refusal(shop.token(clerkId))).toBe("Invalid JWT");
    const keys = await generateKeyPair("RS256");
    expect(await refusal(ofClerk(clerkId, { keys }))).toBe("Invalid JWT");
  });

  test("has the log say once a minute which claim of good tokens is not ours, and no answer", async () => {
    const other = "https://other.test";
    clock.pass(61_000);
    await refusal(ofClerk(clerkId, { claims: { azp: other } }));
    clock.pass(61_000);
    lines.length = 0;
    const of = { issuer: clerk.url, tokens: 1 };
    const azp = { ...of, claim: "azp", expected: [party] };
    for (const given of [other, `${other}/2`])
      expect(await refusal(ofClerk(clerkId, { claims: { azp: given } }))).toBe("Invalid audience");
    expect(lines).toEqual([{ ...azp, given: `"${other}"` }]);

    const aud = { issuer: shop.url, claim: "aud", expected: [shop.url], given: `["${other}","x"]`, tokens: 1 };
    expect(await refusal(shop.token(userIds.admin, { audience: [other, "x"] }))).toBe("Invalid audience");
    const iss = { issuer: shop.url, claim: "iss", expected: [shop.url, clerk.url], given: `"${other}"`, tokens: 1 };
    expect(await refusal(shop.token(userIds.admin, { issuer: other }))).toBe("Invalid issuer");
    expect(lines.slice(1)).toEqual([aud, iss]);

    clock.pass(61_000);
    await refusal(ofClerk(clerkId, { claims: { azp: "x".repeat(1_000) } }));
    expect(lines.slice(3)).toEqual([{ ...azp, given: `"${"x".repeat(199)}`, tokens: 2 }]);
  });

  test("has the log say nothing of tokens that it did not sign", async () => {
    clock.pass(61_000);
    lines.length = 0;
    const keys = await generateKeyPair("RS256");
    await refusal(ofClerk(clerkId, { keys, claims: { azp: "https://other.test" } }));
    await refusal(shop.token(userIds.admin, { issuer: "https://other.test", kid: "another" }));
    expect(lines).toEqual([]);
  });

  test("has the same rules for times and keys, and knows no deactivated users either", async () => {
    expect(await refusal(ofClerk(clerkId, { expires: "-31s" }))).toBe("Token expired");
    expect(await refusal(ofClerk(clerkId, { kid: "another" }))).toBe("Unknown signing key");
    await db.manager.update(User, { clerkId }, { isActive: false });
    expect(await refusal(ofClerk(clerkId))).toBe("Access denied: this account is deactivated.");
    await db.manager.update(User, { clerkId }, { isActive: true });
  });
});

describe("an issuer that was never seen", () => {
  const api = useApi({ relay: false });

  test("503 with Retry-After while it is unavailable, and 404 for the job once it is back", async () => {
    api.identity.fault = "error";
    const headers = { authorization: `Bearer ${api.tokens.admin}` };
    const url = `${api.url}/jobs/${userIds.user}`;
    const answer = await call(url, { headers });
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "5"]);
    api.identity.fault = undefined;
    clock.pass(5_000);
    expect((await call(url, { headers })).status).toBe(404);
  });
});
