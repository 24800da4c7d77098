import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, type FlattenedJWSInput, generateKeyPair, type JWK } from "jose";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { trustedKeys } from "../../../src/api/http/trusted-keys.ts";
import { UnavailableError } from "../../../src/errors.ts";
import { createLogger } from "../../../src/platform/logger.ts";
import { useClockAhead } from "../../support/clock.ts";

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
const clock = useClockAhead();
const log = createLogger("silent", "test");

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
  "sends 101 keys": (_req, res) => void res.end(JSON.stringify({ keys: Array(101).fill(key) })),
  "sends a page": (_req, res) => void res.end("<html></html>"),
  "sends no list of keys": (_req, res) => void res.end('{"keys":"key-1"}'),
};

const ask = async (keys: ReturnType<typeof trustedKeys>, kid = "key-1") =>
  keys.find({ alg: "EdDSA", kid }, { payload: "", signature: "" } as FlattenedJWSInput);

describe.each(Object.entries(faults))("an issuer that %s", (_what, fault) => {
  test("when it was never seen is unavailable, and not waited for", async () => {
    serve = fault;
    const keys = trustedKeys(url, log);
    await expect(ask(keys)).rejects.toBeInstanceOf(UnavailableError);
    expect(elsewhere).toBe(0);
  });

  test("after it was seen changes nothing for the keys that are known, for an hour", async () => {
    serve = good;
    const keys = trustedKeys(url, log);
    await ask(keys);
    clock.pass(11 * 60_000);
    serve = fault;
    const before = visits;
    await expect(ask(keys)).resolves.toBeDefined();
    expect(visits).toBeGreaterThan(before);
    const began = Date.now();
    await expect(ask(keys)).resolves.toBeDefined();
    clock.pass(6_000);
    await expect(ask(keys)).resolves.toBeDefined();
    // While it is known to be unavailable, no request waits for it.
    expect(Date.now() - began).toBeLessThan(1_000);
    clock.pass(50 * 60_000);
    await expect(ask(keys)).rejects.toBeInstanceOf(UnavailableError);
  });

  test("makes an unknown key id no wrong one", async () => {
    serve = good;
    const keys = trustedKeys(url, log);
    await ask(keys);
    clock.pass(6_000);
    serve = fault;
    await expect(ask(keys, "key-2")).rejects.toBeInstanceOf(UnavailableError);
    await expect(ask(keys, "key-2")).rejects.toBeInstanceOf(UnavailableError);
    serve = good;
    clock.pass(6_000);
    await expect(ask(keys, "key-2")).rejects.toMatchObject({ code: "ERR_JWKS_NO_MATCHING_KEY" });
  });
});

test("an issuer that is back is asked again", async () => {
  serve = (_req, res) => void res.writeHead(503).end();
  const keys = trustedKeys(url, log);
  await expect(ask(keys)).rejects.toBeInstanceOf(UnavailableError);
  serve = good;
  await vi.waitFor(async () => expect(await ask(keys)).toBeDefined(), 8_000);
});

const absent = expect.objectContaining({ code: "ERR_JWKS_NO_MATCHING_KEY" });
const outcomes = async (asked: Promise<unknown>[]) =>
  (await Promise.allSettled(asked)).map((one) => (one.status === "rejected" ? one.reason : one.value));

test("invented key ids ask the issuer once in five seconds, and a new key that comes between them is found", async () => {
  serve = good;
  const keys = trustedKeys(url, log);
  await ask(keys);
  const before = visits;
  const began = Date.now();
  const invented = Array.from({ length: 900 }, (_, n) => ask(keys, `unknown-${n}`));
  const fresh = { ...key, kid: "key-2" };
  serve = (_req, res) => void res.end(JSON.stringify({ keys: [key, fresh] }));
  const genuine = ask(keys, "key-2");
  expect(await outcomes(invented)).toEqual(invented.map(() => absent));
  await expect(genuine).resolves.toBeDefined();
  expect(visits - before).toBe(1);
  expect(Date.now() - began).toBeLessThan(6_500);

  // They are known to be absent, and ask for nothing before the next look-up.
  const again = Date.now();
  expect(await outcomes(invented.map((_, n) => ask(keys, `unknown-${n}`)))).toEqual(invented.map(() => absent));
  expect(Date.now() - again).toBeLessThan(1_000);
  expect(visits - before).toBe(1);
});

test("a key that is published while the issuer is being asked is found by the next look-up", async () => {
  const held: (() => void)[] = [];
  serve = good;
  const keys = trustedKeys(url, log);
  await ask(keys);
  clock.pass(6_000);
  serve = (_req, res) => void held.push(() => res.end(JSON.stringify({ keys: [key] })));
  const invented = ask(keys, "unknown").catch((error: unknown) => error);
  await vi.waitFor(() => expect(held).toHaveLength(1));
  const genuine = ask(keys, "key-2");
  serve = (_req, res) => void res.end(JSON.stringify({ keys: [{ ...key, kid: "key-2" }] }));
  held[0]?.();
  await expect(genuine).resolves.toBeDefined();
  expect(await invented).toEqual(absent);
});

test("more than a thousand tokens do not wait for one look-up", async () => {
  serve = good;
  const keys = trustedKeys(url, log);
  await ask(keys);
  const answers = await outcomes(Array.from({ length: 1_100 }, (_, n) => ask(keys, `unknown-${n}`)));
  expect(answers.filter((error) => error instanceof UnavailableError)).toHaveLength(100);
  expect(answers.slice(0, 1_000)).toEqual(Array(1_000).fill(absent));
});
