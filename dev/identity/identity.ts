import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { importJWK, type JWTPayload, SignJWT } from "jose";
import { loadKey, publicPart } from "./key-file.ts";

/** What a token says about its user; issuer, audience and times are the issuer's own business. */
export interface IdentityClaims extends JWTPayload {
  sub: string;
  email?: string;
  first_name?: string;
  last_name?: string;
}

/** Where to listen (port 0: a free one), and where the private key is kept. */
export interface IdentityOptions {
  port: number;
  keyFile: string;
  /** Address to listen on; the URL in its tokens says 127.0.0.1 all the same. */
  host?: string;
}

/** A running issuer. */
export interface Identity {
  /** Issuer and audience of its tokens; the keys are at /api/auth/jwks below it. */
  url: string;
  /** Issues a token, for 15 minutes if not told otherwise. */
  sign(claims: IdentityClaims, options?: { expiresInSeconds?: number }): Promise<string>;
  stop(): Promise<void>;
}

const keysPath = "/api/auth/jwks";
const usualExpirySeconds = 15 * 60;

/**
 * Starts an identity issuer for local use, usually on 127.0.0.1: EdDSA tokens, and their public key as better-auth serves it.
 * Makes the key at first start. Throws when the port is taken or the key file is not one of its own.
 */
export async function startIdentity({ port, keyFile, host = "127.0.0.1" }: IdentityOptions): Promise<Identity> {
  const jwk = await loadKey(keyFile);
  const privateKey = await importJWK(jwk, jwk.alg);
  const keySet = JSON.stringify({ keys: [publicPart(jwk)] });

  const server = createServer((request, response) => answer(request, response, keySet));
  server.listen(port, host);
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    url,
    sign: (claims, { expiresInSeconds = usualExpirySeconds } = {}) => {
      const now = Math.floor(Date.now() / 1000);
      return new SignJWT({ ...claims, iss: url, aud: url, iat: now, exp: now + expiresInSeconds })
        .setProtectedHeader({ alg: jwk.alg, kid: jwk.kid })
        .sign(privateKey);
    },
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

function answer(request: IncomingMessage, response: ServerResponse, keySet: string): void {
  const isRead = request.method === "GET" || request.method === "HEAD";
  if (isRead && request.url?.split("?")[0] === keysPath) {
    response.writeHead(200, { "content-type": "application/json" }).end(keySet);
  } else {
    response.writeHead(404, { "content-type": "text/plain" }).end(`There is only ${keysPath} here.\n`);
  }
}
