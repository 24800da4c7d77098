import type { IncomingMessage, ServerResponse } from "node:http";
import { S3Error } from "./errors.ts";
import { renderXml, type XmlNode } from "./xml.ts";

/** A request after its signature has been checked. */
export interface S3Request {
  readonly message: IncomingMessage;
  readonly bucket: string;
  readonly key: string;
  readonly query: URLSearchParams;
  /** In lower case; a presigned URL's query counts as headers where S3 says so. */
  readonly headers: Readonly<Record<string, string>>;
  readonly anonymous: boolean;
  /** Word or hash by which the signature covers the body. */
  readonly payloadHash: string;
}

/** Where a request points to: path-style, "/bucket/key". */
export interface Target {
  readonly path: string;
  readonly bucket: string;
  readonly key: string;
  readonly query: URLSearchParams;
}

const longestKeyBytes = 1024;

/** Splits a request's URL without normalising it, as ".." is a valid part of a key; throws InvalidURI. */
export function parseTarget(url: string): Target {
  const [path = "", ...query] = url.split("?");
  const [, bucket = "", ...rest] = path.split("/");
  try {
    return {
      path,
      bucket: decodeURIComponent(bucket),
      key: checkKey(decodeURIComponent(rest.join("/"))),
      query: new URLSearchParams(query.join("?")),
    };
  } catch (error) {
    throw error instanceof URIError ? new S3Error("InvalidURI") : error;
  }
}

/** Returns the key, or throws KeyTooLongError. */
export function checkKey(key: string): string {
  if (Buffer.byteLength(key) > longestKeyBytes) {
    throw new S3Error("KeyTooLongError");
  }
  return key;
}

/** Yields the raw body; leaving it early keeps the connection, so that an error can still be answered. */
export function rawBody(message: IncomingMessage): AsyncIterable<Buffer> {
  return message.iterator({ destroyOnReturn: false });
}

/** Answers without a body. */
export function sendEmpty(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, headers);
  response.end();
}

/** Answers with an XML document. */
export function sendXml(response: ServerResponse, status: number, root: string, content: XmlNode): void {
  const xml = renderXml(root, content);
  response.writeHead(status, { "content-type": "application/xml", "content-length": Buffer.byteLength(xml) });
  response.end(xml);
}
