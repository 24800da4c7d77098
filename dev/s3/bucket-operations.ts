import type { ServerResponse } from "node:http";
import { openBody, readText } from "./body.ts";
import { S3Error } from "./errors.ts";
import type { ObjectAddress, ObjectStore } from "./object-store.ts";
import { checkKey, rawBody, type S3Request, sendEmpty, sendXml } from "./request.ts";
import { type XmlNode, xmlElements, xmlText } from "./xml.ts";

const longestPage = 1000;
const openAtOnce = 50;
const deleteListLimit = 2 * 1024 * 1024;

/** ListBuckets: every bucket by name. */
export async function listBuckets(store: ObjectStore, _request: S3Request, response: ServerResponse): Promise<void> {
  const buckets = await store.listBuckets();
  sendXml(response, 200, "ListAllMyBucketsResult", {
    Owner: { ID: "local" },
    Buckets: {
      Bucket: buckets.map(({ name, createdAt }) => ({ Name: name, CreationDate: createdAt.toISOString() })),
    },
  });
}

/** CreateBucket: throws InvalidBucketName or BucketAlreadyOwnedByYou. */
export async function createBucket(store: ObjectStore, request: S3Request, response: ServerResponse): Promise<void> {
  // The only thing its body can say is the region, and here there is one.
  await readText(openBody(rawBody(request.message), request.headers, request.payloadHash), 64 * 1024);
  await store.createBucket(request.bucket);
  sendEmpty(response, 200, { location: `/${request.bucket}` });
}

/** HeadBucket: 200 or NoSuchBucket. */
export async function headBucket(store: ObjectStore, request: S3Request, response: ServerResponse): Promise<void> {
  await store.requireBucket(request.bucket);
  sendEmpty(response, 200);
}

/** DeleteBucket: throws NoSuchBucket or BucketNotEmpty. */
export async function deleteBucket(store: ObjectStore, request: S3Request, response: ServerResponse): Promise<void> {
  await store.removeBucket(request.bucket);
  sendEmpty(response, 204);
}

/** GetBucketLocation: empty, which is S3's word for us-east-1. */
export async function getBucketLocation(
  store: ObjectStore,
  request: S3Request,
  response: ServerResponse,
): Promise<void> {
  await store.requireBucket(request.bucket);
  sendXml(response, 200, "LocationConstraint", "");
}

/** DeleteObjects: deletes up to 1,000 keys; a key without an object counts as deleted. Throws MalformedXML. */
export async function deleteObjects(store: ObjectStore, request: S3Request, response: ServerResponse): Promise<void> {
  await store.requireBucket(request.bucket);
  const body = openBody(rawBody(request.message), request.headers, request.payloadHash);
  const xml = await readText(body, deleteListLimit);
  const keys = xmlElements(xml, "Object").map((object) => checkKey(xmlText(object, "Key")));
  if (keys.length === 0 || keys.length > longestPage || keys.includes("")) {
    throw new S3Error("MalformedXML");
  }
  for (const key of keys) {
    await store.remove({ bucket: request.bucket, key });
  }
  const quiet = xmlElements(xml, "Quiet")[0] === "true";
  sendXml(response, 200, "DeleteResult", { Deleted: quiet ? [] : keys.map((key) => ({ Key: key })) });
}

/** ListObjectsV2: one page of the keys below a prefix, those behind a delimiter rolled up. Throws InvalidArgument. */
export async function listObjects(store: ObjectStore, request: S3Request, response: ServerResponse): Promise<void> {
  const { bucket, query } = request;
  const prefix = query.get("prefix") ?? "";
  const delimiter = query.get("delimiter") ?? "";
  const startAfter = query.get("start-after") ?? "";
  const token = query.get("continuation-token");
  const maxKeys = parseMaxKeys(query.get("max-keys"));
  const encode = keyEncoder(query.get("encoding-type"));

  const keys = (await store.listKeys(bucket, prefix)).filter((key) => isAfter(key, startAfter));
  const entries = rollUp(keys, prefix, delimiter).filter(({ name }) => token === null || isAfter(name, decode(token)));
  const page = entries.slice(0, maxKeys);
  const isTruncated = maxKeys > 0 && entries.length > page.length;
  const contents = await describeAll(
    store,
    bucket,
    page.filter(({ isPrefix }) => !isPrefix).map(({ name }) => name),
    encode,
  );
  sendXml(response, 200, "ListBucketResult", {
    Name: bucket,
    Prefix: encode(prefix),
    Delimiter: delimiter === "" ? undefined : encode(delimiter),
    StartAfter: startAfter === "" ? undefined : encode(startAfter),
    EncodingType: query.get("encoding-type") ?? undefined,
    MaxKeys: maxKeys,
    KeyCount: page.length,
    IsTruncated: isTruncated,
    ContinuationToken: token ?? undefined,
    NextContinuationToken: isTruncated ? Buffer.from(page.at(-1)?.name ?? "").toString("base64url") : undefined,
    Contents: contents,
    CommonPrefixes: page.filter(({ isPrefix }) => isPrefix).map(({ name }) => ({ Prefix: encode(name) })),
  });
}

interface ListEntry {
  readonly name: string;
  readonly isPrefix: boolean;
}

function rollUp(keys: readonly string[], prefix: string, delimiter: string): ListEntry[] {
  if (delimiter === "") {
    return keys.map((name) => ({ name, isPrefix: false }));
  }
  const entries = new Map<string, ListEntry>();
  for (const key of keys) {
    const end = key.indexOf(delimiter, prefix.length);
    const isPrefix = end >= 0;
    const name = isPrefix ? key.slice(0, end + delimiter.length) : key;
    // "a/" may be an object and a common prefix, never both: with the delimiter in it, it is a prefix.
    entries.set(name, { name, isPrefix });
  }
  return [...entries.values()];
}

async function describeAll(
  store: ObjectStore,
  bucket: string,
  keys: readonly string[],
  encode: (key: string) => string,
): Promise<XmlNode[]> {
  const contents: XmlNode[] = [];
  for (let start = 0; start < keys.length; start += openAtOnce) {
    const batch = keys.slice(start, start + openAtOnce);
    const described = await Promise.all(batch.map((key) => describe(store, { bucket, key }, encode)));
    contents.push(...described.flat());
  }
  return contents;
}

/** Returns nothing for an object that was deleted since its key was listed. */
async function describe(
  store: ObjectStore,
  address: ObjectAddress,
  encode: (key: string) => string,
): Promise<readonly XmlNode[]> {
  const object = await store.open(address).catch(ignoreMissing);
  if (object === null) {
    return [];
  }
  await object.close();
  const { etag, modifiedAt } = object.head;
  return [
    {
      Key: encode(address.key),
      LastModified: modifiedAt,
      ETag: `"${etag}"`,
      Size: object.size,
      StorageClass: "STANDARD",
    },
  ];
}

function ignoreMissing(error: unknown): null {
  if (error instanceof S3Error && error.code === "NoSuchKey") {
    return null;
  }
  throw error;
}

function parseMaxKeys(text: string | null): number {
  if (text !== null && !/^\d{1,9}$/.test(text)) {
    throw new S3Error("InvalidArgument", "max-keys must be a whole number that is not negative.");
  }
  return Math.min(Number(text ?? longestPage), longestPage);
}

function keyEncoder(encoding: string | null): (key: string) => string {
  if (encoding !== null && encoding !== "url") {
    throw new S3Error("InvalidArgument", "Invalid Encoding Method specified in Request");
  }
  return encoding === null ? (key) => key : (key) => encodeURIComponent(key).replaceAll("%2F", "/");
}

function isAfter(name: string, other: string): boolean {
  return Buffer.compare(Buffer.from(name), Buffer.from(other)) > 0;
}

function decode(token: string): string {
  return Buffer.from(token, "base64url").toString();
}
