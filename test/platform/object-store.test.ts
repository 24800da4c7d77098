import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { UnavailableError } from "../../src/errors.ts";
import { createObjectStore } from "../../src/platform/object-store.ts";

test("a server that takes requests and never answers counts as away", { timeout: 30_000 }, async () => {
  const silent = createServer(() => undefined).listen(0, "127.0.0.1");
  await once(silent, "listening");
  const endpoint = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const keys = { accessKeyId: "k", secretAccessKey: "s" };
  const store = createObjectStore({ endpoint, region: "us-east-1", bucket: "b", ...keys, publicUrl: endpoint });
  await expect(store.remove("x")).rejects.toBeInstanceOf(UnavailableError);
  store.close();
  silent.closeAllConnections();
  silent.close();
});
