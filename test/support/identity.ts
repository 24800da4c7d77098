import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, type JWK, type JWTHeaderParameters, type JWTPayload, SignJWT } from "jose";
import { afterAll, beforeAll } from "vitest";

type Keys = Awaited<ReturnType<typeof generateKeyPair>>;

export interface TokenOptions {
  kid?: string;
  /** Relative to now, as jose writes it: "10m", "-1m". Of this and the next two null means that the token has none. */
  expires?: string | null;
  issuer?: string | null;
  audience?: string | string[] | null;
  header?: Partial<JWTHeaderParameters>;
  /** Undefined ones are left out. */
  claims?: Record<string, unknown>;
  keys?: Keys;
}

/** An identity provider with one key that a test can misuse; `requests` counts how often its keys were asked for. */
export function useIdentity(alg: "EdDSA" | "RS256" = "EdDSA") {
  let keys: Keys;
  const newKeys = () => generateKeyPair(alg, alg === "EdDSA" ? { crv: "Ed25519" } : {});
  const identity = {
    url: "",
    requests: 0,
    /** The keys that it shows; a test may add some, or withdraw them. */
    published: [] as JWK[],
    kid: "key-1",
    /** What is wrong with its answers at the moment. */
    fault: undefined as "error" | "no JSON" | "no keys" | undefined,
    /** A token of the user, valid unless the options spoil it. */
    token(subject: string | null, options: TokenOptions = {}) {
      const { kid = identity.kid, expires = "10m", issuer = identity.url, audience = identity.url } = options;
      const token = new SignJWT({ iat: Math.floor(Date.now() / 1_000), ...options.claims }).setProtectedHeader({
        alg,
        kid,
        ...options.header,
      });
      if (subject !== null) token.setSubject(subject);
      if (issuer !== null) token.setIssuer(issuer);
      if (audience !== null) token.setAudience(audience);
      if (expires !== null) token.setExpirationTime(expires);
      return token.sign((options.keys ?? keys).privateKey);
    },
    /** A token with exactly this head and these claims, signed with its key. */
    sign: (header: JWTHeaderParameters, claims: JWTPayload) =>
      new SignJWT(claims).setProtectedHeader(header).sign(keys.privateKey),
    /** The public key, as the provider shows it. */
    publicKey: () => exportJWK(keys.publicKey),
    /** Replaces the key, whose id goes up with it. */
    async rotate() {
      keys = await newKeys();
      identity.kid = `key-${Number(identity.kid.slice(4)) + 1}`;
      await publish();
    },
  };
  const server = createServer((_req, res) => {
    identity.requests++;
    if (identity.fault === "error") return void res.writeHead(500).end();
    if (identity.fault === "no JSON") return void res.end("<html>We are being upgraded</html>");
    if (identity.fault === "no keys") return void res.end("{}");
    res.setHeader("content-type", "application/json").end(JSON.stringify({ keys: identity.published }));
  });
  const publish = async () => {
    identity.published = [{ ...(await identity.publicKey()), kid: identity.kid, alg, use: "sig" }];
  };
  beforeAll(async () => {
    keys = await newKeys();
    await publish();
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
