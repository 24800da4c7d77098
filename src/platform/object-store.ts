import { PassThrough, pipeline, type Readable } from "node:stream";
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type PutObjectCommandInput,
  S3Client,
  S3ServiceException,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { isNetworkError, TooManyRequestsError, UnavailableError } from "../errors.ts";
import { keptBytes, maxAttempts, sendWithReplay } from "./replay.ts";
import { tlsFault } from "./tls.ts";
import { traced } from "./tracing.ts";

export interface StoredHeaders {
  contentType: string;
  cacheControl?: string;
}

/** What this system does with S3. Every call throws `UnavailableError` when S3 is unavailable or overloaded. */
export interface ObjectStore {
  /**
   * Stores an object in one piece; a stream has to be exactly `length` bytes. When the connection breaks, it is sent
   * again up to twice: of a stream, while no more than its first chunk and 128 KB were read.
   */
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
  /** Where a request names the bucket: in its path, also when absent, or in the host. */
  addressing?: "path" | "virtual";
  /** First part of the key of every object, which the keys here do not have; it ends in a slash. */
  keyPrefix?: string;
  bucket: string;
  accessKeyId: string;
  secretAccessKey: string;
  /** Where browsers read the bucket, without the prefix. */
  publicUrl: string;
  /** Maximum number of connections; 200 when absent. */
  sockets?: number;
}

/** An object store on one bucket of an S3-compatible server. */
export function createObjectStore(options: S3Options): ObjectStore & { close(): void } {
  const { bucket: Bucket, addressing = "path", keyPrefix = "" } = options;
  const maxSockets = options.sockets ?? defaultSockets;
  const maxReaders = Math.ceil(maxSockets * readersShare);
  const maxOfClient = Math.ceil(maxReaders * clientShare);
  let readers = 0;
  const readersOf = new Map<string, number>();
  const account = {
    region: options.region,
    credentials: { accessKeyId: options.accessKeyId, secretAccessKey: options.secretAccessKey },
    forcePathStyle: addressing === "path",
  };
  const keyOf = (key: string) => `${keyPrefix}${key}`;
  const configuration = {
    ...account,
    ...(options.endpoint && { endpoint: options.endpoint }),
    // Without this, presigned URLs carry the checksum of an empty body and stream uploads are wrapped in chunks.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    // A server that does not know `Expect: 100-continue` would let every upload from 2 MB on wait for a minute.
    expectContinueHeader: false,
    maxAttempts,
    // The SDK would write to the console; every failure reaches the caller as an error anyway.
    logger: { debug: ignore, info: ignore, warn: ignore, error: ignore },
    requestHandler: {
      // Without this the SDK only logs that it has waited too long.
      throwOnRequestTimeout: true,
      connectionTimeout: 2_000,
      requestTimeout: answerMs,
    },
  } as const;
  const clientOn = (agent: object) =>
    new S3Client({
      ...configuration,
      requestHandler: { ...configuration.requestHandler, httpAgent: agent, httpsAgent: agent },
    });
  const client = clientOn({ maxSockets });
  // The server may close a kept connection at any moment, and what was read of a large stream cannot be sent again.
  const freshClient = clientOn({ maxSockets, keepAlive: false });
  // A signature covers the host, and clients outside may know the server under another name.
  const reachable = serverOf(options) ?? options.endpoint;
  const signer = new S3Client({ ...account, ...(reachable && { endpoint: reachable }) });
  const sendBy = (by: S3Client): S3Client["send"] =>
    (async (command: object, sendOptions: never) => {
      const operation = command.constructor.name.replace("Command", "");
      return traced(`S3 ${operation}`, { kind: "client", attributes: { "rpc.method": operation } }, async () => {
        try {
          return await by.send(command as never, sendOptions);
        } catch (error) {
          throw translate(error);
        }
      });
    }) as never;
  const send = sendBy(client);
  const within = (signal?: AbortSignal) => (signal ? { abortSignal: signal } : {});

  const putStream = (stream: Readable, object: Omit<PutObjectCommandInput, "Body">, signal?: AbortSignal) => {
    const sendStream = (object.ContentLength ?? Number.POSITIVE_INFINITY) <= keptBytes ? send : sendBy(freshClient);
    return sendWithReplay(stream, { isBroken, signal }, async (Body, abortSignal) => {
      await sendStream(new PutObjectCommand({ ...object, Body }), { abortSignal, requestTimeout: streamMs });
    });
  };

  return {
    async put(key, body, { contentType, cacheControl }, { length, signal } = {}) {
      const headers = { ContentType: contentType, ...(cacheControl && { CacheControl: cacheControl }) };
      const object = { Bucket, Key: keyOf(key), ...headers };
      if (Buffer.isBuffer(body)) await send(new PutObjectCommand({ ...object, Body: body }), within(signal));
      else await putStream(body, { ...object, ...(length !== undefined && { ContentLength: length }) }, signal);
    },
    async get(key, { length, signal } = {}) {
      const Range = length === undefined ? undefined : `bytes=0-${length - 1}`;
      const command = new GetObjectCommand({ Bucket, Key: keyOf(key), ...(Range && { Range }) });
      const { Body } = await send(command, within(signal));
      if (!Body) throw new MissingObjectError(`S3 returned no body for '${key}'`);
      try {
        return Buffer.from(await Body.transformToByteArray());
      } catch (error) {
        throw translate(error);
      }
    },
    async read(key, { signal, isPublic = false, client: reader } = {}) {
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
        const { Body } = await send(new GetObjectCommand({ Bucket, Key: keyOf(key) }), within(signal));
        if (!Body) throw new MissingObjectError(`S3 returned no body for '${key}'`);
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
    async copy(from, to, { contentType, cacheControl }, { signal } = {}) {
      const objects = { Bucket, Key: keyOf(to), CopySource: encodeURI(`${Bucket}/${keyOf(from)}`) };
      const headers = { ContentType: contentType, ...(cacheControl && { CacheControl: cacheControl }) };
      await send(new CopyObjectCommand({ ...objects, MetadataDirective: "REPLACE", ...headers }), within(signal));
    },
    async remove(key) {
      await send(new DeleteObjectCommand({ Bucket, Key: keyOf(key) }));
    },
    async *list(prefix, { signal } = {}) {
      const Prefix = keyOf(prefix);
      let ContinuationToken: string | undefined;
      do {
        const command = new ListObjectsV2Command({ Bucket, Prefix, ...(ContinuationToken && { ContinuationToken }) });
        const { Contents = [], NextContinuationToken } = await send(command, within(signal));
        yield Contents.map(({ Key = "", LastModified = new Date() }) => ({
          key: Key.slice(keyPrefix.length),
          modifiedAt: LastModified,
        }));
        ContinuationToken = NextContinuationToken;
      } while (ContinuationToken);
    },
    async ping(signal) {
      await send(new HeadBucketCommand({ Bucket }), within(signal));
    },
    publicUrl: (key) => `${options.publicUrl}/${keyOf(key)}`,
    signedUrl: (key, { disposition, seconds }) => {
      const command = new GetObjectCommand({ Bucket, Key: keyOf(key), ResponseContentDisposition: disposition });
      return getSignedUrl(signer, command, { expiresIn: seconds });
    },
    close() {
      client.destroy();
      freshClient.destroy();
      signer.destroy();
    },
  };
}

/** The server that serves the bucket at its public address; undefined when that is another program, such as a CDN. */
function serverOf({ publicUrl, bucket, addressing = "path" }: S3Options): string | undefined {
  if (addressing === "path")
    return publicUrl.endsWith(`/${bucket}`) ? publicUrl.slice(0, -bucket.length - 1) : undefined;
  const [, protocol, host] = /^(https?:\/\/)([^/]+)$/.exec(publicUrl) ?? [];
  return host?.startsWith(`${bucket}.`) ? `${protocol}${host.slice(bucket.length + 1)}` : undefined;
}

/** True when the connection failed: the server may not have read anything. */
const isBroken = (error: unknown) => error instanceof UnavailableError && isNetworkError(error.cause);

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
