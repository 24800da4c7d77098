import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { TooManyRequestsError, UnavailableError } from "../../src/errors.ts";
import { createObjectStore, MissingObjectError } from "../../src/platform/object-store.ts";

const keys = { accessKeyId: "k", secretAccessKey: "s" };

describe("objects that are read slowly", () => {
  const server = createServer((req, res) => {
    if (req.url?.includes("missing")) {
      res.writeHead(404, { "content-type": "application/xml" });
      return void res.end("<Error><Code>NoSuchKey</Code></Error>");
    }
    if (req.method === "HEAD") return void res.end();
    res.writeHead(200, { "content-length": 64 * 1024 * 1024 });
    res.write(Buffer.alloc(1024 * 1024));
    if (req.url?.includes("broken")) setTimeout(() => res.destroy(), 50);
  });
  let store: ReturnType<typeof createObjectStore>;
  beforeAll(async () => {
    await once(server.listen(0, "127.0.0.1"), "listening");
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    store = createObjectStore({
      endpoint,
      region: "us-east-1",
      bucket: "b",
      ...keys,
      publicUrl: endpoint,
      sockets: 16,
    });
  });
  afterAll(() => {
    store.close();
    server.closeAllConnections();
    server.close();
  });
  const open = async (count: number, key = "x", options = {}) => {
    const opened = await Promise.allSettled(Array.from({ length: count }, () => store.read(key, options)));
    return opened.map((one) => (one.status === "fulfilled" ? one.value : (one.reason as Error)));
  };
  /** Waits while those of before are still being closed. */
  const openFor = (client: string) =>
    vi.waitFor(async () => {
      const [opened] = await open(1, "x", { client });
      if (!opened || opened instanceof Error) throw opened;
      return opened;
    });
  const isRefused = (one: Readable | Error) => one instanceof UnavailableError;
  const leave = (opened: (Readable | Error)[]) => {
    for (const one of opened) if (!(one instanceof Error)) one.destroy();
  };
  const expectRoom = () =>
    vi.waitFor(async () => {
      const opened = await open(4);
      leave(opened);
      expect(opened.some(isRefused)).toBe(false);
    });

  test("leave three quarters of the connections to all others, and half of their own to those with a right", async () => {
    const strangers = await open(20, "x", { isPublic: true });
    const others = await open(20);
    expect([strangers, others].map((all) => all.filter((one) => !isRefused(one)).length)).toEqual([2, 2]);
    await store.ping(AbortSignal.timeout(4_000));
    leave([...strangers, ...others]);
    await expectRoom();
  });

  test("of one client are a quarter of all, and others go on", async () => {
    for (let round = 0; round < 3; round += 1) {
      const first = await openFor("one");
      const more = await open(3, "x", { client: "one" });
      expect(more.map((one) => one instanceof TooManyRequestsError)).toEqual([true, true, true]);
      leave([first, ...more, await openFor("other")]);
    }
    await expectRoom();
  });

  test.each(["missing", "broken"])("make room again when the object is %s", async (key) => {
    for (let round = 0; round < 8; round += 1) {
      const [opened] = await open(1, key);
      // Those of the round before may still be leaving.
      if (opened instanceof UnavailableError) await sleep(50);
      else if (opened instanceof Error) expect(opened).toBeInstanceOf(MissingObjectError);
      // Its error has no listener yet: that must not end the process.
      else await vi.waitFor(() => expect(opened?.resume().destroyed).toBe(true));
    }
    await expectRoom();
  });
});

test("a server that takes requests and never answers counts as away", { timeout: 30_000 }, async () => {
  const silent = createServer(() => undefined).listen(0, "127.0.0.1");
  await once(silent, "listening");
  const endpoint = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const store = createObjectStore({ endpoint, region: "us-east-1", bucket: "b", ...keys, publicUrl: endpoint });
  await expect(store.remove("x")).rejects.toBeInstanceOf(UnavailableError);
  store.close();
  silent.closeAllConnections();
  silent.close();
});
