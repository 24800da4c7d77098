import { randomBytes, randomUUID } from "node:crypto";
import { join } from "node:path";
import { Readable } from "node:stream";
import { ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { createObjectStore, MissingObjectError } from "../../src/platform/object-store.ts";
import {
  hasRadosgw,
  resolveLocalhost,
  type S3Store,
  startFauxqs,
  startOwnS3,
  startRadosgw,
  startS3rver,
} from "../support/s3-stores.ts";

// What `platform/object-store` promises, on S3 servers of different people, by both ways to name a bucket.

interface Contestant {
  name: string;
  start: (folder: string) => Promise<S3Store>;
  addressing: "path" | "virtual";
  keyPrefix: string;
  isThere?: boolean;
  /** How many objects are listed; 1,003 when absent, which are two pages. */
  listed?: number;
  /** True for a server that ignores which Content-Disposition a signed address asks for. */
  ignoresDisposition?: boolean;
}

const others = [
  // Its second page needs a cipher that OpenSSL 3 no longer has.
  { name: "s3rver", start: startS3rver, listed: 900 },
  { name: "fauxqs", start: startFauxqs, ignoresDisposition: true },
  { name: "Ceph's radosgw", start: startRadosgw, isThere: hasRadosgw },
];
const contestants: Contestant[] = [
  { name: "the one of npm start", start: startOwnS3, addressing: "path", keyPrefix: "shop/" },
  ...others.flatMap((one): Contestant[] => [
    { ...one, addressing: "path", keyPrefix: "" },
    { ...one, addressing: "virtual", keyPrefix: "shop/production/" },
  ]),
];

let restore: () => void;
beforeAll(() => {
  restore = resolveLocalhost();
});
afterAll(() => restore());

describe.each(contestants)("$name, by $addressing, below '$keyPrefix'", (contestant) => {
  const { start, addressing, keyPrefix, isThere = true, listed = 1_003, ignoresDisposition } = contestant;
  // Its packages are no part of Node or npm; the name of the skipped test says that it was not tried.
  if (!isThere) return void test.skip("is not installed here, so it is untried");
  let server: S3Store;
  let store: ReturnType<typeof createObjectStore>;
  let raw: S3Client;
  let endpoint: string;
  beforeAll(async () => {
    server = await start(join(inject("directory"), `store-${randomUUID()}`));
    const { port, bucket, accessKeyId, secretAccessKey } = server;
    const host = `${addressing === "path" ? "127.0.0.1" : "s3.localhost"}:${port}`;
    endpoint = `http://${host}`;
    const publicUrl = addressing === "path" ? `${endpoint}/${bucket}` : `http://${bucket}.${host}`;
    const account = { endpoint, region: "us-east-1", bucket, accessKeyId, secretAccessKey };
    store = createObjectStore({ ...account, addressing, keyPrefix, publicUrl });
    const credentials = { accessKeyId, secretAccessKey };
    raw = new S3Client({
      endpoint: `http://127.0.0.1:${port}`,
      region: "us-east-1",
      forcePathStyle: true,
      credentials,
    });
  });
  afterAll(async () => {
    store?.close();
    raw?.destroy();
    await server?.stop();
  });

  const text = { contentType: "text/plain" };
  const chunked = (bytes: Buffer) =>
    Readable.from(
      Array.from({ length: Math.ceil(bytes.length / 65_536) }, (_, at) =>
        bytes.subarray(at * 65_536, (at + 1) * 65_536),
      ),
      { objectMode: false },
    );
  const keysOf = async (prefix: string) => {
    const pages: string[][] = [];
    for await (const page of store.list(prefix)) pages.push(page.map(({ key }) => key));
    return pages;
  };

  test("has a bucket that can be reached, and no other", async () => {
    await store.ping(AbortSignal.timeout(5_000));
    const { accessKeyId, secretAccessKey } = server;
    const account = { endpoint, region: "us-east-1", accessKeyId, secretAccessKey, publicUrl: endpoint };
    const other = createObjectStore({ ...account, bucket: "other", addressing });
    await expect(other.ping(AbortSignal.timeout(5_000))).rejects.toThrow();
    other.close();
  });

  test.each([0, 1, 100_000, 3_000_000])("keeps what a buffer of %d bytes has", async (size) => {
    const bytes = randomBytes(size);
    await store.put(`buffers/${size}`, bytes, text);
    expect((await store.get(`buffers/${size}`)).equals(bytes)).toBe(true);
  });

  test.each([1, 100_000, 3_000_000])("keeps what a stream of %d bytes has", async (size) => {
    const bytes = randomBytes(size);
    await store.put(`streams/${size}`, chunked(bytes), text, { length: size });
    expect((await store.get(`streams/${size}`)).equals(bytes)).toBe(true);
  });

  test("gives the beginning of an object, and all of it in pieces", async () => {
    const bytes = randomBytes(300_000);
    await store.put("pieces", bytes, text);
    expect(await store.get("pieces", { length: 10 })).toEqual(bytes.subarray(0, 10));
    const pieces: Buffer[] = [];
    for await (const piece of await store.read("pieces")) pieces.push(piece as Buffer);
    expect(Buffer.concat(pieces).equals(bytes)).toBe(true);
  });

  test("says that an object is missing, and removes it in any case", async () => {
    await store.put("short-lived", Buffer.from("x"), text);
    await store.remove("short-lived");
    await store.remove("short-lived");
    await expect(store.get("short-lived")).rejects.toBeInstanceOf(MissingObjectError);
    await expect(store.read("short-lived")).rejects.toBeInstanceOf(MissingObjectError);
  });

  test("copies an object under new headers, and signs an address for it", async () => {
    await store.put("documents/a/sheet.csv", Buffer.from("a;b"), text);
    await store.copy("documents/a/sheet.csv", "tmp/list.csv", { contentType: "text/csv", cacheControl: "max-age=300" });
    const disposition = 'attachment; filename="list.csv"';
    const address = await store.signedUrl("tmp/list.csv", { disposition, seconds: 60 });
    expect(address.startsWith(`${store.publicUrl("tmp/list.csv")}?`)).toBe(true);
    const sent = { status: 200, type: "text/csv", cache: "max-age=300", body: "a;b" };
    expect(await fetchLocal(address)).toEqual({ ...sent, ...(!ignoresDisposition && { disposition }) });
  });

  test(`lists ${listed} objects, in pages, in the order of their keys, without the prefix`, async () => {
    const names = Array.from({ length: listed }, (_, at) => `many/${String(at).padStart(4, "0")}`);
    for (let at = 0; at < names.length; at += 50)
      await Promise.all(names.slice(at, at + 50).map((name) => store.put(name, Buffer.from("x"), text)));
    const pages = await keysOf("many/");
    expect(pages.flat()).toEqual(names);
    expect(pages.length).toBe(Math.ceil(listed / 1_000));
    const { Contents = [] } = await raw.send(new ListObjectsV2Command({ Bucket: server.bucket }));
    expect(Contents.length).toBeGreaterThan(listed / 2);
    for (const { Key } of Contents) expect(Key?.startsWith(keyPrefix)).toBe(true);
  });
});

/** A GET as a browser sends it; `fetch` has a resolver of its own. */
async function fetchLocal(address: string) {
  const { hostname, host } = new URL(address);
  const http = await import("node:http");
  const inner = address.replace(`//${hostname}`, "//127.0.0.1");
  return new Promise((resolve, reject) => {
    http
      .get(inner, { headers: { host } }, (answer) => {
        const { "content-type": type, "cache-control": cache, "content-disposition": disposition } = answer.headers;
        const pieces: Buffer[] = [];
        answer.on("data", (piece: Buffer) => pieces.push(piece));
        answer.on("end", () =>
          resolve({ status: answer.statusCode, type, cache, disposition, body: Buffer.concat(pieces).toString() }),
        );
      })
      .on("error", reject);
  });
}
