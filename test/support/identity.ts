import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, type JWK, type JWTHeaderParameters, type JWTPayload, SignJWT } from "jose";
import { afterAll, beforeAll } from "vitest";

type Keys = Awaited<ReturnType<typeof generateKeyPair>>;

export interface TokenOptions {
  kid?: string;
  /** Relative to now, as jose writes it: "10m", "-1m". */
  expires?: string;
  issuer?: string;
  audience?: string | string[];
  claims?: JWTPayload;
  keys?: Keys;
}

/** An identity provider with one key that a test can misuse; `requests` counts how often its keys were asked for. */
export function useIdentity() {
  let keys: Keys;
  const identity = {
    url: "",
    requests: 0,
    /** The keys that it shows; a test may add some, or withdraw them. */
    published: [] as JWK[],
    /** What is wrong with its answers at the moment. */
    fault: undefined as "error" | "no JSON" | "no keys" | undefined,
    /** A token of the user, valid unless the options spoil it. */
    token(subject: string, options: TokenOptions = {}) {
      const { kid = "key-1", expires = "10m", issuer = identity.url, audience = identity.url } = options;
      return new SignJWT({ ...options.claims })
        .setProtectedHeader({ alg: "EdDSA", kid })
        .setSubject(subject)
        .setIssuer(issuer)
        .setAudience(audience)
        .setIssuedAt()
        .setExpirationTime(expires)
        .sign((options.keys ?? keys).privateKey);
    },
    /** A token with exactly this head and these claims, signed with its key. */
    sign: (header: JWTHeaderParameters, claims: JWTPayload) =>
      new SignJWT(claims).setProtectedHeader(header).sign(keys.privateKey),
    /** The public key, as the provider shows it. */
    publicKey: () => exportJWK(keys.publicKey),
  };
  const server = createServer((_req, res) => {
    identity.requests++;
    if (identity.fault === "error") return void res.writeHead(500).end();
    if (identity.fault === "no JSON") return void res.end("<html>We are being upgraded</html>");
    if (identity.fault === "no keys") return void res.end("{}");
    res.setHeader("content-type", "application/json").end(JSON.stringify({ keys: identity.published }));
  });
  beforeAll(async () => {
    keys = await generateKeyPair("EdDSA", { crv: "Ed25519" });
    identity.published = [{ ...(await identity.publicKey()), kid: "key-1", alg: "EdDSA", use: "sig" }];
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    identity.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  return identity;
}
