import { S3Error } from "./errors.ts";
import type { ObjectHead } from "./object-file.ts";
import type { Precondition } from "./object-store.ts";

type Headers = Readonly<Record<string, string>>;

/**
 * Decides whether a reader who sent these conditional headers already has this object, which is a 304; throws
 * PreconditionFailed when If-Match or If-Unmodified-Since does not hold.
 */
export function isNotModified(headers: Headers, head: ObjectHead): boolean {
  const ifMatch = headers["if-match"];
  const ifNoneMatch = headers["if-none-match"];
  const holds = ifMatch === undefined ? isUnmodifiedSince(headers, head) : matches(ifMatch, head.etag);
  if (!holds) {
    throw new S3Error("PreconditionFailed");
  }
  return ifNoneMatch === undefined ? isOlderThanCopy(headers, head) : matches(ifNoneMatch, head.etag);
}

/** Turns If-Match and If-None-Match of a write into a precondition; throws NotImplemented for what S3 does not know. */
export function writePrecondition(headers: Headers): Precondition | undefined {
  const ifMatch = headers["if-match"];
  const ifNoneMatch = headers["if-none-match"];
  if (ifMatch === undefined && ifNoneMatch === undefined) {
    return undefined;
  }
  if (ifNoneMatch !== undefined && ifNoneMatch !== "*") {
    throw new S3Error("NotImplemented", "If-None-Match of a write can only be *.");
  }
  return (present) => {
    if (ifMatch !== undefined && present === null) {
      throw new S3Error("NoSuchKey");
    }
    const holds = present === null || (ifNoneMatch === undefined && matches(ifMatch ?? "*", present.etag));
    if (!holds) {
      throw new S3Error("PreconditionFailed");
    }
  };
}

/**
 * Resolves a Range header to the first and last byte, both included; returns null for none, for several ranges and
 * for nonsense, all of which S3 answers with the whole object. Throws InvalidRange when it lies behind the end.
 */
export function resolveRange(range: string | undefined, size: number): { start: number; end: number } | null {
  const match = /^bytes=(\d*)-(\d*)$/.exec(range ?? "");
  const [, first = "", last = ""] = match ?? [];
  if (first === "" && last === "") {
    return null;
  }
  const isSuffix = first === "";
  const start = isSuffix ? Math.max(0, size - Number(last)) : Number(first);
  const end = isSuffix || last === "" ? size - 1 : Math.min(Number(last), size - 1);
  if (!isSuffix && last !== "" && Number(last) < start) {
    return null;
  }
  if (start >= size) {
    throw new S3Error("InvalidRange", undefined, { "content-range": `bytes */${size}` });
  }
  return { start, end };
}

function matches(list: string, etag: string): boolean {
  return list
    .split(",")
    .map((item) => item.trim().replace(/^W\//, "").replaceAll('"', ""))
    .some((item) => item === "*" || item === etag);
}

function isUnmodifiedSince(headers: Headers, head: ObjectHead): boolean {
  const since = Date.parse(headers["if-unmodified-since"] ?? "");
  return Number.isNaN(since) || wholeSeconds(head) <= since;
}

function isOlderThanCopy(headers: Headers, head: ObjectHead): boolean {
  const since = Date.parse(headers["if-modified-since"] ?? "");
  return !Number.isNaN(since) && wholeSeconds(head) <= since;
}

function wholeSeconds(head: ObjectHead): number {
  return Math.floor(Date.parse(head.modifiedAt) / 1000) * 1000;
}
