import { once } from "node:events";
import type { RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { createS3Server } from "../../../dev/s3/server.ts";

export type Bucket = Awaited<ReturnType<typeof startBucket>>;

const accessKey = "chaos-access";
const secretKey = "chaos-secret";
const bucket = "chaos";

/** Our S3 server with one bucket; while `failing` is above 0 each request counts it down and is answered 503. */
export async function startBucket(directory: string) {
  const state = { failing: 0, failed: 0 };
  const server = createS3Server({
    directory,
    credentials: { [accessKey]: secretKey },
    buckets: [bucket],
    publicPrefixes: [],
  });
  const handlers = server.listeners("request") as RequestListener[];
  server.removeAllListeners("request");
  server.on("request", (request, response) => {
    if (state.failing > 0) {
      state.failing--;
      state.failed++;
      request.resume();
      response.writeHead(503, { connection: "close" }).end();
      return;
    }
    for (const handle of handlers) handle(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = new S3Client({
    endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: accessKey, secretAccessKey: secretKey },
    forcePathStyle: true,
  });
  return {
    state,
    env: {
      S3_ENDPOINT_URL: endpoint,
      S3_BUCKET_NAME: bucket,
      S3_ACCESS_KEY: accessKey,
      S3_SECRET_KEY: secretKey,
    },
    /** Every key there is. */
    async keys(): Promise<Set<string>> {
      const keys = new Set<string>();
      let token: string | undefined;
      do {
        const page = await client.send(new ListObjectsV2Command({ Bucket: bucket, ContinuationToken: token }));
        for (const { Key } of page.Contents ?? []) keys.add(String(Key));
        token = page.NextContinuationToken;
      } while (token);
      return keys;
    },
    async stop() {
      client.destroy();
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
