import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, type FlattenedJWSInput, generateKeyPair, type JWK } from "jose";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { trustedKeys } from "../../../src/api/http/trusted-keys.ts";
import { UnavailableError } from "../../../src/errors.ts";

let key: JWK;
let serve: RequestListener;
let visits = 0;
let elsewhere = 0;
let url = "";
const server = createServer((req, res) => {
  if (req.url === "/elsewhere") elsewhere++;
  visits++;
  serve(req, res);
});

beforeAll(async () => {
  const { publicKey } = await generateKeyPair("EdDSA", { crv: "Ed25519", extractable: true });
  key = { ...(await exportJWK(publicKey)), kid: "key-1", alg: "EdDSA", use: "sig" };
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
afterEach(() => vi.useRealTimers());

const good: RequestListener = (_req, res) => void res.end(JSON.stringify({ keys: [key] }));
const faults: Record<string, RequestListener> = {
  "answers 500": (_req, res) => void res.writeHead(500).end(),
  "answers 404 with keys": (_req, res) => void res.writeHead(404).end(JSON.stringify({ keys: [key] })),
  "says nothing for 4 s": (_req, res) => void setTimeout(() => res.end(JSON.stringify({ keys: [key] })), 4_000).unref(),
  "stops in the middle": (_req, res) => void res.write('{"keys":['),
  "hangs up": (req) => void req.socket.destroy(),
  "sends 5 MB": (_req, res) => void res.end(JSON.stringify({ keys: [key], x: "x".repeat(5_000_000) })),
  "sends us elsewhere": (_req, res) => void res.writeHead(302, { location: "/elsewhere" }).end(),
  "sends us elsewhere for good": (_req, res) => void res.writeHead(308, { location: "http://127.0.0.1:1/" }).end(),
  "sends a page": (_req, res) => void res.end("<html></html>"),
  "sends no list of keys": (_req, res) => void res.end('{"keys":"key-1"}'),
};

const ask = async (keys: ReturnType<typeof trustedKeys>, kid = "key-1") =>
  keys({ alg: "EdDSA", kid }, { payload: "", signature: "" } as FlattenedJWSInput);

describe.each(Object.entries(faults))("an issuer that %s", (_what, fault) => {
  test("when it was never seen is unavailable, and not waited for", async () => {
    serve = fault;
    const keys = trustedKeys(url);
    await expect(ask(keys)).rejects.toBeInstanceOf(UnavailableError);
    expect(elsewhere).toBe(0);
  });

  test("after it was seen changes nothing for the keys that are known", async () => {
    serve = good;
    const keys = trustedKeys(url);
    await ask(keys);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 11 * 60_000 });
    serve = fault;
    const before = visits;
    await expect(ask(keys)).resolves.toBeDefined();
    expect(visits).toBeGreaterThan(before);
  });
});

test("an issuer that is back is asked again", async () => {
  serve = (_req, res) => void res.writeHead(503).end();
  const keys = trustedKeys(url);
  await expect(ask(keys)).rejects.toBeInstanceOf(UnavailableError);
  serve = good;
  await vi.waitFor(async () => expect(await ask(keys)).toBeDefined(), 5_000);
});

test("unknown key ids ask the issuer once at most, and are refused", async () => {
  serve = good;
  const keys = trustedKeys(url);
  await ask(keys);
  const before = visits;
  for (let n = 0; n < 1_000; n++) {
    await expect(ask(keys, `unknown-${n}`)).rejects.toMatchObject({ code: "ERR_JWKS_NO_MATCHING_KEY" });
  }
  expect(visits - before).toBeLessThanOrEqual(1);
});
