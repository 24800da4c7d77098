import { type ChildProcess, fork } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { Agent, type IncomingMessage, request, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { Readable } from "node:stream";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketLocationCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutBucketCorsCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  PutObjectTaggingCommand,
  S3Client,
  type S3ClientConfig,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { createPresignedPost } from "@aws-sdk/s3-presigned-post";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { createS3Server } from "../../dev/s3/server.ts";

const bucket = "app";
const credentials = { accessKeyId: "access-key", secretAccessKey: "secret-key" };
const megabyte = 1024 * 1024;
const photo = randomBytes(200_000);

let directory: string;
let server: Server;
let endpoint: string;
/** As the store uses S3: checksums only where S3 demands them. */
let s3: S3Client;
/** As the SDK is out of the box: CRC32 in a trailer of an aws-chunked body. */
let checking: S3Client;
const clients: S3Client[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "s3-"));
  server = await listen(directory);
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  s3 = client({ requestChecksumCalculation: "WHEN_REQUIRED", responseChecksumValidation: "WHEN_REQUIRED" });
  checking = client();
});

afterAll(async () => {
  for (const one of clients) {
    one.destroy();
  }
  await close(server);
  await rm(directory, { recursive: true });
});

async function listen(folder: string): Promise<Server> {
  const started = createS3Server({
    directory: folder,
    credentials: { [credentials.accessKeyId]: credentials.secretAccessKey },
    buckets: [bucket],
    publicPrefixes: [`${bucket}/images/`],
  });
  started.listen(0, "127.0.0.1");
  await once(started, "listening");
  return started;
}

async function close(running: Server): Promise<void> {
  running.close();
  running.closeAllConnections();
  await once(running, "close");
}

function client(config: S3ClientConfig = {}): S3Client {
  const made = new S3Client({
    endpoint,
    region: "us-east-1",
    forcePathStyle: true,
    credentials,
    maxAttempts: 1,
    ...config,
  });
  clients.push(made);
  return made;
}

const put = (Key: string, Body: PutObjectCommandInput["Body"] = "x", more: Partial<PutObjectCommandInput> = {}) =>
  s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body, ...more }));

const head = (Key: string, from = s3) => from.send(new HeadObjectCommand({ Bucket: bucket, Key }));

async function get(Key: string, more: { Range?: string } = {}, from = s3): Promise<Buffer> {
  const { Body } = await from.send(new GetObjectCommand({ Bucket: bucket, Key, ...more }));
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
}

async function keys(Prefix: string): Promise<(string | undefined)[]> {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix }));
  return Contents.map(({ Key }) => Key);
}

const ignore = () => undefined;
const silent = { debug: ignore, info: ignore, warn: ignore, error: ignore };

/** Makes a client send another body than the one it signs. */
function swapBody(swapping: S3Client, body: Buffer): void {
  swapping.middlewareStack.add(
    (next) => (args) => {
      const sent = args.request as { body: unknown; headers: Record<string, string> };
      sent.body = body;
      sent.headers["content-length"] = String(body.length);
      delete sent.headers["transfer-encoding"];
      return next(args);
    },
    { step: "finalizeRequest", priority: "low" },
  );
}

/** What a refused call looks like to the SDK. */
const refusal = (name: string, httpStatusCode: number) => ({ name, $metadata: { httpStatusCode } });

const anonymous = (path: string, init: RequestInit = {}) => fetch(`${endpoint}/${bucket}/${path}`, init);

const codeOf = async (response: Response) => /<Code>(.*)<\/Code>/.exec(await response.text())?.[1];

describe.each(["with checksums", "without checksums"])("objects, %s", (mode) => {
  const sdk = () => (mode === "with checksums" ? checking : s3);
  const key = `objects ${mode}`;

  it("come back as they were sent, with their headers and metadata", async () => {
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
    expect(Date.now() - Number(found.LastModified)).toBeLessThan(10_000);
  });

  it("may be empty", async () => {
    await sdk().send(new PutObjectCommand({ Bucket: bucket, Key: `${key}/empty`, Body: Buffer.alloc(0) }));
    expect(await get(`${key}/empty`, {}, sdk())).toEqual(Buffer.alloc(0));
    expect(await head(`${key}/empty`)).toMatchObject({ ContentLength: 0, ContentType: "application/octet-stream" });
  });

  it("are taken as a stream of known length", async () => {
    const Body = Readable.from([photo.subarray(0, 70_000), photo.subarray(70_000)]);
    const params = { Bucket: bucket, Key: `${key}/stream`, Body, ContentLength: photo.length };
    await sdk().send(new PutObjectCommand(params));
    expect(await get(`${key}/stream`, {}, sdk())).toEqual(photo);
  });

  it("are taken in parts from a stream of unknown length", async () => {
    const big = randomBytes(12 * megabyte);
    const pieces = Array.from({ length: 48 }, (_, index) => big.subarray(index * 262_144, (index + 1) * 262_144));
    const params = { Bucket: bucket, Key: `${key}/parts`, Body: Readable.from(pieces), ContentType: "application/pdf" };
    await new Upload({ client: sdk(), partSize: 5 * megabyte, queueSize: 2, params }).done();
    expect((await get(`${key}/parts`, {}, sdk())).equals(big)).toBe(true);
    expect(await head(`${key}/parts`)).toMatchObject({
      ContentType: "application/pdf",
      ETag: expect.stringMatching(/^"[0-9a-f]{32}-3"$/),
    });
  });

  it("are taken in one piece by a multipart client when they are small", async () => {
    const params = { Bucket: bucket, Key: `${key}/small`, Body: Readable.from(["abc"]), ContentType: "text/plain" };
    await new Upload({ client: sdk(), params }).done();
    expect(await head(`${key}/small`)).toMatchObject({ ContentLength: 3, ContentType: "text/plain" });
  });

  it("are deleted one by one and in batches, whether they exist or not", async () => {
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

  it.each([
    ["bytes=2-4", "234", "bytes 2-4/10"],
    ["bytes=7-", "789", "bytes 7-9/10"],
    ["bytes=-2", "89", "bytes 8-9/10"],
    ["bytes=8-100", "89", "bytes 8-9/10"],
    ["bytes=-100", "0123456789", "bytes 0-9/10"],
  ])("answers the range %s", async (Range, bytes, contentRange) => {
    const answer = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: "reading", Range }));
    expect(await answer.Body?.transformToString()).toBe(bytes);
    expect(answer).toMatchObject({ ContentRange: contentRange, $metadata: { httpStatusCode: 206 } });
  });

  it("answers the whole object to ranges that make no sense, and 416 behind its end", async () => {
    expect(String(await get("reading", { Range: "bytes=5-2" }))).toBe("0123456789");
    expect(String(await get("reading", { Range: "bytes=0-1,3-4" }))).toBe("0123456789");
    await expect(get("reading", { Range: "bytes=10-" })).rejects.toMatchObject(refusal("InvalidRange", 416));
  });

  it("answers 404 for what is not there", async () => {
    await expect(get("nothing")).rejects.toMatchObject(refusal("NoSuchKey", 404));
    await expect(head("nothing")).rejects.toMatchObject(refusal("NotFound", 404));
    const elsewhere = new GetObjectCommand({ Bucket: "elsewhere", Key: "reading" });
    await expect(s3.send(elsewhere)).rejects.toMatchObject(refusal("NoSuchBucket", 404));
  });

  it("answers 304 to a reader who has the object, and 412 to one who insists on another", async () => {
    const { ETag = "", LastModified = new Date(0) } = await head("reading");
    const read = (conditions: object) =>
      s3.send(new GetObjectCommand({ Bucket: bucket, Key: "reading", ...conditions }));
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

  it("returns the checksum that an object was sent with", async () => {
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: "sum", Body: photo, ChecksumAlgorithm: "SHA256" }));
    const found = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: "sum", ChecksumMode: "ENABLED" }));
    expect(found.ChecksumSHA256).toBe(createHash("sha256").update(photo).digest("base64"));
  });
});

describe("writing", () => {
  it("with If-None-Match: * creates but never replaces", async () => {
    await put("once", "first", { IfNoneMatch: "*" });
    const second = put("once", "second", { IfNoneMatch: "*" });
    await expect(second).rejects.toMatchObject(refusal("PreconditionFailed", 412));
    expect(String(await get("once"))).toBe("first");
  });

  it("with If-None-Match: * has one winner among many at once", async () => {
    const attempts = Array.from({ length: 10 }, (_, index) => put("race", `writer ${index}`, { IfNoneMatch: "*" }));
    const won = (await Promise.allSettled(attempts)).flatMap(({ status }, index) =>
      status === "fulfilled" ? [`writer ${index}`] : [],
    );
    expect(won).toEqual([String(await get("race"))]);
  });

  it("with If-Match replaces only what the writer has seen", async () => {
    const { ETag = "" } = await put("seen", "first");
    await put("seen", "second", { IfMatch: ETag });
    await expect(put("seen", "third", { IfMatch: ETag })).rejects.toMatchObject(refusal("PreconditionFailed", 412));
    await expect(put("unseen", "x", { IfMatch: ETag })).rejects.toMatchObject(refusal("NoSuchKey", 404));
    expect(String(await get("seen"))).toBe("second");
  });

  it("gives readers the old object or the new one, never a mix", async () => {
    const versions = ["a", "b", "c"].map((letter) => Buffer.alloc(3 * megabyte, letter));
    const known = new Set(versions.map((version) => createHash("md5").update(version).digest("hex")));
    await put("contended", versions[0]);
    const writing = (async () => {
      for (let round = 0; round < 6; round++) {
        await put("contended", versions[round % 3]);
      }
    })();
    const reading = Array.from({ length: 12 }, async () => {
      const { Body, ETag } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: "contended" }));
      const bytes = (await Body?.transformToByteArray()) ?? "";
      expect(ETag).toBe(`"${createHash("md5").update(bytes).digest("hex")}"`);
      expect(known).toContain(ETag?.replaceAll('"', ""));
    });
    await Promise.all([writing, ...reading]);
  });

  it("leaves the old object to readers who are in the middle of it", async () => {
    const size = 32 * megabyte;
    await put("half read", Buffer.alloc(size, "a"));
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: "half read" }));
    const chunks = (Body as Readable)[Symbol.asyncIterator]();
    const received = [(await chunks.next()).value];
    await put("half read", Buffer.alloc(size, "b"));
    for await (const chunk of { [Symbol.asyncIterator]: () => chunks }) {
      received.push(chunk);
    }
    expect(Buffer.concat(received).equals(Buffer.alloc(size, "a"))).toBe(true);
    expect((await get("half read")).equals(Buffer.alloc(size, "b"))).toBe(true);
  });

  it("copies with the old metadata or with new", async () => {
    await put("source ё", photo, { ContentType: "image/png", Metadata: { foo: "bar" } });
    const copy = (Key: string, more: object = {}) =>
      s3.send(new CopyObjectCommand({ Bucket: bucket, Key, CopySource: encodeURI(`${bucket}/source ё`), ...more }));
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
    await expect(s3.send(missing)).rejects.toMatchObject(refusal("NoSuchKey", 404));
  });

  it("keeps keys inside its folder whatever they are called", async () => {
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
    const entries = await readdir(directory, { recursive: true, withFileTypes: true });
    return entries
      .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
      .filter((path) => !path.startsWith(join(bucket, "objects")));
  }
});

const sortedByBytes = (texts: string[]) =>
  texts
    .map((text) => Buffer.from(text))
    .sort(Buffer.compare)
    .map(String);

describe("multipart uploads", () => {
  const Bucket = bucket;

  async function begin(Key: string): Promise<{ Bucket: string; Key: string; UploadId: string }> {
    const { UploadId = "" } = await s3.send(
      new CreateMultipartUploadCommand({ Bucket, Key, Metadata: { foo: "bar" } }),
    );
    return { Bucket, Key, UploadId };
  }

  type Begun = Awaited<ReturnType<typeof begin>>;

  async function send(upload: Begun, PartNumber: number, Body: Buffer) {
    const { ETag } = await s3.send(new UploadPartCommand({ ...upload, PartNumber, Body }));
    return { PartNumber, ETag };
  }

  const complete = (upload: Begun, Parts: { PartNumber: number; ETag: string | undefined }[]) =>
    s3.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }));

  it("are nothing until they are complete, and only the listed parts count", async () => {
    const upload = await begin("multipart/whole");
    const bytes = randomBytes(5 * megabyte);
    await send(upload, 3, Buffer.from("replaced"));
    const last = await send(upload, 3, Buffer.from("last"));
    const first = await send(upload, 1, bytes);
    await send(upload, 2, Buffer.from("left out"));
    await expect(head(upload.Key)).rejects.toMatchObject(refusal("NotFound", 404));
    await complete(upload, [first, last]);
    expect((await get(upload.Key)).equals(Buffer.concat([bytes, Buffer.from("last")]))).toBe(true);
    expect((await head(upload.Key)).Metadata).toEqual({ foo: "bar" });
    await expect(complete(upload, [first, last])).rejects.toMatchObject(refusal("NoSuchUpload", 404));
  });

  it("are refused with wrong, missing, unordered or too small parts, and can then still be completed", async () => {
    const upload = await begin("multipart/wrong");
    const parts = [await send(upload, 1, Buffer.from("small")), await send(upload, 2, Buffer.from("last"))] as const;
    const invalidPart = refusal("InvalidPart", 400);
    await expect(complete(upload, [{ PartNumber: 1, ETag: "other" }])).rejects.toMatchObject(invalidPart);
    await expect(complete(upload, [{ PartNumber: 9, ETag: parts[0].ETag }])).rejects.toMatchObject(invalidPart);
    await expect(complete(upload, [parts[1], parts[0]])).rejects.toMatchObject(refusal("InvalidPartOrder", 400));
    await expect(complete(upload, [...parts])).rejects.toMatchObject(refusal("EntityTooSmall", 400));
    await complete(upload, [parts[0]]);
    expect(String(await get(upload.Key))).toBe("small");
  });

  it("can be aborted, and leave nothing", async () => {
    const upload = await begin("multipart/aborted");
    await send(upload, 1, photo);
    await s3.send(new AbortMultipartUploadCommand(upload));
    await expect(send(upload, 2, photo)).rejects.toMatchObject(refusal("NoSuchUpload", 404));
    expect(await readdir(join(directory, bucket, "uploads"))).toEqual([]);
  });
});

describe("listing", () => {
  const list = (more: object) => s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: "list/", ...more }));

  beforeAll(async () => {
    for (const key of ["b/1", "b/2", "a/1", "c", "a", "é", "<&>"]) {
      await put(`list/${key}`);
    }
  });

  it("has all keys below a prefix in the order of their bytes", async () => {
    const { Contents = [], KeyCount, IsTruncated } = await list({});
    expect(Contents.map(({ Key }) => Key)).toEqual(
      ["<&>", "a", "a/1", "b/1", "b/2", "c", "é"].map((key) => `list/${key}`),
    );
    expect(Contents[0]).toMatchObject({ Size: 1, ETag: `"${createHash("md5").update("x").digest("hex")}"` });
    expect({ KeyCount, IsTruncated }).toEqual({ KeyCount: 7, IsTruncated: false });
  });

  it("rolls keys up behind a delimiter", async () => {
    const { Contents = [], CommonPrefixes, KeyCount } = await list({ Delimiter: "/" });
    expect(CommonPrefixes).toEqual([{ Prefix: "list/a/" }, { Prefix: "list/b/" }]);
    expect(Contents.map(({ Key }) => Key)).toEqual(["<&>", "a", "c", "é"].map((key) => `list/${key}`));
    expect(KeyCount).toBe(6);
  });

  it.each([{}, { Delimiter: "/" }])("comes in pages that repeat and miss nothing, with %o", async (how) => {
    const found: (string | undefined)[] = [];
    let ContinuationToken: string | undefined;
    do {
      const page = await list({ ...how, MaxKeys: 2, ContinuationToken });
      const names = [
        ...(page.Contents ?? []).map(({ Key }) => Key),
        ...(page.CommonPrefixes ?? []).map((p) => p.Prefix),
      ];
      expect(names.length).toBeLessThanOrEqual(2);
      found.push(...names);
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken !== undefined);
    const whole = await list(how);
    const names = [
      ...(whole.Contents ?? []).map(({ Key }) => Key),
      ...(whole.CommonPrefixes ?? []).map((p) => p.Prefix),
    ];
    expect(found.toSorted()).toEqual(names.toSorted());
  });

  it("starts after a key, and encodes keys on request", async () => {
    const { Contents = [] } = await list({ StartAfter: "list/b/1", EncodingType: "url" });
    expect(Contents.map(({ Key }) => Key)).toEqual(["list/b/2", "list/c", "list/%C3%A9"]);
  });
});

describe("buckets", () => {
  it("are created, found, listed, located and deleted when empty", async () => {
    const Bucket = "second-bucket";
    await s3.send(new CreateBucketCommand({ Bucket }));
    const again = s3.send(new CreateBucketCommand({ Bucket }));
    await expect(again).rejects.toMatchObject(refusal("BucketAlreadyOwnedByYou", 409));
    await s3.send(new HeadBucketCommand({ Bucket }));
    const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
    expect(Buckets.map(({ Name }) => Name)).toEqual([bucket, Bucket]);
    expect((await s3.send(new GetBucketLocationCommand({ Bucket }))).$metadata.httpStatusCode).toBe(200);
    await s3.send(new PutObjectCommand({ Bucket, Key: "x", Body: "x" }));
    const full = s3.send(new DeleteBucketCommand({ Bucket }));
    await expect(full).rejects.toMatchObject(refusal("BucketNotEmpty", 409));
    await s3.send(new DeleteObjectCommand({ Bucket, Key: "x" }));
    await s3.send(new DeleteBucketCommand({ Bucket }));
    await expect(s3.send(new HeadBucketCommand({ Bucket }))).rejects.toMatchObject(refusal("NotFound", 404));
  });

  it("may not have names that are no bucket's", async () => {
    for (const name of ["Upper", "a", "a_b"]) {
      const answer = s3.send(new CreateBucketCommand({ Bucket: name }));
      await expect(answer, name).rejects.toMatchObject(refusal("InvalidBucketName", 400));
    }
    const outside = new CopyObjectCommand({ Bucket: bucket, Key: "x", CopySource: "../app/objects/tagged" });
    await expect(s3.send(outside)).rejects.toMatchObject(refusal("NoSuchBucket", 404));
  });

  it("answer 501 to what is not implemented", async () => {
    const Bucket = bucket;
    const rules = [{ AllowedMethods: ["GET"], AllowedOrigins: ["*"] }];
    const notImplemented = refusal("NotImplemented", 501);
    await put("tagged");
    const cors = s3.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules: rules } }));
    await expect(cors).rejects.toMatchObject(notImplemented);
    const policy = s3.send(new PutBucketPolicyCommand({ Bucket, Policy: "{}" }));
    await expect(policy).rejects.toMatchObject(notImplemented);
    const tagging = s3.send(new PutObjectTaggingCommand({ Bucket, Key: "tagged", Tagging: { TagSet: [] } }));
    await expect(tagging).rejects.toMatchObject(notImplemented);
    await expect(put("acl", "x", { ACL: "public-read" })).rejects.toMatchObject(notImplemented);
    await expect(put("crc", "x", { ChecksumCRC32C: "AAAAAA==" })).rejects.toMatchObject(notImplemented);
    expect(String(await get("tagged"))).toBe("x");
  });
});

describe("signatures", () => {
  const signed = (Key: string, more: object = {}, options: object = {}) =>
    getSignedUrl(s3, new GetObjectCommand({ Bucket: bucket, Key, ...more }), { expiresIn: 60, ...options });

  it("by a wrong secret, an unknown key or a wrong clock are refused", async () => {
    const attempt = (config: S3ClientConfig) => head("signed", client(config));
    await put("signed");
    const other = { ...credentials, secretAccessKey: "wrong" };
    const list = client({ credentials: other }).send(new ListObjectsV2Command({ Bucket: bucket }));
    await expect(list).rejects.toMatchObject(refusal("SignatureDoesNotMatch", 403));
    const forbidden = { $metadata: { httpStatusCode: 403 } };
    await expect(attempt({ credentials: other })).rejects.toMatchObject(forbidden);
    const inherited = { accessKeyId: "toString", secretAccessKey: String(Object.prototype.toString) };
    await expect(attempt({ credentials: inherited })).rejects.toMatchObject(forbidden);
    await expect(attempt({ systemClockOffset: 16 * 60_000 })).rejects.toMatchObject(forbidden);
    await expect(attempt({ systemClockOffset: 14 * 60_000 })).resolves.toBeDefined();
  });

  it("in a URL open one object, under the headers that the URL asks for", async () => {
    await put("presigned ё", photo);
    const url = await signed("presigned ё", { ResponseContentDisposition: `attachment; filename="q.jpg"` });
    const response = await fetch(url);
    expect(Buffer.from(await response.arrayBuffer())).toEqual(photo);
    expect(response.headers.get("content-disposition")).toBe(`attachment; filename="q.jpg"`);
    expect((await fetch(await signed("presigned ё", { ResponseContentType: "текст" }))).status).toBe(400);
  });

  it("in a URL are refused when tampered with, expired, too long-lived or not valid yet", async () => {
    await put("presigned");
    await put("other");
    const url = await signed("presigned");
    const refused = [
      url.replace(/Signature=..../, "Signature=0000"),
      url.replace("/presigned", "/other"),
      `${url}&response-content-type=text/html`,
      url.replace("X-Amz-Expires=60", "X-Amz-Expires=600"),
      await signed("presigned", {}, { signingDate: new Date(Date.now() - 61_000) }),
      await signed("presigned", {}, { signingDate: new Date(Date.now() + 3_600_000) }),
    ];
    expect((await fetch(url)).status).toBe(200);
    for (const bad of refused) {
      expect((await fetch(bad)).status, bad).toBe(403);
    }
    expect((await fetch(url, { method: "DELETE" })).status).toBe(403);
    expect((await fetch(url.replace("X-Amz-Expires=60", "X-Amz-Expires=999999"))).status).toBe(400);
    expect((await fetch(url, { headers: { "x-amz-meta-a": "b" } })).status).toBe(403);
  });

  it("in a URL let a browser upload, with the metadata that was signed", async () => {
    const command = new PutObjectCommand({
      Bucket: bucket,
      Key: "by url",
      ContentType: "image/png",
      Metadata: { foo: "bar" },
    });
    const url = await getSignedUrl(s3, command, { expiresIn: 60 });
    const response = await fetch(url, { method: "PUT", body: photo, headers: { "content-type": "image/png" } });
    expect(response.status).toBe(200);
    expect(await get("by url")).toEqual(photo);
    expect(await head("by url")).toMatchObject({ ContentType: "image/png", Metadata: { foo: "bar" } });
  });

  it("in a URL that promises the checksum of an empty body refuse any other body, as S3 does", async () => {
    const command = new PutObjectCommand({ Bucket: bucket, Key: "promised" });
    const url = await getSignedUrl(checking, command, { expiresIn: 60 });
    const response = await fetch(url, { method: "PUT", body: photo });
    expect([response.status, await codeOf(response)]).toEqual([400, "BadDigest"]);
    expect(await keys("promised")).toEqual([]);
  });

  it("cover the body: a changed payload or a wrong checksum is refused and not stored", async () => {
    const tampering = client({ requestChecksumCalculation: "WHEN_REQUIRED" });
    swapBody(tampering, Buffer.from("y"));
    const changed = tampering.send(new PutObjectCommand({ Bucket: bucket, Key: "digest/changed", Body: "x" }));
    await expect(changed).rejects.toMatchObject(refusal("XAmzContentSHA256Mismatch", 400));
    for (const wrong of [{ ChecksumCRC32: "AAAAAA==" }, { ChecksumSHA1: "AAAA" }, { ContentMD5: "AAAA" }]) {
      await expect(put("digest/wrong", "x", wrong)).rejects.toMatchObject(refusal("BadDigest", 400));
    }
    expect(await keys("digest/")).toEqual([]);
  });

  it("are not needed for single objects below a public prefix, and for nothing else", async () => {
    await put("images/a.webp", photo, { ContentType: "image/webp" });
    await put("images-private/a.webp");
    const open = await anonymous("images/a.webp");
    expect(Buffer.from(await open.arrayBuffer())).toEqual(photo);
    expect(open.headers.get("content-type")).toBe("image/webp");
    expect((await anonymous("images/a.webp", { method: "HEAD" })).status).toBe(200);
    expect((await anonymous("images/nothing.webp")).status).toBe(404);
    const refused: [string, RequestInit?][] = [
      ["images-private/a.webp"],
      ["images/../images-private/a.webp"],
      ["images/%2e%2e/images-private/a.webp"],
      ["images/b.webp", { method: "PUT", body: "x" }],
      ["images/a.webp", { method: "DELETE" }],
      ["images/a.webp?uploads", { method: "POST" }],
      ["?list-type=2&prefix=images/"],
      [""],
    ];
    for (const [path, init] of refused) {
      expect((await anonymous(path, init)).status, path).toBe(403);
    }
    expect((await anonymous("images/a.webp?response-content-type=text/html")).status).toBe(400);
    expect((await fetch(endpoint)).status).toBe(403);
    expect(await get("images/a.webp")).toEqual(photo);
  });

  it("let browsers of other origins in", async () => {
    const headers = {
      origin: "http://shop.example",
      "access-control-request-method": "PUT",
      "access-control-request-headers": "content-type",
    };
    const preflight = await anonymous("any", { method: "OPTIONS", headers });
    expect(preflight.status).toBe(200);
    expect(preflight.headers.get("access-control-allow-origin")).toBe("*");
    expect(preflight.headers.get("access-control-allow-methods")).toContain("PUT");
    expect(preflight.headers.get("access-control-allow-headers")).toBe("content-type");
    const refused = await anonymous("any", { headers: { origin: "http://shop.example" } });
    expect(refused.headers.get("access-control-allow-origin")).toBe("*");
  });
});

describe("form uploads", () => {
  type Conditions = NonNullable<Parameters<typeof createPresignedPost>[1]["Conditions"]>;

  async function post(
    Key: string,
    content: string | Buffer,
    { conditions = [], change = {} }: { conditions?: Conditions; change?: Record<string, string> } = {},
  ): Promise<Response> {
    const Fields = { "Content-Type": "image/png" };
    const options = { Bucket: bucket, Key, Conditions: conditions, Fields, Expires: 60 };
    const { url, fields } = await createPresignedPost(s3, options);
    const form = new FormData();
    for (const [name, value] of Object.entries({ ...fields, ...change })) {
      form.append(name, value);
    }
    form.append("file", new Blob([new Uint8Array(Buffer.from(content))]), "../my photo.png");
    return fetch(url, { method: "POST", body: form });
  }

  it("store the file under the name that the policy allows", async () => {
    const answer = await post(["form/$", "{filename}"].join(""), photo, {
      conditions: [["content-length-range", 1, 300_000]],
    });
    expect(answer.status).toBe(204);
    expect(await get("form/my photo.png")).toEqual(photo);
    expect(await head("form/my photo.png")).toMatchObject({ ContentType: "image/png" });
  });

  it("keep every byte, also those that look like a boundary", async () => {
    const content = Buffer.concat([Buffer.from("\r\n------formdata\r\n--\r\n"), photo, Buffer.from("\r\n-")]);
    expect((await post("form/bytes", content)).status).toBe(204);
    expect((await get("form/bytes")).equals(content)).toBe(true);
  });

  it("are refused when the file is too large or too small, and leave nothing", async () => {
    const conditions: Conditions = [["content-length-range", 10, 1000]];
    const large = await post("form/size", photo, { conditions });
    expect([large.status, await codeOf(large)]).toEqual([400, "EntityTooLarge"]);
    const small = await post("form/size", "x", { conditions });
    expect([small.status, await codeOf(small)]).toEqual([400, "EntityTooSmall"]);
    expect(await keys("form/size")).toEqual([]);
    expect(await readdir(join(directory, bucket, "incoming"))).toEqual([]);
  });

  it("are refused when a field is not what was signed", async () => {
    const change = (fields: Record<string, string>) => post("form/signed", "x", { change: fields });
    expect((await change({ "Content-Type": "text/html" })).status).toBe(403);
    expect((await change({ key: "form/other" })).status).toBe(403);
    expect((await change({ "x-amz-meta-extra": "x" })).status).toBe(403);
    expect((await change({ "X-Amz-Signature": "0".repeat(64) })).status).toBe(403);
    const policy = { expiration: "2999-01-01T00:00:00Z", conditions: [] };
    expect((await change({ Policy: Buffer.from(JSON.stringify(policy)).toString("base64") })).status).toBe(403);
    expect((await post("form/signed", "x", { conditions: [["starts-with", "$key", "other/"]] })).status).toBe(403);
    const unsigned = new FormData();
    unsigned.append("key", "form/signed");
    unsigned.append("file", new Blob(["x"]));
    expect((await anonymous("", { method: "POST", body: unsigned })).status).toBe(403);
    expect(await keys("form/signed")).toEqual([]);
  });
});

describe("a server that lives through trouble", () => {
  it("has its objects and unfinished uploads again after a restart, and drops half-written files", async () => {
    const folder = await mkdtemp(join(tmpdir(), "s3-restart-"));
    const first = await listen(folder);
    const at = (running: Server) => client({ endpoint: `http://127.0.0.1:${(running.address() as AddressInfo).port}` });
    const Bucket = "made";
    const Key = "Кириллица/a b.png";
    const before = at(first);
    await before.send(new CreateBucketCommand({ Bucket }));
    await before.send(new PutObjectCommand({ Bucket, Key, Body: photo, ContentType: "image/png" }));
    const upload = { Bucket, Key: "parts" };
    const { UploadId } = await before.send(new CreateMultipartUploadCommand(upload));
    const { ETag } = await before.send(new UploadPartCommand({ ...upload, UploadId, PartNumber: 1, Body: photo }));
    await close(first);
    await writeFile(join(folder, Bucket, "incoming", "half"), "written");

    const second = await listen(folder);
    const after = at(second);
    const { Body, ContentType } = await after.send(new GetObjectCommand({ Bucket, Key }));
    expect(Buffer.from((await Body?.transformToByteArray()) ?? [])).toEqual(photo);
    expect(ContentType).toBe("image/png");
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
    await after.send(new CompleteMultipartUploadCommand({ ...upload, UploadId, MultipartUpload }));
    const { Contents = [] } = await after.send(new ListObjectsV2Command({ Bucket }));
    expect(Contents.map((object) => object.Key)).toEqual(["parts", Key]);
    expect(await readdir(join(folder, Bucket, "incoming"))).toEqual([]);
    await close(second);
    await rm(folder, { recursive: true });
  });

  it("keeps nothing of an upload that is cut half-way, and still has the old object", async () => {
    await put("cut/old", "old");
    for (const key of ["cut/old", "cut/new"]) {
      const url = new URL(await getSignedUrl(s3, new PutObjectCommand({ Bucket: bucket, Key: key })));
      const socket = connect(Number(url.port), url.hostname);
      await once(socket, "connect");
      const target = `PUT ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\nContent-Length: 1000000\r\n\r\n`;
      socket.write(Buffer.concat([Buffer.from(target), photo]));
      await expect.poll(incoming).toHaveLength(1);
      socket.destroy();
      await expect.poll(incoming).toEqual([]);
    }
    expect(await keys("cut/")).toEqual(["cut/old"]);
    expect(String(await get("cut/old"))).toBe("old");
  });

  it("refuses aws-chunked bodies that are cut, malformed or without their trailer", async () => {
    const sum = "x-amz-checksum-crc32:NSRBwg==";
    expect(await putChunked("chunked/good", `1\r\na\r\n2;x=y\r\nbc\r\n0\r\n${sum}\r\n\r\n`)).toBeUndefined();
    expect(String(await get("chunked/good"))).toBe("abc");
    const refused = {
      [`3\r\nabd\r\n0\r\n${sum}\r\n\r\n`]: "BadDigest",
      [`4\r\nabcd\r\n0\r\n${sum}\r\n\r\n`]: "IncompleteBody",
      [`2\r\nabc\r\n0\r\n${sum}\r\n\r\n`]: "InvalidRequest",
      [`zz\r\nabc\r\n0\r\n${sum}\r\n\r\n`]: "InvalidRequest",
      "3\r\nabc\r\n0\r\n\r\n": "MalformedTrailerError",
      "3\r\nabc\r\n0\r\nno colon\r\n\r\n": "MalformedTrailerError",
      "3\r\nabc\r\n": "IncompleteBody",
      "3\r\na": "IncompleteBody",
    };
    for (const [body, code] of Object.entries(refused)) {
      expect(await putChunked("chunked/bad", body), JSON.stringify(body)).toBe(code);
    }
    expect(await keys("chunked/")).toEqual(["chunked/good"]);
    await vi.waitFor(async () => expect(await incoming()).toEqual([]));
  });

  it("wants to know how long a body will be", async () => {
    const url = await getSignedUrl(s3, new PutObjectCommand({ Bucket: bucket, Key: "endless" }));
    const body = Readable.toWeb(Readable.from([photo])) as ReadableStream;
    const init: RequestInit & { duplex: "half" } = { method: "PUT", body, duplex: "half" };
    expect((await fetch(url, init)).status).toBe(411);
  });

  it("answers on the same connection after it refused a body", async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const url = await getSignedUrl(s3, new GetObjectCommand({ Bucket: bucket, Key: "cut/old" }));
    const refused = await send(`${endpoint}/${bucket}/unsigned`, "PUT", Buffer.alloc(2 * megabyte), agent);
    const allowed = await send(url, "GET", Buffer.alloc(0), agent);
    expect([refused.status, allowed.status]).toEqual([403, 200]);
    expect(allowed.port).toBe(refused.port);
    agent.destroy();
  });

  const incoming = () => readdir(join(directory, bucket, "incoming"));

  /** Sends "abc", signed as the SDK does it, with another body in its place; returns the code of the refusal. */
  async function putChunked(Key: string, body: string): Promise<string | undefined> {
    const swapping = client({ logger: silent });
    swapBody(swapping, Buffer.from(body));
    const command = new PutObjectCommand({ Bucket: bucket, Key, Body: Readable.from(["abc"]), ContentLength: 3 });
    return swapping.send(command).then(
      () => undefined,
      (error: Error) => error.name,
    );
  }

  async function send(url: string, method: string, body: Buffer, agent: Agent) {
    const sent = request(url, { method, agent, headers: { "content-length": body.length } });
    sent.end(body);
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    const port = response.socket.localPort;
    response.resume();
    await once(response, "end");
    return { status: response.statusCode, port };
  }
});

describe("a server in a process of its own", () => {
  let folder: string;
  let child: ChildProcess;
  let url: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "s3-process-"));
  });

  afterEach(() => child.kill("SIGKILL"));

  afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));

  async function run(): Promise<void> {
    child = fork(new URL("../../dev/s3/main.ts", import.meta.url), {
      execArgv: ["--import", "tsx"],
      stdio: ["ignore", "pipe", "inherit", "ipc"],
      env: {
        ...process.env,
        S3_DIRECTORY: folder,
        PORT: "0",
        S3_ACCESS_KEY: credentials.accessKeyId,
        S3_SECRET_KEY: credentials.secretAccessKey,
        S3_BUCKET_NAME: bucket,
        S3_PUBLIC_PREFIXES: "images/, feeds/",
      },
    });
    const output = once(child.stdout as Readable, "data");
    const [message] = await once(child, "message");
    expect(message).toBe("ready");
    url = /http:\S+/.exec(String((await output)[0]))?.[0] ?? "";
  }

  it("says when it is ready, serves the public prefixes, and exits with 0 however often it is told to stop", async () => {
    await run();
    const own = client({ endpoint: url });
    await own.send(new PutObjectCommand({ Bucket: bucket, Key: "feeds/all.xml", Body: "<x/>" }));
    expect(await (await fetch(`${url}/${bucket}/feeds/all.xml`)).text()).toBe("<x/>");
    expect((await fetch(`${url}/${bucket}/other`)).status).toBe(403);
    const exit = once(child, "exit");
    child.kill("SIGTERM");
    child.kill("SIGINT");
    expect(await exit).toEqual([0, null]);
  });

  it("exits when its parent is gone", async () => {
    await run();
    const exit = once(child, "exit");
    child.disconnect();
    expect(await exit).toEqual([0, null]);
  });

  it("takes and gives 100 MB without growing", async () => {
    await run();
    const own = client({ endpoint: url });
    const size = 100 * megabyte;
    const block = randomBytes(megabyte);
    const blocks = () => Readable.from(Array.from({ length: 100 }, () => block));
    const stored = { Bucket: bucket, Key: "large" };
    await own.send(new PutObjectCommand({ ...stored, Body: photo }));
    await (await own.send(new GetObjectCommand(stored))).Body?.transformToByteArray();
    const before = await peakMemory();
    await own.send(new PutObjectCommand({ ...stored, Body: blocks(), ContentLength: size }));
    const { Body } = await own.send(new GetObjectCommand(stored));
    let received = 0;
    for await (const chunk of Body as Readable) {
      received += chunk.length;
    }
    expect(received).toBe(size);
    if (before !== undefined) {
      expect(Number(await peakMemory()) - before).toBeLessThan(50 * megabyte);
    }
  }, 60_000);

  /** Only Linux tells. */
  async function peakMemory(): Promise<number | undefined> {
    const status = await readFile(`/proc/${child.pid}/status`, "utf8").catch(() => "");
    const kilobytes = /VmHWM:\s+(\d+) kB/.exec(status)?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  }
});
