import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, errors, jwtVerify } from "jose";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { demoUsers } from "../../dev/demo/users.ts";
import { type Identity, startIdentity } from "../../dev/identity/identity.ts";

describe("the identity issuer", () => {
  let directory: string;
  let keyFile: string;
  const running: Identity[] = [];

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "identity-"));
    keyFile = join(directory, "made", "at", "start", "key.json");
  });

  afterEach(async () => {
    await Promise.all(running.splice(0).map((identity) => identity.stop()));
  });

  afterAll(() => rm(directory, { recursive: true }));

  async function start(file = keyFile, port = 0): Promise<Identity> {
    const identity = await startIdentity({ port, keyFile: file });
    running.push(identity);
    return identity;
  }

  function verify(identity: Identity, token: string) {
    const keys = createRemoteJWKSet(new URL(`${identity.url}/api/auth/jwks`));
    return jwtVerify(token, keys, { issuer: identity.url, audience: identity.url });
  }

  it("signs tokens that verify against its public keys", async () => {
    const identity = await start();
    const claims = { sub: "user-1", email: "anna@example.com", first_name: "Анна", last_name: "Smith" };
    const { payload, protectedHeader } = await verify(identity, await identity.sign(claims));
    expect(payload).toMatchObject({ ...claims, iss: identity.url, aud: identity.url });
    expect(protectedHeader.alg).toBe("EdDSA");
    expect(Number(payload.exp) - Number(payload.iat)).toBe(900);
  });

  it("gives tokens of demo users to the pages that it was told of", async () => {
    const user = demoUsers[0];
    if (!user) throw new Error("there are no demo users");
    const demo = { users: [user], origins: ["http://localhost:8080"] };
    const identity = await startIdentity({ port: 0, keyFile, demo });
    running.push(identity);
    const ask = (origin: string) => fetch(`${identity.url}/demo-tokens`, { headers: { origin } });
    const answer = await ask("http://localhost:8080");
    const [{ token, ...person }] = (await answer.json()) as [{ token: string }];
    expect(person).toEqual({
      name: `${user.firstName} ${user.lastName}`,
      email: user.email,
      role: user.role,
      customer_type: user.customerType,
    });
    expect((await verify(identity, token)).payload.sub).toBe(user.id);
    expect(answer.headers.get("access-control-allow-origin")).toBe("http://localhost:8080");
    expect((await ask("https://elsewhere.example")).headers.get("access-control-allow-origin")).toBeNull();
    expect((await fetch(`${(await start()).url}/demo-tokens`)).status).toBe(404);
  });

  it("lets no caller choose the issuer, the audience or the times", async () => {
    const identity = await start();
    const token = await identity.sign({ sub: "user-1", iss: "else", aud: "else", iat: 1, exp: 2 });
    const { payload } = await verify(identity, token);
    expect(payload.sub).toBe("user-1");
  });

  it("lets tokens live as long as it is told", async () => {
    const identity = await start();
    const { iat, exp } = decodeJwt(await identity.sign({ sub: "user-1" }, { expiresInSeconds: 60 }));
    expect(Number(exp) - Number(iat)).toBe(60);
    const expired = await identity.sign({ sub: "user-1" }, { expiresInSeconds: -1 });
    await expect(verify(identity, expired)).rejects.toThrow(errors.JWTExpired);
  });

  it("shows the public key in the shape of better-auth and never the private one", async () => {
    const identity = await start();
    const response = await fetch(`${identity.url}/api/auth/jwks`);
    const { kid } = decodeProtectedHeader(await identity.sign({ sub: "user-1" }));
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(await response.json()).toEqual({
      keys: [{ kty: "OKP", crv: "Ed25519", alg: "EdDSA", kid, x: expect.any(String) }],
    });
    expect((await fetch(identity.url)).status).toBe(404);
  });

  it("keeps its key, so that a token of before a restart is still good", async () => {
    const before = await start();
    const token = await before.sign({ sub: "user-1" });
    await before.stop();
    running.splice(0);
    const after = await start(keyFile, Number(new URL(before.url).port));
    expect((await verify(after, token)).payload.sub).toBe("user-1");
  });

  it("keeps its key where only its owner can read it", async () => {
    await start();
    expect((await stat(keyFile)).mode & 0o777).toBe(0o600);
  });

  it("makes one key when it is started twice at the same moment", async () => {
    const file = join(directory, "shared.json");
    const [first, second] = await Promise.all([start(file), start(file)]);
    const kids = await Promise.all(
      [first, second].map(async (identity) => decodeProtectedHeader(await identity.sign({ sub: "user-1" })).kid),
    );
    expect(kids[0]).toBe(kids[1]);
  });

  it("refuses tokens of another issuer with another key", async () => {
    const [identity, stranger] = await Promise.all([start(), start(join(directory, "stranger.json"))]);
    const token = await stranger.sign({ sub: "user-1" });
    await expect(verify(identity, token)).rejects.toThrow(errors.JWKSNoMatchingKey);
  });

  it("does not start on a file that holds no key, and leaves the file alone", async () => {
    const file = join(directory, "broken.json");
    await writeFile(file, "not a key");
    await expect(start(file)).rejects.toThrow("does not hold an Ed25519 key");
    expect(await readFile(file, "utf8")).toBe("not a key");
  });
});
