import { createHash, randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import { openBody, readText } from "./body.ts";
import { writePrecondition } from "./conditions.ts";
import { isMissingFile, S3Error } from "./errors.ts";
import { type ObjectHead, type OpenObject, openObjectFile, writeObjectFile } from "./object-file.ts";
import { checksumHeaders, pickAttributes, requireLength } from "./object-operations.ts";
import type { ObjectStore } from "./object-store.ts";
import { rawBody, type S3Request, sendEmpty, sendXml } from "./request.ts";
import { xmlElements, xmlText } from "./xml.ts";

interface Upload extends Pick<ObjectHead, "headers" | "metadata"> {
  readonly key: string;
}

interface Part {
  readonly path: string;
  readonly size: number;
  readonly etag: string;
}

const smallestPart = 5 * 1024 * 1024;
const mostParts = 10_000;
const partListLimit = 2 * 1024 * 1024;

/** CreateMultipartUpload: remembers, on disk, what the object will be called and which headers it will have. */
export async function createMultipartUpload(
  store: ObjectStore,
  request: S3Request,
  response: ServerResponse,
): Promise<void> {
  await store.requireBucket(request.bucket);
  const uploadId = randomUUID();
  const directory = join(store.uploadsDirectory(request.bucket), uploadId);
  const upload: Upload = { key: request.key, ...pickAttributes(request.headers) };
  await mkdir(directory);
  await writeFile(join(directory, "upload.json"), JSON.stringify(upload));
  sendXml(response, 200, "InitiateMultipartUploadResult", {
    Bucket: request.bucket,
    Key: request.key,
    UploadId: uploadId,
  });
}

/** UploadPart: stores a part, replacing one of the same number. Throws NoSuchUpload or InvalidArgument. */
export async function uploadPart(store: ObjectStore, request: S3Request, response: ServerResponse): Promise<void> {
  if (request.headers["x-amz-copy-source"] !== undefined) {
    throw new S3Error("NotImplemented", "UploadPartCopy is not implemented.");
  }
  requireLength(request);
  const { directory } = await openUpload(store, request);
  const path = partPath(directory, request.query.get("partNumber") ?? "");
  const body = openBody(rawBody(request.message), request.headers, request.payloadHash);
  const written = store.temporaryFile(request.bucket);
  const head = await writeObjectFile(written, body.chunks, () => {
    const { md5, checksums } = body.digests();
    return { etag: md5, checksums, headers: {}, metadata: {}, modifiedAt: new Date().toISOString() };
  });
  try {
    await rename(written, path);
  } catch (error) {
    await rm(written, { force: true });
    throw isMissingFile(error) ? new S3Error("NoSuchUpload") : error;
  }
  sendEmpty(response, 200, { etag: `"${head.etag}"`, ...checksumHeaders(head.checksums) });
}

/**
 * CompleteMultipartUpload: joins the listed parts into the object and forgets the upload. Throws NoSuchUpload,
 * MalformedXML, InvalidPart, InvalidPartOrder or EntityTooSmall, and then the upload stays open.
 */
export async function completeMultipartUpload(
  store: ObjectStore,
  request: S3Request,
  response: ServerResponse,
): Promise<void> {
  const { directory, upload } = await openUpload(store, request);
  const body = openBody(rawBody(request.message), request.headers, request.payloadHash);
  const parts = await findParts(directory, await readText(body, partListLimit));
  const head = await store.put(
    request,
    joinParts(parts),
    () => ({
      headers: upload.headers,
      metadata: upload.metadata,
      checksums: {},
      etag: multipartEtag(parts),
      modifiedAt: new Date().toISOString(),
    }),
    writePrecondition(request.headers),
  );
  await rm(directory, { recursive: true, force: true });
  sendXml(response, 200, "CompleteMultipartUploadResult", {
    Location: `/${request.bucket}/${encodeURIComponent(request.key)}`,
    Bucket: request.bucket,
    Key: request.key,
    ETag: `"${head.etag}"`,
  });
}

/** AbortMultipartUpload: forgets the upload and its parts. Throws NoSuchUpload. */
export async function abortMultipartUpload(
  store: ObjectStore,
  request: S3Request,
  response: ServerResponse,
): Promise<void> {
  const { directory } = await openUpload(store, request);
  await rm(directory, { recursive: true, force: true });
  sendEmpty(response, 204);
}

async function openUpload(store: ObjectStore, request: S3Request): Promise<{ directory: string; upload: Upload }> {
  await store.requireBucket(request.bucket);
  const uploadId = request.query.get("uploadId") ?? "";
  if (!/^[0-9a-f-]{36}$/.test(uploadId)) {
    throw new S3Error("NoSuchUpload");
  }
  const directory = join(store.uploadsDirectory(request.bucket), uploadId);
  try {
    const upload: Upload = JSON.parse(await readFile(join(directory, "upload.json"), "utf8"));
    if (upload.key === request.key) {
      return { directory, upload };
    }
  } catch (error) {
    if (!isMissingFile(error)) {
      throw error;
    }
  }
  throw new S3Error("NoSuchUpload");
}

function partPath(directory: string, partNumber: string): string {
  if (!/^[1-9]\d{0,4}$/.test(partNumber) || Number(partNumber) > mostParts) {
    throw new S3Error("InvalidArgument", `Part number must be an integer between 1 and ${mostParts}, inclusive.`);
  }
  return join(directory, partNumber);
}

async function findParts(directory: string, xml: string): Promise<Part[]> {
  const wanted = xmlElements(xml, "Part").map((part) => ({
    number: xmlText(part, "PartNumber"),
    etag: xmlText(part, "ETag").replaceAll('"', ""),
  }));
  if (wanted.length === 0) {
    throw new S3Error("MalformedXML");
  }
  const parts: Part[] = [];
  let previous = 0;
  for (const { number, etag } of wanted) {
    if (Number(number) <= previous) {
      throw new S3Error("InvalidPartOrder");
    }
    previous = Number(number);
    parts.push(await findPart(partPath(directory, number), etag));
  }
  if (parts.slice(0, -1).some(({ size }) => size < smallestPart)) {
    throw new S3Error("EntityTooSmall");
  }
  return parts;
}

async function findPart(path: string, etag: string): Promise<Part> {
  const part = await openPart(path);
  await part.close();
  if (part.head.etag !== etag) {
    throw new S3Error("InvalidPart");
  }
  return { path, size: part.size, etag };
}

async function openPart(path: string): Promise<OpenObject> {
  const part = await openObjectFile(path);
  if (part === null) {
    throw new S3Error("InvalidPart");
  }
  return part;
}

async function* joinParts(parts: readonly Part[]): AsyncGenerator<Buffer, void> {
  for (const { path } of parts) {
    const part = await openPart(path);
    try {
      yield* part.read();
    } finally {
      await part.close();
    }
  }
}

function multipartEtag(parts: readonly Part[]): string {
  const digests = Buffer.concat(parts.map(({ etag }) => Buffer.from(etag, "hex")));
  return `${createHash("md5").update(digests).digest("hex")}-${parts.length}`;
}
