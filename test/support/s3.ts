import { randomUUID } from "node:crypto";
import { once } from "node:events";
import type { Server } from "node:http";
import { join } from "node:path";
import { S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, inject } from "vitest";
import { createS3Server } from "../../dev/s3/server.ts";
import { freePort } from "../../dev/services/service.ts";

const accessKey = "test-access-key";
const secretKey = "test-secret-key";

/**
 * An S3 server with one bucket for this test file alone; any client may read its `images/` and price lists.
 * `stop` and `start` make an outage: objects and address stay.
 */
export function useBucket() {
  const bucket = "test";
  const directory = join(inject("directory"), `s3-${randomUUID()}`);
  let server: Server | undefined;
  const s3 = {
    bucket,
    accessKey,
    secretKey,
    endpoint: "",
    publicUrl: "",
    client: undefined as unknown as S3Client,
    async start() {
      server = createS3Server({
        directory,
        credentials: { [accessKey]: secretKey },
        buckets: [bucket],
        publicPrefixes: [`${bucket}/images/`, `${bucket}/tmp/price_list_`],
      });
      server.listen(Number(new URL(s3.endpoint).port), "127.0.0.1");
      await once(server, "listening");
    },
    async stop() {
      if (!server?.listening) return;
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
  beforeAll(async () => {
    s3.endpoint = `http://127.0.0.1:${await freePort()}`;
    s3.publicUrl = `${s3.endpoint}/${bucket}`;
    s3.client = new S3Client({
      endpoint: s3.endpoint,
      region: "us-east-1",
      credentials: { accessKeyId: accessKey, secretAccessKey: secretKey },
      forcePathStyle: true,
      requestChecksumCalculation: "WHEN_REQUIRED",
      responseChecksumValidation: "WHEN_REQUIRED",
    });
    await s3.start();
  });
  afterAll(async () => {
    s3.client.destroy();
    await s3.stop();
  });
  return s3;
}
