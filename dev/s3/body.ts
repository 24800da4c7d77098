import { createHash, type Hash } from "node:crypto";
import { crc32 } from "node:zlib";
import { decodeChunkedBody } from "./chunked-body.ts";
import { S3Error } from "./errors.ts";

/** What is known of a body once it has been read to its end. */
export interface BodyDigests {
  readonly size: number;
  /** In hex, as an ETag has it. */
  readonly md5: string;
  /** In base64 by algorithm, for those that the sender asked for. */
  readonly checksums: Readonly<Record<string, string>>;
}

/** A body on its way in: read the chunks to their end, then ask for the digests. */
export interface Body {
  /** Throws BadDigest, XAmzContentSHA256Mismatch or IncompleteBody after the last chunk if a promise was broken. */
  readonly chunks: AsyncIterable<Buffer>;
  /** Throws an ordinary error before the last chunk has been read. */
  digests(): BodyDigests;
}

interface Digest {
  update(chunk: Buffer): void;
  base64(): string;
}

type Headers = Readonly<Record<string, string>>;

const streamingPayload = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
const checksumHeader = /^x-amz-checksum-(crc32|sha1|sha256)$/;
const digestHeader = /^(content-md5|x-amz-checksum-(crc32|sha1|sha256))$/;

/**
 * Prepares to read a body, decoding aws-chunked and holding the sender to every length, hash and checksum that the
 * headers or trailers announce; throws NotImplemented for a payload signed chunk by chunk or an unknown checksum.
 */
export function openBody(source: AsyncIterable<Buffer>, headers: Headers, payloadHash: string): Body {
  const promised = new Map(Object.entries(headers).filter(([name]) => digestHeader.test(name)));
  const trailerNames = promisedTrailers(headers);
  const trailers = new Map<string, string>();
  const decoded = isStreaming(payloadHash) ? decodeChunkedBody(source, trailers) : source;
  const md5 = createHash("md5");
  const sha256 = /^[0-9a-f]{64}$/.test(payloadHash) ? createHash("sha256") : null;
  const running = new Map([...promised.keys(), ...trailerNames].map((name) => [name, createDigest(name)]));
  let size = 0;
  let digests: BodyDigests | undefined;

  async function* readChunks(): AsyncGenerator<Buffer, void> {
    for await (const chunk of decoded) {
      size += chunk.length;
      md5.update(chunk);
      sha256?.update(chunk);
      for (const digest of running.values()) {
        digest.update(chunk);
      }
      yield chunk;
    }
    verifyLength(headers, size);
    verifyPayloadHash(sha256, payloadHash);
    const computed = new Map([...running].map(([name, digest]) => [name, digest.base64()]));
    verifyChecksums(computed, promised);
    verifyTrailers(computed, trailers, trailerNames);
    digests = { size, md5: md5.digest("hex"), checksums: pickChecksums(computed) };
  }

  return {
    chunks: readChunks(),
    digests: () => {
      if (digests === undefined) {
        throw new Error("The body has not been read to its end.");
      }
      return digests;
    },
  };
}

/** Reads a body as text; throws MaxMessageLengthExceeded when it has more bytes than the limit. */
export async function readText(body: Body, limit: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body.chunks) {
    size += chunk.length;
    if (size > limit) {
      throw new S3Error("MaxMessageLengthExceeded");
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function isStreaming(payloadHash: string): boolean {
  if (payloadHash === streamingPayload) {
    return true;
  }
  if (payloadHash.startsWith("STREAMING-")) {
    throw new S3Error("NotImplemented", "Payloads signed chunk by chunk are not implemented.");
  }
  if (payloadHash !== "UNSIGNED-PAYLOAD" && !/^[0-9a-f]{64}$/.test(payloadHash)) {
    throw new S3Error("InvalidArgument", "x-amz-content-sha256 must be UNSIGNED-PAYLOAD or a valid sha256 value.");
  }
  return false;
}

function promisedTrailers(headers: Headers): string[] {
  const names = (headers["x-amz-trailer"] ?? "")
    .toLowerCase()
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  if (names.some((name) => !checksumHeader.test(name))) {
    throw new S3Error("NotImplemented", "The only trailers implemented are CRC32, SHA1 and SHA256 checksums.");
  }
  return names;
}

function createDigest(header: string): Digest {
  const algorithm = header.replace(/^(x-amz-checksum|content)-/, "");
  return algorithm === "crc32" ? createCrc32() : fromHash(createHash(algorithm));
}

function pickChecksums(computed: ReadonlyMap<string, string>): Record<string, string> {
  const checksums = [...computed].filter(([name]) => checksumHeader.test(name));
  return Object.fromEntries(checksums.map(([name, value]) => [name.replace("x-amz-checksum-", ""), value]));
}

function fromHash(hash: Hash): Digest {
  return { update: (chunk) => hash.update(chunk), base64: () => hash.digest("base64") };
}

function createCrc32(): Digest {
  let value = 0;
  return {
    update: (chunk) => {
      value = crc32(chunk, value);
    },
    base64: () => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(value);
      return bytes.toString("base64");
    },
  };
}

function verifyLength(headers: Headers, size: number): void {
  const announced = headers["x-amz-decoded-content-length"];
  if (announced !== undefined && Number(announced) !== size) {
    throw new S3Error("IncompleteBody");
  }
}

function verifyPayloadHash(sha256: Hash | null, payloadHash: string): void {
  if (sha256 !== null && sha256.digest("hex") !== payloadHash) {
    throw new S3Error("XAmzContentSHA256Mismatch");
  }
}

function verifyChecksums(computed: ReadonlyMap<string, string>, promised: ReadonlyMap<string, string>): void {
  for (const [name, value] of promised) {
    if (computed.get(name) !== value) {
      throw new S3Error("BadDigest", `The ${name} you specified did not match what we received.`);
    }
  }
}

function verifyTrailers(
  computed: ReadonlyMap<string, string>,
  trailers: ReadonlyMap<string, string>,
  names: readonly string[],
): void {
  if (names.some((name) => !trailers.has(name))) {
    throw new S3Error("MalformedTrailerError");
  }
  verifyChecksums(computed, trailers);
}
