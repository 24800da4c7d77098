import type { ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { openBody } from "./body.ts";
import { isNotModified, resolveRange, writePrecondition } from "./conditions.ts";
import { S3Error } from "./errors.ts";
import type { ObjectHead, OpenObject } from "./object-file.ts";
import type { ObjectAddress, ObjectStore } from "./object-store.ts";
import { rawBody, type S3Request, sendEmpty, sendXml } from "./request.ts";

type Headers = Readonly<Record<string, string>>;

const keptHeaders = ["cache-control", "content-disposition", "content-language", "content-type", "expires"];

/** PutObject, or CopyObject when x-amz-copy-source is there: creates or replaces an object in one step. */
export async function putObject(store: ObjectStore, request: S3Request, response: ServerResponse): Promise<void> {
  const source = request.headers["x-amz-copy-source"];
  if (source !== undefined) {
    await copyObject(store, request, response, source);
    return;
  }
  requireLength(request);
  const body = openBody(rawBody(request.message), request.headers, request.payloadHash);
  const attributes = pickAttributes(request.headers);
  const head = await store.put(
    request,
    body.chunks,
    () => {
      const { md5, checksums } = body.digests();
      return { ...attributes, etag: md5, checksums, modifiedAt: new Date().toISOString() };
    },
    writePrecondition(request.headers),
  );
  sendEmpty(response, 200, { etag: `"${head.etag}"`, ...checksumHeaders(head.checksums) });
}

/** GetObject and HeadObject: the object or a range of it, 304 or 412 by the conditional headers, or NoSuchKey. */
export async function getObject(store: ObjectStore, request: S3Request, response: ServerResponse): Promise<void> {
  const object = await store.open(request);
  try {
    await sendObject(object, request, response);
  } finally {
    await object.close();
  }
}

/** DeleteObject: 204 whether there was an object or not. */
export async function deleteObject(store: ObjectStore, request: S3Request, response: ServerResponse): Promise<void> {
  if (request.headers["if-match"] !== undefined) {
    throw new S3Error("NotImplemented", "Conditional deletes are not implemented.");
  }
  await store.remove(request);
  sendEmpty(response, 204);
}

/** Throws MissingContentLength for a body of unknown length, as S3 does. */
function requireLength({ headers }: Pick<S3Request, "headers">): void {
  if (headers["content-length"] === undefined && headers["x-amz-decoded-content-length"] === undefined) {
    throw new S3Error("MissingContentLength");
  }
}

/** Picks what an object keeps of the headers it was sent with: content headers and user metadata. */
export function pickAttributes(headers: Headers): Pick<ObjectHead, "headers" | "metadata"> {
  const kept: Record<string, string> = { "content-type": "binary/octet-stream" };
  for (const name of keptHeaders) {
    const value = headers[name];
    if (value !== undefined && value !== "") {
      kept[name] = value;
    }
  }
  const encodings = (headers["content-encoding"] ?? "").split(",").map((encoding) => encoding.trim());
  const encoding = encodings.filter((name) => name !== "" && name !== "aws-chunked").join(",");
  if (encoding !== "") {
    kept["content-encoding"] = encoding;
  }
  const metadata = Object.entries(headers).filter(([name]) => name.startsWith("x-amz-meta-"));
  return { headers: kept, metadata: Object.fromEntries(metadata) };
}

/** Returns the response headers for an object's checksums. */
function checksumHeaders(checksums: ObjectHead["checksums"]): Record<string, string> {
  return Object.fromEntries(Object.entries(checksums).map(([name, value]) => [`x-amz-checksum-${name}`, value]));
}

async function copyObject(
  store: ObjectStore,
  request: S3Request,
  response: ServerResponse,
  source: string,
): Promise<void> {
  const address = parseCopySource(source);
  const directive = request.headers["x-amz-metadata-directive"] ?? "COPY";
  if (directive !== "COPY" && directive !== "REPLACE") {
    throw new S3Error("InvalidArgument", "Unknown metadata directive.");
  }
  if (directive === "COPY" && address.bucket === request.bucket && address.key === request.key) {
    throw new S3Error("InvalidRequest", "An object can be copied onto itself only with new metadata.");
  }
  const object = await store.open(address);
  try {
    const attributes = directive === "COPY" ? object.head : pickAttributes(request.headers);
    const body = openBody(object.read(), {}, "UNSIGNED-PAYLOAD");
    const head = await store.put(
      request,
      body.chunks,
      () => ({
        headers: attributes.headers,
        metadata: attributes.metadata,
        checksums: object.head.checksums,
        etag: body.digests().md5,
        modifiedAt: new Date().toISOString(),
      }),
      writePrecondition(request.headers),
    );
    sendXml(response, 200, "CopyObjectResult", { LastModified: head.modifiedAt, ETag: `"${head.etag}"` });
  } finally {
    await object.close();
  }
}

function parseCopySource(source: string): ObjectAddress {
  const [path = "", ...query] = source.split("?");
  if (query.length > 0) {
    throw new S3Error("NotImplemented", "Versions are not implemented.");
  }
  const [bucket = "", ...key] = decodeSource(path).replace(/^\//, "").split("/");
  return { bucket, key: key.join("/") };
}

function decodeSource(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw new S3Error("InvalidArgument", "The copy source must be URL-encoded.");
  }
}

async function sendObject(object: OpenObject, request: S3Request, response: ServerResponse): Promise<void> {
  const { head, size } = object;
  const headers: Record<string, string | number> = {
    ...head.headers,
    ...head.metadata,
    ...responseOverrides(request),
    etag: `"${head.etag}"`,
    "last-modified": new Date(head.modifiedAt).toUTCString(),
    "accept-ranges": "bytes",
    "x-content-type-options": "nosniff",
  };
  if (isNotModified(request.headers, head)) {
    response.writeHead(304, headers);
    response.end();
    return;
  }
  const range = resolveRange(request.headers.range, size);
  if (range === null && request.headers["x-amz-checksum-mode"] === "ENABLED") {
    Object.assign(headers, checksumHeaders(head.checksums));
  }
  const { start, end } = range ?? { start: 0, end: size - 1 };
  headers["content-length"] = end - start + 1;
  if (range !== null) {
    headers["content-range"] = `bytes ${start}-${end}/${size}`;
  }
  response.writeHead(range === null ? 200 : 206, headers);
  if (request.message.method === "HEAD") {
    response.end();
    return;
  }
  await pipeline(object.read(start, end), response);
}

function responseOverrides(request: S3Request): Record<string, string> {
  const overrides = [...request.query].filter(([name]) => name.startsWith("response-"));
  if (overrides.length > 0 && request.anonymous) {
    throw new S3Error("InvalidRequest", "Request specific response headers cannot be used for anonymous requests.");
  }
  if (overrides.some(([, value]) => !/^[\t\x20-\x7e\xa0-\xff]*$/.test(value))) {
    throw new S3Error("InvalidArgument", "Header value cannot be represented using ISO-8859-1.");
  }
  return Object.fromEntries(overrides.map(([name, value]) => [name.slice("response-".length), value]));
}
