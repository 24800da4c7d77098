import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { routes } from "../../../src/api/routes/index.ts";
import { apiKey, call, useApi } from "../../support/api.ts";
import { readDocument } from "../../support/open-api-document.ts";
import { samplePath } from "../../support/sample-request.ts";

const { operations, follow } = readDocument(routes);

/** They look at path and headers first, and need not come as far as the body. */
const early = routes.filter(({ refuse }) => refuse).map(({ method, path }) => `${method.toUpperCase()} ${path}`);
const unpackedBytes = 256 * 1024 * 1024;
const bomb = new Uint8Array(gzipSync(Buffer.alloc(unpackedBytes), { level: 1 }));

describe("a body that says it is packed", () => {
  const api = useApi({ relay: false });
  const writes = operations.filter(({ requestBody, "x-access": access }) => requestBody && access !== "webhook");

  test.each(writes.map((operation) => [operation.name, operation] as const))(
    "is not unpacked: %s",
    async (_name, operation) => {
      const before = process.memoryUsage().rss;
      const headers = {
        authorization: `Bearer ${api.tokens.admin}`,
        "api-key": apiKey,
        "content-type": Object.keys(operation.requestBody?.content ?? {})[0] ?? "",
        "content-encoding": "gzip",
      };
      const { status } = await call(api.url + samplePath(operation, follow), {
        method: operation.method,
        body: bomb,
        headers,
      });
      expect(status).toBeOneOf(early.includes(operation.name) ? [401, 404, 413, 415] : [413, 415]);
      expect(process.memoryUsage().rss - before).toBeLessThan(unpackedBytes / 2);
    },
  );
});
