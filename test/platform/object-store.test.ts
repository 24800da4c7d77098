import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
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

describe("an upload", () => {
  /** A server as raw as can be: it answers no `Expect`, and breaks what `breaks` says. */
  async function startRawServer(breaks: (request: { ofConnection: number; ofAll: number }) => boolean) {
    const heads: string[] = [];
    const bodies: string[] = [];
    const server = createTcpServer((socket) => {
      let ofConnection = 0;
      let head = "";
      let body: Buffer[] = [];
      let left = 0;
      const take = (bytes: Buffer) => {
        body.push(bytes);
        left -= bytes.length;
        if (left > 0) return;
        bodies.push(createHash("sha256").update(Buffer.concat(body)).digest("hex"));
        [head, body] = ["", []];
        const copied = "<CopyObjectResult></CopyObjectResult>";
        socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${copied.length}\r\n\r\n${copied}`);
      };
      socket
        .on("error", () => undefined)
        .on("data", (data: Buffer) => {
          if (left > 0) return take(data);
          head += data.toString("latin1");
          const end = head.indexOf("\r\n\r\n") + 4;
          if (end < 4) return;
          const rest = data.subarray(data.length - (head.length - end));
          head = head.slice(0, end);
          heads.push(head.toLowerCase());
          if (breaks({ ofConnection: ++ofConnection, ofAll: heads.length })) return void socket.resetAndDestroy();
          left = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
          take(rest);
        });
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const store = createObjectStore({ endpoint, region: "us-east-1", bucket: "b", ...keys, publicUrl: endpoint });
    closers.push(() => {
      store.close();
      server.close();
    });
    return { store, heads, bodies };
  }
  const closers: (() => void)[] = [];
  afterEach(() => {
    for (const close of closers.splice(0)) close();
  });
  const text = { contentType: "text/plain" };
  const hashOf = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
  const streamOf = (bytes: Buffer, chunk = 16_384) =>
    Readable.from(
      Array.from({ length: Math.ceil(bytes.length / chunk) }, (_, at) => bytes.subarray(at * chunk, (at + 1) * chunk)),
      { objectMode: false },
    );

  test.each([1_000, 100_000, 1_000_000, 5_000_000])(
    "of %d bytes arrives whole when the server closes its connections after each request",
    async (size) => {
      const { store, bodies } = await startRawServer(({ ofConnection }) => ofConnection > 1);
      const bytes = randomBytes(size);
      for (let round = 0; round < 5; round++) {
        await store.put("stream", streamOf(bytes), text, { length: size });
        await store.put("buffer", bytes, text);
      }
      expect(bodies).toEqual(Array.from({ length: 10 }, () => hashOf(bytes)));
    },
  );

  test.each([1_000, 100_000])("of %d bytes is sent again when its first connection breaks", async (size) => {
    const { store, heads, bodies } = await startRawServer(({ ofAll }) => ofAll === 1);
    const bytes = randomBytes(size);
    await store.put("stream", streamOf(bytes), text, { length: size });
    expect([heads.length, bodies]).toEqual([2, [hashOf(bytes)]]);
  });

  test("fits its first chunk, however long, so it is sent again", async () => {
    const { store, bodies } = await startRawServer(({ ofAll }) => ofAll === 1);
    const bytes = randomBytes(700_000);
    await store.put("stream", streamOf(bytes, bytes.length), text, { length: bytes.length });
    expect(bodies).toEqual([hashOf(bytes)]);
  });

  test("is not sent without its beginning: a large one whose connection breaks counts as an outage", async () => {
    const { store, bodies } = await startRawServer(() => true);
    const bytes = randomBytes(5_000_000);
    const sent = store.put("stream", streamOf(bytes), text, { length: bytes.length });
    await expect(sent).rejects.toBeInstanceOf(UnavailableError);
    expect(bodies).toEqual([]);
  });

  test("ends at once with the error of its stream", async () => {
    const { store } = await startRawServer(() => false);
    const failing = Readable.from(
      (async function* () {
        yield randomBytes(10_000);
        throw new Error("the disk is gone");
      })(),
      { objectMode: false },
    );
    await expect(store.put("stream", failing, text, { length: 20_000 })).rejects.toThrow("the disk is gone");
  });

  test("asks for no access list, no checksum and no special encoding, and waits for no leave to send", async () => {
    const { store, heads } = await startRawServer(() => false);
    const bytes = randomBytes(3_000_000);
    await store.put("stream", streamOf(bytes), text, { length: bytes.length });
    await store.put("buffer", bytes, { ...text, cacheControl: "no-store" });
    await store.copy("buffer", "copy", text);
    expect(heads).toHaveLength(3);
    for (const head of heads)
      expect(head).not.toMatch(
        /x-amz-(acl|grant|trailer|sdk-checksum|checksum)|^expect:|aws-chunked|transfer-encoding/m,
      );
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
