import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type PutObjectCommandInput,
  S3Client,
  type S3ClientConfig,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll } from "vitest";
import { createS3Server } from "../../dev/s3/server.ts";

export const bucket = "app";
export const credentials = { accessKeyId: "access-key", secretAccessKey: "secret-key" };
export const megabyte = 1024 * 1024;
export const photo = randomBytes(200_000);

/** An S3 server under test, for one test file alone, with clients and shorthands for its bucket. */
export function useS3Server() {
  const s3 = {
    directory: "",
    endpoint: "",
    /** As the store uses S3: checksums only where S3 demands them. */
    client: undefined as unknown as S3Client,
    /** As the SDK is out of the box: CRC32 in a trailer of an aws-chunked body. */
    checking: undefined as unknown as S3Client,
  };
  let server: Server;
  const clients: S3Client[] = [];

  beforeAll(async () => {
    s3.directory = await mkdtemp(join(tmpdir(), "s3-"));
    server = await listen(s3.directory);
    s3.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    s3.client = newClient({ requestChecksumCalculation: "WHEN_REQUIRED", responseChecksumValidation: "WHEN_REQUIRED" });
    s3.checking = newClient();
  });

  afterAll(async () => {
    for (const one of clients) {
      one.destroy();
    }
    await close(server);
    await rm(s3.directory, { recursive: true });
  });

  function newClient(config: S3ClientConfig = {}): S3Client {
    const made = new S3Client({
      endpoint: s3.endpoint,
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
    s3.client.send(new PutObjectCommand({ Bucket: bucket, Key, Body, ...more }));

  const head = (Key: string, from = s3.client) => from.send(new HeadObjectCommand({ Bucket: bucket, Key }));

  async function get(Key: string, more: { Range?: string } = {}, from = s3.client): Promise<Buffer> {
    const { Body } = await from.send(new GetObjectCommand({ Bucket: bucket, Key, ...more }));
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  }

  async function keys(Prefix: string): Promise<(string | undefined)[]> {
    const { Contents = [] } = await s3.client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix }));
    return Contents.map(({ Key }) => Key);
  }

  const anonymous = (path: string, init: RequestInit = {}) => fetch(`${s3.endpoint}/${bucket}/${path}`, init);

  return Object.assign(s3, { newClient, put, head, get, keys, anonymous });
}

export async function listen(folder: string): Promise<Server> {
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

export async function close(running: Server): Promise<void> {
  running.close();
  running.closeAllConnections();
  await once(running, "close");
}

/** Makes a client send another body than the one it signs. */
export function swapBody(swapping: S3Client, body: Buffer): void {
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
export const refusal = (name: string, httpStatusCode: number) => ({ name, $metadata: { httpStatusCode } });

export const codeOf = async (response: Response) => /<Code>(.*)<\/Code>/.exec(await response.text())?.[1];
