import { once } from "node:events";
import type { AddressInfo } from "node:net";
import express from "express";
import { afterEach, expect, test } from "vitest";
import { sendResult } from "../../../src/api/http/send-result.ts";

const closers: (() => unknown)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** Serves one stream; resolves with its address and with how sending it ended. */
async function serve(stream: AsyncIterable<string>) {
  const app = express();
  const sent = new Promise<void>((resolve, reject) => {
    app.get("/", (req, res) => {
      const result = { status: 200, headers: { "content-type": "text/plain" }, stream };
      sendResult(req, res, { method: "get" }, result).then(resolve, (error: unknown) => {
        res.destroy();
        reject(error);
      });
    });
  });
  sent.catch(() => undefined);
  const server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  closers.push(
    () => server.closeAllConnections(),
    () => server.close(),
  );
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, sent };
}

test("a caller who hangs up in the middle of a stream is no error, and the stream is released", async () => {
  let isLetGo = false;
  async function* endless() {
    try {
      for (;;) yield "x".repeat(65_536);
    } finally {
      isLetGo = true;
    }
  }
  const { url, sent } = await serve(endless());
  const caller = new AbortController();
  const answer = await fetch(url, { signal: caller.signal });
  await answer.body?.getReader().read();
  caller.abort();
  await expect(sent).resolves.toBeUndefined();
  await expect.poll(() => isLetGo).toBe(true);
});

test("a stream that fails breaks the answer off, so that no client takes it for whole", async () => {
  async function* failing() {
    yield "x";
    throw new Error("the source is gone");
  }
  const { url, sent } = await serve(failing());
  await expect(fetch(url).then((answer) => answer.text())).rejects.toThrow();
  await expect(sent).rejects.toThrow("the source is gone");
});

test("of a stream that is asked for with HEAD nothing is read", async () => {
  let isRead = false;
  async function* source() {
    isRead = true;
    yield "x";
  }
  const { url, sent } = await serve(source());
  const answer = await fetch(url, { method: "HEAD" });
  await sent;
  expect([answer.status, answer.headers.get("content-type"), isRead]).toEqual([200, "text/plain", false]);
});
