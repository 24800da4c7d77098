import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { routes } from "../../../src/api/routes/index.ts";
import { mediaTypesOf } from "../../../src/services/documents/kinds/index.ts";
import { call, sendCategory, useApi, userIds, useWorker } from "../../support/api.ts";
import { addOffer, addOrder, addWaybill } from "../../support/goods.ts";
import { redPng } from "../../support/images.ts";

const mebi = 1024 * 1024;
const sockets = 16;
const callers = 2 * sockets;
const fileTypes = mediaTypesOf(["xml", "pdf", "docx", "xlsx", "csv"]);
const paths = routes
  .filter(({ responses: { 200: answer } }) => {
    const types = (answer as { mediaTypes?: readonly string[] } | undefined)?.mediaTypes ?? [];
    return types.some((type) => fileTypes.includes(type));
  })
  .map(({ path }) => path);

describe("readers that stop in the middle of a file", () => {
  // None of them is dropped before the test ends.
  const connections = { perClient: 0, unreadMs: 600_000 };
  const api = useApi({ s3Sockets: sockets, printers: ["127.0.0.0/8"], connections });
  useWorker(api);
  const ids: Record<string, string> = {};
  const open: Socket[] = [];
  afterEach(() => {
    for (const socket of open.splice(0)) socket.destroy();
  });
  beforeAll(async () => {
    const line = [{ offer: (await addOffer(api.db)).offer, quantity: 1, priceRub: 717 }];
    ids["{order_id}"] = (await addOrder(api.db, line)).id;
    const owner = { authorId: userIds.employee, customerId: userIds.user };
    ids["{waybill_id}"] = (await addWaybill(api.db, line, owner)).id;
  });

  /** A caller who has asked for it and has read no more of the answer than how it begins. */
  async function stopped(method: string, path: string) {
    const socket = connect(Number(new URL(api.url).port), "127.0.0.1").on("error", () => undefined);
    open.push(socket);
    socket.write(`${method} ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
    const [head] = (await once(socket, "data")) as [Buffer];
    socket.pause();
    return head.toString("latin1");
  }

  test("is of these routes", () => {
    expect(paths.toSorted()).toEqual([
      "/integrations/yml",
      "/integrations/yml/file",
      "/print/orders/{order_id}",
      "/print/price",
      "/print/prices",
      "/print/waybills/{waybill_id}",
    ]);
  });

  test.each(paths.flatMap((path) => [6 * mebi, 32 * mebi].map((size) => [path, size] as const)))(
    "keep no other client from S3 (%s, %i bytes)",
    async (template, size) => {
      const path = template.replace(/\{.*\}/, (name) => ids[name] ?? "");
      const key = `large-${size}`;
      await api.s3.client.send(
        new PutObjectCommand({ Bucket: api.s3.bucket, Key: key, Body: Buffer.alloc(size, "x") }),
      );

      for (const method of ["HEAD", "GET"]) {
        // The upload below changes the catalogue, so a price list is made again for the next round.
        expect((await call(api.url + path)).status).toBe(200);
        await api.db.query("UPDATE documents SET object_key = $1, bytes = $2, sha256 = $1 WHERE ready_at IS NOT NULL", [
          key,
          size,
        ]);
        const heads = await Promise.all(Array.from({ length: callers }, () => stopped(method, path)));
        const refused = heads.filter((head) => !head.startsWith("HTTP/1.1 200 "));
        for (const head of refused) expect(head).toMatch(/^HTTP\/1.1 (429|503) .*\r\nretry-after: 5\r\n/is);
        const isKept = template.startsWith("/integrations/") && size < 16 * mebi;
        if (isKept) expect(refused).toEqual([]);
        else expect(refused.length).toBeLessThan(callers);

        expect((await sendCategory(api, { name: `${method} ${key} ${path}`, image: await redPng() })).status).toBe(201);
        expect((await call(`${api.url}/-/health-checks/readiness`)).status).toBe(204);
        for (const socket of open.splice(0)) socket.destroy();
        await vi.waitFor(async () => expect(await stopped("HEAD", path)).toMatch(/^HTTP\/1.1 200 /), 5_000);
      }
    },
  );
});
