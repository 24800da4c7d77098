import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, type JWTHeaderParameters, SignJWT } from "jose";
import { beforeAll, describe, expect, test } from "vitest";
import { routes } from "../../../src/api/routes/index.ts";
import { User } from "../../../src/db/entities/accounts/user.ts";
import { call, sendCategory, useApi, userIds } from "../../support/api.ts";
import { readDocument } from "../../support/open-api-document.ts";
import { samplePath, unknownId } from "../../support/sample-request.ts";

const { operations, follow } = readDocument(routes);
const api = useApi({ relay: false });
const ask = (authorization: string) => call(`${api.url}/jobs/${unknownId}`, { headers: { authorization } });
const askWith = async (token: string | Promise<string>) => ask(`Bearer ${await token}`);

/** Claims that are right in everything but what a test changes. */
function claimsWith(change: Record<string, unknown> = {}) {
  const now = Math.floor(Date.now() / 1_000);
  const { url } = api.identity;
  return { sub: userIds.admin, iss: url, aud: url, iat: now, exp: now + 600, ...change };
}

type Keys = Awaited<ReturnType<typeof generateKeyPair>>;

/** A token that another issuer has signed. */
function forged(header: JWTHeaderParameters, { privateKey }: Keys) {
  return new SignJWT(claimsWith()).setProtectedHeader(header).sign(privateKey);
}

describe("without a token that is one", () => {
  const closed = operations.filter(({ "x-access": access }) => !["public", "optional", "print"].includes(access));

  test.each([
    ["no header at all", undefined],
    ["an empty header", ""],
    ["another scheme", "Basic YWRtaW46YWRtaW4="],
    ["the scheme alone", "Bearer"],
    ["the scheme and blanks", "Bearer   "],
    ["the scheme in small letters", "bearer abc"],
    ["two schemes", "Basic Bearer abc"],
  ])("every closed route answers 401 to %s, and says what it wants", async (_what, authorization) => {
    for (const operation of closed) {
      const init = { method: operation.method, headers: authorization === undefined ? {} : { authorization } };
      const { status, headers } = await call(api.url + samplePath(operation, follow), init);
      expect([operation.name, status]).toEqual([operation.name, 401]);
      expect(headers.get("www-authenticate"), operation.name).toMatch(/^(Bearer|APIKey|Webhook)$/);
    }
  });
});

describe("a key of another kind", () => {
  test.each(["RS256", "PS256", "ES256", "ES384"])("signs nothing, though the issuer shows it: %s", async (alg) => {
    const keys = await generateKeyPair(alg, { extractable: true });
    const kid = `key-${alg}`;
    api.identity.published.push({ ...(await exportJWK(keys.publicKey)), kid, alg, use: "sig" });
    const answer = await askWith(forged({ alg, kid }, keys));
    expect([answer.status, answer.body.detail]).toEqual([
      401,
      expect.stringMatching(/^(Invalid JWT|Unknown signing key)$/),
    ]);
  });
});

describe("a token that brings its own key", () => {
  let visits = 0;
  const evil = createServer((_req, res) => {
    visits++;
    res.end("{}");
  });
  let url = "";
  beforeAll(async () => {
    evil.listen(0, "127.0.0.1");
    await once(evil, "listening");
    url = `http://127.0.0.1:${(evil.address() as AddressInfo).port}`;
    return () => evil.close();
  });

  test.each(["jku", "x5u", "jwk", "x5c"])("in %s is refused, and is not fetched", async (parameter) => {
    const keys = await generateKeyPair("EdDSA", { crv: "Ed25519" });
    const jwk = await exportJWK(keys.publicKey);
    const values: Record<string, unknown> = { jku: `${url}/jwks`, x5u: `${url}/cert`, jwk, x5c: ["MIIB"] };
    for (const kid of ["key-1", "evil"]) {
      const header = { alg: "EdDSA", kid, [parameter]: values[parameter] } as JWTHeaderParameters;
      expect((await askWith(forged(header, keys))).status).toBe(401);
    }
    expect(visits).toBe(0);
  });
});

describe("a strange key id", () => {
  const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

  test.each([
    ["a number", 1, "Missing kid in JWT"],
    ["a list", ["key-1"], "Missing kid in JWT"],
    ["an object", { toString: "key-1" }, "Missing kid in JWT"],
    ["nothing", "", "Missing kid in JWT"],
    ["SQL", "' OR 1=1; DROP TABLE users; --", "Unknown signing key"],
    ["a way to the prototype", "__proto__", "Unknown signing key"],
    ["a path", "../../../../dev/null", "Unknown signing key"],
    ["a line break", "key-1\r\nx: y", "Unknown signing key"],
  ])("is refused: %s", async (_what, kid, detail) => {
    const { iss, aud } = { iss: api.identity.url, aud: api.identity.url };
    const claims = base64({ sub: userIds.admin, iss, aud, iat: 1, exp: 4_000_000_000 });
    const { status, body } = await ask(`Bearer ${base64({ alg: "EdDSA", kid })}.${claims}.AAAA`);
    expect([status, body.detail]).toEqual([401, detail]);
  });
});

describe("clocks that differ", () => {
  test.each([
    ["expired 31 s ago", { expires: "-31s" }, 401],
    ["expired 25 s ago", { expires: "-25s" }, 404],
    ["good from in 25 s on", { claims: { nbf: Math.floor(Date.now() / 1_000) + 25 } }, 404],
    ["good from in an hour on", { claims: { nbf: Math.floor(Date.now() / 1_000) + 3_600 } }, 401],
  ])("a token that is %s", async (_what, options, status) => {
    expect((await askWith(api.identity.token(userIds.admin, options))).status).toBe(status);
  });
});

describe("a token that does not say all", () => {
  const askClaiming = (change?: Record<string, unknown>) =>
    askWith(api.identity.sign({ alg: "EdDSA", kid: "key-1" }, claimsWith(change)));

  test.each([
    ["whose it is", { sub: undefined }, "Invalid JWT"],
    ["when it was made", { iat: undefined }, "Invalid JWT"],
    ["when it ends", { exp: undefined }, "Invalid JWT"],
    ["who made it", { iss: undefined }, "Invalid issuer"],
    ["for whom it is", { aud: undefined }, "Invalid audience"],
    ["for whom it is, in an empty list", { aud: [] }, "Invalid audience"],
    ["for whom it is, as ID tokens do", { aud: "client-id", nonce: "n" }, "Invalid audience"],
    ["for whom it is, in another case", { aud: "HTTP://LOCALHOST" }, "Invalid audience"],
    ["whose it is, with a number", { sub: 5 }, "Invalid JWT"],
    ["whose it is, with a list", { sub: [userIds.admin] }, "Invalid JWT"],
    ["when it ends, with a text", { exp: "tomorrow" }, "Invalid JWT"],
  ])("is refused: %s", async (_what, claims, detail) => {
    const { status, body } = await askClaiming(claims);
    expect([status, body.detail]).toEqual([401, detail]);
  });

  test("is taken when it says all", async () => {
    expect((await askClaiming()).status).toBe(404);
  });
});

describe("a good token of a user", () => {
  const add = async (role: "USER" | "ADMIN") => {
    const id = randomUUID();
    await api.db.manager.insert(User, { id, email: `${id}@test.example`, firstName: "A", lastName: "B", role });
    return { id, token: await api.identity.token(id, { claims: { role: "ADMIN" } }) };
  };

  test("who is blocked, lowered or deleted is of no use with the next request", async () => {
    const { id, token } = await add("ADMIN");
    const remove = () =>
      call(`${api.url}/categories/${unknownId}`, { method: "DELETE", headers: { authorization: `Bearer ${token}` } });
    expect((await remove()).status).toBe(404);
    await api.db.manager.update(User, { id }, { role: "EMPLOYEE" });
    expect((await remove()).body.detail).toBe("Access denied: role EMPLOYEE is not allowed.");
    await api.db.manager.update(User, { id }, { role: "ADMIN", isActive: false });
    expect((await remove()).body.detail).toBe("Access denied: this account is deactivated.");
    await api.db.query("DELETE FROM audit_log WHERE user_id = $1", [id]);
    await api.db.manager.delete(User, { id });
    expect((await remove()).body.detail).toBe("User not found");
  });
});

describe("a token or key in an address", () => {
  test.each(["token", "access_token", "authorization", "Authorization", "bearer", "jwt", "api-key", "api_key"])(
    "as '%s' opens nothing",
    async (name) => {
      for (const value of [api.tokens.admin, `Bearer ${api.tokens.admin}`, "test-api-key-0123456789"]) {
        const query = new URLSearchParams({ [name]: value });
        const { status } = await call(`${api.url}/jobs/${unknownId}?${query}`);
        expect(status).toBe(401);
      }
    },
  );

  test("is not kept in the audit log", async () => {
    const path = `/categories?access_token=${api.tokens.employee}&api-key=abcdefgh&a=1`;
    await sendCategory(api, { name: "", path });
    const [{ endpoint }] = await api.db.query("SELECT endpoint FROM audit_log ORDER BY created_at DESC LIMIT 1");
    expect(endpoint).toBe("https://api.test/categories?access_token=***&api-key=***&a=1");
  });
});
