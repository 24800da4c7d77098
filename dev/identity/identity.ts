import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { importJWK, type JWTPayload, SignJWT } from "jose";
import { listen } from "../../src/platform/listen.ts";
import type { DemoUser } from "../demo/users.ts";
import { portAdvice } from "../services/service.ts";
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
  /** Users whose tokens every program on this machine may get, and the origins whose pages may request them. */
  demo?: { users: readonly DemoUser[]; origins: readonly string[] };
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
const demoPath = "/demo-tokens";
const usualExpirySeconds = 15 * 60;
const demoExpirySeconds = 12 * 3600;

/**
 * Starts an identity issuer for local use, usually on 127.0.0.1: EdDSA tokens, and their public key as better-auth
 * serves it. Makes the key at first start. Throws when the port is taken or the key file is not one of its own.
 */
export async function startIdentity({ port, keyFile, demo, host = "127.0.0.1" }: IdentityOptions): Promise<Identity> {
  const jwk = await loadKey(keyFile);
  const privateKey = await importJWK(jwk, jwk.alg);
  const keySet = { keys: [publicPart(jwk)] };

  const server = createServer((request, response) => {
    const path = request.method === "GET" || request.method === "HEAD" ? request.url?.split("?")[0] : undefined;
    if (path === keysPath) return sendJson(response, keySet);
    if (path !== demoPath || !demo) return sendNothing(response);
    const origin = demo.origins.find((one) => one === request.headers.origin);
    if (origin) response.setHeader("access-control-allow-origin", origin);
    response.setHeader("vary", "origin");
    tokensOf(demo.users, sign).then(
      (tokens) => sendJson(response, tokens),
      () => response.destroy(),
    );
  });
  const got = await listen(server, { port, host, advice: portAdvice });
  const url = `http://127.0.0.1:${got}`;
  const sign: Identity["sign"] = (claims, { expiresInSeconds = usualExpirySeconds } = {}) => {
    const now = Math.floor(Date.now() / 1000);
    return new SignJWT({ ...claims, iss: url, aud: url, iat: now, exp: now + expiresInSeconds })
      .setProtectedHeader({ alg: jwk.alg, kid: jwk.kid })
      .sign(privateKey);
  };

  return {
    url,
    sign,
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

/** What a token of this demo user says about him. */
export function claimsOf({ id: sub, email, firstName: first_name, lastName: last_name }: DemoUser): IdentityClaims {
  return { sub, email, first_name, last_name, name: `${first_name} ${last_name}` };
}

function tokensOf(users: readonly DemoUser[], sign: Identity["sign"]) {
  return Promise.all(
    users.map(async (user) => ({
      name: `${user.firstName} ${user.lastName}`,
      email: user.email,
      role: user.role,
      customer_type: user.customerType,
      token: await sign(claimsOf(user), { expiresInSeconds: demoExpirySeconds }),
    })),
  );
}

function sendJson(response: ServerResponse, body: unknown): void {
  response
    .writeHead(200, { "content-type": "application/json", "cache-control": "no-store" })
    .end(JSON.stringify(body));
}

function sendNothing(response: ServerResponse): void {
  response.writeHead(404, { "content-type": "text/plain" }).end(`There is only ${keysPath} here.\n`);
}
