import { PassThrough, pipeline, type Readable } from "node:stream";
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { isNetworkError, TooManyRequestsError, UnavailableError } from "../errors.ts";
import { tlsFault } from "./tls.ts";
import { traced } from "./tracing.ts";

export interface StoredHeaders {
  contentType: string;
  cacheControl?: string;
}

/** What this system does with S3. Every call throws `UnavailableError` when S3 is unavailable or overloaded. */
export interface ObjectStore {
  /** Stores an object in one piece; a stream has to be exactly `length` bytes and is not retried. */
  put(key: string, body: Buffer | Readable, headers: StoredHeaders, options?: PutOptions): Promise<void>;
  /** The first `length` bytes of an object (all of it without); throws `MissingObjectError` when there is none. */
  get(key: string, options?: { length?: number; signal?: AbortSignal }): Promise<Buffer>;
  /**
   * An object in pieces as they arrive, for a client to read at its own speed; throws `MissingObjectError` when there
   * is none, `UnavailableError` when too many are being read, and `TooManyRequestsError` when its client reads too many. It holds a connection until it ends or is destroyed.
   */
  read(key: string, options?: ReadOptions): Promise<Readable>;
  /** Copies an object within the bucket, under new headers. */
  copy(from: string, to: string, headers: StoredHeaders, options?: { signal?: AbortSignal }): Promise<void>;
  /** Removes an object; does nothing when there is none. */
  remove(key: string): Promise<void>;
  /** The objects whose keys begin with `prefix`, in pages of at most 1,000, in the order of their keys. */
  list(prefix: string, options?: { signal?: AbortSignal }): AsyncIterable<StoredObject[]>;
  /** Resolves when the bucket can be reached. */
  ping(signal: AbortSignal): Promise<void>;
  /** The public address of `key`, if the bucket's policy makes it public. */
  publicUrl(key: string): string;
  /** An address that reads `key` for this long without a login, with this Content-Disposition. */
  signedUrl(key: string, options: { disposition: string; seconds: number }): Promise<string>;
}

export interface StoredObject {
  key: string;
  modifiedAt: Date;
}

interface ReadOptions {
  signal?: AbortSignal;
  /** For callers without a login, who share half of the concurrent reads. */
  isPublic?: boolean;
  /** Who reads; the files that one client reads at once are a quarter of the concurrent reads at most. */
  client?: string | undefined;
}

interface PutOptions {
  length?: number;
  signal?: AbortSignal;
}

export class MissingObjectError extends Error {
  override readonly name = "MissingObjectError";
}

/** Three attempts fit well into the time limit of a job. */
const answerMs = 5_000;
/** A streamed upload is as slow as its client; the request around it ends after a minute. */
const streamMs = 60_000;
const defaultSockets = 200;
/** The part of the connections that clients who read slowly may hold; uploads, probes and the rest find the others. */
const readersShare = 1 / 4;
/** The part of those that one client may hold. */
const clientShare = 1 / 4;
const retrySeconds = 5;

export interface S3Options {
  /** Absent: Amazon's own of the region. */
  endpoint?: string | undefined;
  region: string;
  bucket: string;
  accessKeyId: string;
  secretAccessKey: string;
  publicUrl: string;
  /** Maximum number of connections; 200 when absent. */
  sockets?: number;
}

/** An object store on one bucket of an S3-compatible server. */
export function createObjectStore(options: S3Options): ObjectStore & { close(): void } {
  const Bucket = options.bucket;
  const maxSockets = options.sockets ?? defaultSockets;
  const maxReaders = Math.ceil(maxSockets * readersShare);
  const maxOfClient = Math.ceil(maxReaders * clientShare);
  let readers = 0;
  const readersOf = new Map<string, number>();
  const account = {
    region: options.region,
    credentials: { accessKeyId: options.accessKeyId, secretAccessKey: options.secretAccessKey },
    forcePathStyle: true,
  };
  const client = new S3Client({
    ...account,
    ...(options.endpoint && { endpoint: options.endpoint }),
    // Without this, presigned URLs carry the checksum of an empty body and stream uploads are wrapped in chunks.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    maxAttempts: 3,
    // The SDK would write to the console; every failure reaches the caller as an error anyway.
    logger: { debug: ignore, info: ignore, warn: ignore, error: ignore },
    requestHandler: {
      // Without this the SDK only logs that it has waited too long.
      throwOnRequestTimeout: true,
      connectionTimeout: 2_000,
      requestTimeout: answerMs,
      httpAgent: { maxSockets },
      httpsAgent: { maxSockets },
    },
  });
  // A signature covers the host, and clients outside may know the server under another name.
  const outside = options.publicUrl.endsWith(`/${Bucket}`) ? options.publicUrl.slice(0, -Bucket.length - 1) : undefined;
  const reachable = outside ?? options.endpoint;
  const signer = new S3Client({ ...account, ...(reachable && { endpoint: reachable }) });
  const send: S3Client["send"] = (async (command: object, sendOptions: never) => {
    const operation = command.constructor.name.replace("Command", "");
    return traced(`S3 ${operation}`, { kind: "client", attributes: { "rpc.method": operation } }, async () => {
      try {
        return await client.send(command as never, sendOptions);
      } catch (error) {
        throw translate(error);
      }
    });
  }) as never;
  const within = (signal?: AbortSignal) => (signal ? { abortSignal: signal } : {});

  return {
    async put(Key, Body, { contentType, cacheControl }, { length, signal } = {}) {
      const headers = { ContentType: contentType, ...(cacheControl && { CacheControl: cacheControl }) };
      const size = length === undefined ? {} : { ContentLength: length };
      const patience = Buffer.isBuffer(Body) ? {} : { requestTimeout: streamMs };
      await send(new PutObjectCommand({ Bucket, Key, Body, ...headers, ...size }), { ...within(signal), ...patience });
    },
    async get(Key, { length, signal } = {}) {
      const Range = length === undefined ? undefined : `bytes=0-${length - 1}`;
      const { Body } = await send(new GetObjectCommand({ Bucket, Key, ...(Range && { Range }) }), within(signal));
      if (!Body) throw new MissingObjectError(`S3 returned no body for '${Key}'`);
      try {
        return Buffer.from(await Body.transformToByteArray());
      } catch (error) {
        throw translate(error);
      }
    },
    async read(Key, { signal, isPublic = false, client: reader } = {}) {
      const own = (reader !== undefined && readersOf.get(reader)) || 0;
      if (own >= maxOfClient)
        throw new TooManyRequestsError(
          `You are reading ${own} files already; wait until one of them ends`,
          retrySeconds,
        );
      if (readers >= (isPublic ? Math.ceil(maxReaders / 2) : maxReaders))
        throw new UnavailableError("Too many files are being read at this moment; ask again in a few seconds");
      const count = (change: 1 | -1) => {
        readers += change;
        if (reader === undefined) return;
        const left = (readersOf.get(reader) ?? 0) + change;
        if (left > 0) readersOf.set(reader, left);
        else readersOf.delete(reader);
      };
      count(1);
      const leave = () => count(-1);
      try {
        const { Body } = await send(new GetObjectCommand({ Bucket, Key }), within(signal));
        if (!Body) throw new MissingObjectError(`S3 returned no body for '${Key}'`);
        const body = Body as Readable;
        // An answer of S3 that is destroyed without an error means that the server has hung up.
        const taken = new PassThrough();
        taken.on("error", ignore);
        pipeline(body, taken, leave);
        return taken;
      } catch (error) {
        leave();
        throw error;
      }
    },
    async copy(from, Key, { contentType, cacheControl }, { signal } = {}) {
      const CopySource = encodeURI(`${Bucket}/${from}`);
      const headers = { ContentType: contentType, ...(cacheControl && { CacheControl: cacheControl }) };
      const command = new CopyObjectCommand({ Bucket, Key, CopySource, MetadataDirective: "REPLACE", ...headers });
      await send(command, within(signal));
    },
    async remove(Key) {
      await send(new DeleteObjectCommand({ Bucket, Key }));
    },
    async *list(Prefix, { signal } = {}) {
      let ContinuationToken: string | undefined;
      do {
        const command = new ListObjectsV2Command({ Bucket, Prefix, ...(ContinuationToken && { ContinuationToken }) });
        const { Contents = [], NextContinuationToken } = await send(command, within(signal));
        yield Contents.map(({ Key = "", LastModified = new Date() }) => ({ key: Key, modifiedAt: LastModified }));
        ContinuationToken = NextContinuationToken;
      } while (ContinuationToken);
    },
    async ping(signal) {
      await send(new HeadBucketCommand({ Bucket }), within(signal));
    },
    publicUrl: (key) => `${options.publicUrl}/${key}`,
    signedUrl: (Key, { disposition, seconds }) =>
      getSignedUrl(signer, new GetObjectCommand({ Bucket, Key, ResponseContentDisposition: disposition }), {
        expiresIn: seconds,
      }),
    close() {
      client.destroy();
      signer.destroy();
    },
  };
}

function ignore() {}

function translate(error: unknown): unknown {
  if (!(error instanceof Error) || error.name === "AbortError") return error;
  if (error.name === "NoSuchKey" || error.name === "InvalidRange")
    return new MissingObjectError("The object is not in the bucket", { cause: error });
  const status = error instanceof S3ServiceException ? (error.$metadata.httpStatusCode ?? 0) : 0;
  const away = status >= 500 || status === 429 || isNetworkError(error) || error.name === "TimeoutError";
  const fault = tlsFault(error, "the object store");
  if (!away && !fault) return error;
  return new UnavailableError(fault ?? "The object store cannot be reached", { cause: error });
}
