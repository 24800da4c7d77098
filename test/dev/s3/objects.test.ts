import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join, relative } from "node:path";
import { Readable } from "node:stream";
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { beforeAll, describe, expect, test } from "vitest";
import { bucket, megabyte, photo, refusal, useS3Server } from "../../support/s3-server.ts";

const s3 = useS3Server();
const { put, head, get, keys } = s3;

describe.each(["with checksums", "without checksums"])("objects, %s", (mode) => {
  const sdk = () => (mode === "with checksums" ? s3.checking : s3.client);
  const key = `objects ${mode}`;

  test("come back as they were sent, with their headers and metadata", async () => {
    const attributes = {
      ContentType: "image/jpeg",
      CacheControl: "public, max-age=31536000, immutable",
      ContentDisposition: `attachment; filename="x.jpg"`,
      ContentLanguage: "ru",
      Metadata: { foo: "bar" },
    };
    const Key = `${key}/a b+ё.jpg`;
    const { ETag } = await sdk().send(new PutObjectCommand({ Bucket: bucket, Key, Body: photo, ...attributes }));
    expect(await get(Key, {}, sdk())).toEqual(photo);
    const found = await head(Key, sdk());
    expect(found).toMatchObject({ ...attributes, ContentLength: photo.length, ETag });
    expect(ETag).toBe(`"${createHash("md5").update(photo).digest("hex")}"`);
    expect(Date.now() - Number(found.LastModified)).toBeLessThan(120_000);
  });

  test("may be empty", async () => {
    await sdk().send(new PutObjectCommand({ Bucket: bucket, Key: `${key}/empty`, Body: Buffer.alloc(0) }));
    expect(await get(`${key}/empty`, {}, sdk())).toEqual(Buffer.alloc(0));
    expect(await head(`${key}/empty`)).toMatchObject({ ContentLength: 0, ContentType: "application/octet-stream" });
  });

  test("are taken as a stream of known length", async () => {
    const Body = Readable.from([photo.subarray(0, 70_000), photo.subarray(70_000)]);
    const params = { Bucket: bucket, Key: `${key}/stream`, Body, ContentLength: photo.length };
    await sdk().send(new PutObjectCommand(params));
    expect(await get(`${key}/stream`, {}, sdk())).toEqual(photo);
  });

  test("are deleted one by one and in batches, whether they exist or not", async () => {
    const batch = ["1", "2 & <3>", "gone"].map((name) => ({ Key: `${key}/delete/${name}` }));
    await Promise.all(batch.slice(0, 2).map(({ Key }) => put(Key)));
    await put(`${key}/delete/single`);
    const { Deleted } = await sdk().send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: batch } }));
    expect(Deleted).toEqual(batch);
    const single = new DeleteObjectCommand({ Bucket: bucket, Key: `${key}/delete/single` });
    await sdk().send(single);
    await sdk().send(single);
    expect(await keys(`${key}/delete/`)).toEqual([]);
  });
});

describe("reading", () => {
  beforeAll(() => put("reading", "0123456789", { ContentType: "text/plain" }));

  test.each([
    ["bytes=2-4", "234", "bytes 2-4/10"],
    ["bytes=7-", "789", "bytes 7-9/10"],
    ["bytes=-2", "89", "bytes 8-9/10"],
    ["bytes=8-100", "89", "bytes 8-9/10"],
    ["bytes=-100", "0123456789", "bytes 0-9/10"],
  ])("answers the range %s", async (Range, bytes, contentRange) => {
    const answer = await s3.client.send(new GetObjectCommand({ Bucket: bucket, Key: "reading", Range }));
    expect(await answer.Body?.transformToString()).toBe(bytes);
    expect(answer).toMatchObject({ ContentRange: contentRange, $metadata: { httpStatusCode: 206 } });
  });

  test("answers the whole object to ranges that make no sense, and 416 behind its end", async () => {
    expect(String(await get("reading", { Range: "bytes=5-2" }))).toBe("0123456789");
    expect(String(await get("reading", { Range: "bytes=0-1,3-4" }))).toBe("0123456789");
    await expect(get("reading", { Range: "bytes=10-" })).rejects.toMatchObject(refusal("InvalidRange", 416));
  });

  test("answers 404 for what is not there", async () => {
    await expect(get("nothing")).rejects.toMatchObject(refusal("NoSuchKey", 404));
    await expect(head("nothing")).rejects.toMatchObject(refusal("NotFound", 404));
    const elsewhere = new GetObjectCommand({ Bucket: "elsewhere", Key: "reading" });
    await expect(s3.client.send(elsewhere)).rejects.toMatchObject(refusal("NoSuchBucket", 404));
  });

  test("answers 304 to a reader who has the object, and 412 to one who insists on another", async () => {
    const { ETag = "", LastModified = new Date(0) } = await head("reading");
    const read = (conditions: object) =>
      s3.client.send(new GetObjectCommand({ Bucket: bucket, Key: "reading", ...conditions }));
    const notModified = { $metadata: { httpStatusCode: 304 } };
    const preconditionFailed = refusal("PreconditionFailed", 412);
    await expect(read({ IfNoneMatch: ETag })).rejects.toMatchObject(notModified);
    await expect(read({ IfNoneMatch: `"other", W/${ETag}` })).rejects.toMatchObject(notModified);
    await expect(read({ IfModifiedSince: LastModified })).rejects.toMatchObject(notModified);
    await expect(read({ IfMatch: `"other"` })).rejects.toMatchObject(preconditionFailed);
    const before = new Date(LastModified.getTime() - 60_000);
    await expect(read({ IfUnmodifiedSince: before })).rejects.toMatchObject(preconditionFailed);
    await expect(read({ IfMatch: ETag, IfModifiedSince: before, IfNoneMatch: `"other"` })).resolves.toBeDefined();
  });

  test("returns the checksum that an object was sent with", async () => {
    await s3.client.send(
      new PutObjectCommand({ Bucket: bucket, Key: "sum", Body: photo, ChecksumAlgorithm: "SHA256" }),
    );
    const found = await s3.client.send(new HeadObjectCommand({ Bucket: bucket, Key: "sum", ChecksumMode: "ENABLED" }));
    expect(found.ChecksumSHA256).toBe(createHash("sha256").update(photo).digest("base64"));
  });
});

describe("writing", () => {
  test("with If-None-Match: * creates but never replaces", async () => {
    await put("once", "first", { IfNoneMatch: "*" });
    const second = put("once", "second", { IfNoneMatch: "*" });
    await expect(second).rejects.toMatchObject(refusal("PreconditionFailed", 412));
    expect(String(await get("once"))).toBe("first");
  });

  test("with If-None-Match: * has one winner among many at once", async () => {
    const attempts = Array.from({ length: 10 }, (_, index) => put("race", `writer ${index}`, { IfNoneMatch: "*" }));
    const won = (await Promise.allSettled(attempts)).flatMap(({ status }, index) =>
      status === "fulfilled" ? [`writer ${index}`] : [],
    );
    expect(won).toEqual([String(await get("race"))]);
  });

  test("with If-Match replaces only what the writer has seen", async () => {
    const { ETag = "" } = await put("seen", "first");
    await put("seen", "second", { IfMatch: ETag });
    await expect(put("seen", "third", { IfMatch: ETag })).rejects.toMatchObject(refusal("PreconditionFailed", 412));
    await expect(put("unseen", "x", { IfMatch: ETag })).rejects.toMatchObject(refusal("NoSuchKey", 404));
    expect(String(await get("seen"))).toBe("second");
  });

  test("gives readers the old object or the new one, never a mix", async () => {
    const versions = ["a", "b", "c"].map((letter) => Buffer.alloc(3 * megabyte, letter));
    const known = new Set(versions.map((version) => createHash("md5").update(version).digest("hex")));
    await put("contended", versions[0]);
    const writing = (async () => {
      for (let round = 0; round < 6; round++) {
        await put("contended", versions[round % 3]);
      }
    })();
    const reading = Array.from({ length: 12 }, async () => {
      const { Body, ETag } = await s3.client.send(new GetObjectCommand({ Bucket: bucket, Key: "contended" }));
      const bytes = (await Body?.transformToByteArray()) ?? "";
      expect(ETag).toBe(`"${createHash("md5").update(bytes).digest("hex")}"`);
      expect(known).toContain(ETag?.replaceAll('"', ""));
    });
    await Promise.all([writing, ...reading]);
  });

  test("leaves the old object to readers who are in the middle of it", async () => {
    const size = 32 * megabyte;
    await put("half read", Buffer.alloc(size, "a"));
    const { Body } = await s3.client.send(new GetObjectCommand({ Bucket: bucket, Key: "half read" }));
    const chunks = (Body as Readable)[Symbol.asyncIterator]();
    const received = [(await chunks.next()).value];
    await put("half read", Buffer.alloc(size, "b"));
    for await (const chunk of { [Symbol.asyncIterator]: () => chunks }) {
      received.push(chunk);
    }
    expect(Buffer.concat(received).equals(Buffer.alloc(size, "a"))).toBe(true);
    expect((await get("half read")).equals(Buffer.alloc(size, "b"))).toBe(true);
  });

  test("copies with the old metadata or with new", async () => {
    await put("source ё", photo, { ContentType: "image/png", Metadata: { foo: "bar" } });
    const copy = (Key: string, more: object = {}) =>
      s3.client.send(
        new CopyObjectCommand({ Bucket: bucket, Key, CopySource: encodeURI(`${bucket}/source ё`), ...more }),
      );
    await copy("copy/same");
    await copy("copy/new", { MetadataDirective: "REPLACE", ContentType: "image/webp", CacheControl: "max-age=1" });
    expect(await get("copy/same")).toEqual(photo);
    expect(await get("copy/new")).toEqual(photo);
    expect(await head("copy/same")).toMatchObject({ ContentType: "image/png", Metadata: { foo: "bar" } });
    expect(await head("copy/new")).toMatchObject({
      ContentType: "image/webp",
      CacheControl: "max-age=1",
      Metadata: {},
    });
    await expect(copy("source ё")).rejects.toMatchObject(refusal("InvalidRequest", 400));
    const missing = new CopyObjectCommand({ Bucket: bucket, Key: "copy/none", CopySource: `${bucket}/nothing` });
    await expect(s3.client.send(missing)).rejects.toMatchObject(refusal("NoSuchKey", 404));
  });

  test("keeps keys inside its folder whatever they are called", async () => {
    const hostile = ["../../x", "..", ".", "a/../../../b", "/leading", "a//b/", "%2e%2e%2fx", "Кириллица и пробелы ё"];
    const odd = [
      "a\\b",
      "C:\\x",
      "UPPER",
      "upper",
      "nul\u0001",
      "a".repeat(1024 - "strange/".length),
      "б".repeat(300),
      "🚗",
      "￮",
    ];
    const strange = [...hostile, ...odd].map((name) => `strange/${name}`);
    const before = await outside();
    for (const key of [...strange, "..", "../../x"]) {
      await put(key, key);
    }
    for (const key of [...strange, "..", "../../x"]) {
      expect(String(await get(key)), key).toBe(key);
    }
    expect(await keys("strange/")).toEqual(sortedByBytes(strange));
    expect(await outside()).toEqual(before);
    await expect(put("a".repeat(1025))).rejects.toMatchObject(refusal("KeyTooLongError", 400));
  });

  async function outside(): Promise<string[]> {
    const entries = await readdir(s3.directory, { recursive: true, withFileTypes: true });
    return entries
      .map((entry) => relative(s3.directory, join(entry.parentPath, entry.name)))
      .filter((path) => !path.startsWith(join(bucket, "objects")));
  }
});

const sortedByBytes = (texts: string[]) =>
  texts
    .map((text) => Buffer.from(text))
    .sort(Buffer.compare)
    .map(String);
