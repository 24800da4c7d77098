import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { S3Error } from "./errors.ts";
import { type ObjectStore, openObjectStore } from "./object-store.ts";
import { postObject } from "./post-policy.ts";
import { parseTarget, type S3Request, sendEmpty, type Target } from "./request.ts";
import { findRoute, refuseUnknownHeaders } from "./routes.ts";
import { authenticate, type Credentials, hoistedHeaders } from "./signature.ts";
import { renderErrorXml } from "./xml.ts";

/** What a server stores where, and whom it admits. */
export interface S3ServerOptions {
  readonly directory: string;
  readonly credentials: Credentials;
  /** Made at start if they do not exist. */
  readonly buckets: readonly string[];
  /** Where single objects are public, as "bucket/prefix/". */
  readonly publicPrefixes: readonly string[];
}

/**
 * Creates an S3-compatible server (path-style, SigV4) over a directory, not yet listening; throws when the directory
 * cannot be made. What it does not implement it answers with 501.
 */
export function createS3Server(options: S3ServerOptions): Server {
  const store = openObjectStore(options.directory, options.buckets);
  return createServer((message, response) => {
    response.setHeader("x-amz-request-id", randomBytes(8).toString("hex"));
    answer(store, options, message, response).catch((error: unknown) => refuse(error, message, response));
  });
}

async function answer(
  store: ObjectStore,
  options: S3ServerOptions,
  message: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  allowOtherOrigins(message, response);
  if (message.method === "OPTIONS") {
    answerPreflight(message, response);
    return;
  }
  const target = parseTarget(message.url ?? "/");
  if (isFormUpload(message, target)) {
    await postObject(store, options.credentials, target.bucket, message, response);
    return;
  }
  const headers = plainHeaders(message);
  const signed = { method: message.method ?? "GET", path: target.path, query: target.query, headers };
  const authentication = authenticate(signed, options.credentials, Date.now());
  if (authentication === null && !isBelow(options.publicPrefixes, target)) {
    throw new S3Error("AccessDenied");
  }
  const route = findRoute(signed.method, target);
  if (authentication === null && !route.public) {
    throw new S3Error("AccessDenied");
  }
  const request: S3Request = {
    message,
    bucket: target.bucket,
    key: target.key,
    query: target.query,
    headers: authentication === null ? headers : { ...hoistedHeaders(target.query), ...headers },
    anonymous: authentication === null,
    payloadHash: authentication?.payloadHash ?? "UNSIGNED-PAYLOAD",
  };
  refuseUnknownHeaders(request.headers);
  await route.run(store, request, response);
}

function isBelow(prefixes: readonly string[], { bucket, key }: Target): boolean {
  return prefixes.some((prefix) => `${bucket}/${key}`.startsWith(prefix));
}

function isFormUpload(message: IncomingMessage, { bucket, key }: Target): boolean {
  const contentType = message.headers["content-type"] ?? "";
  return message.method === "POST" && bucket !== "" && key === "" && /^multipart\/form-data/i.test(contentType);
}

function plainHeaders(message: IncomingMessage): Record<string, string> {
  const headers = Object.entries(message.headers).map(([name, value]) => [name, [value ?? ""].flat().join(",")]);
  return Object.fromEntries(headers);
}

function allowOtherOrigins(message: IncomingMessage, response: ServerResponse): void {
  if (message.headers.origin !== undefined) {
    response.setHeader("access-control-allow-origin", "*");
    response.setHeader(
      "access-control-expose-headers",
      "ETag, Content-Length, Content-Range, Content-Disposition, x-amz-request-id",
    );
  }
}

function answerPreflight(message: IncomingMessage, response: ServerResponse): void {
  if (message.headers.origin === undefined) {
    throw new S3Error("AccessDenied", "CORSResponse: this request has no Origin.");
  }
  sendEmpty(response, 200, {
    "access-control-allow-methods": "GET, HEAD, PUT, POST, DELETE",
    "access-control-allow-headers": message.headers["access-control-request-headers"] ?? "*",
    "access-control-max-age": "3000",
  });
}

function refuse(error: unknown, message: IncomingMessage, response: ServerResponse): void {
  // An answer under way cannot be taken back, and a client that has left wants none.
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  if (!(error instanceof S3Error)) {
    console.error(error);
  }
  const { code, status, message: text, headers } = error instanceof S3Error ? error : new S3Error("InternalError");
  const xml = renderErrorXml({
    Code: code,
    Message: text,
    Resource: message.url ?? "",
    RequestId: String(response.getHeader("x-amz-request-id")),
  });
  // What is left of the body must be read, or the client never gets to reading the answer.
  message.resume();
  response.writeHead(status, { ...headers, "content-type": "application/xml" });
  response.end(message.method === "HEAD" ? undefined : xml);
}
