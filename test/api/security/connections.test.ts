import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { call, useApi } from "../../support/api.ts";

const api = useApi({ relay: false });

/** A connection to the API and all that it has answered. */
async function open(...lines: string[]) {
  const socket: Socket = connect(Number(new URL(api.url).port), "127.0.0.1");
  let answer = "";
  socket.setEncoding("utf8").on("data", (text: string) => {
    answer += text;
  });
  socket.on("error", () => undefined);
  const closed = new Promise((resolve) => socket.once("close", resolve));
  await once(socket, "connect");
  socket.write(lines.join("\r\n"));
  return { socket, closed, answer: () => answer };
}

const statuses = (answer: string) => [...answer.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => Number(status));

describe("a connection that is misused", () => {
  test("by headers that never end is closed, and keeps no other client waiting", async () => {
    const slow = await Promise.all(
      Array.from({ length: 200 }, () => open("GET /categories HTTP/1.1", "host: a", "x-slow: ")),
    );
    const drip = setInterval(() => {
      for (const { socket } of slow) socket.write("a");
    }, 500);
    try {
      expect((await call(`${api.url}/categories`)).status).toBe(200);
      await Promise.all(slow.map(({ closed }) => closed));
    } finally {
      clearInterval(drip);
    }
    for (const { answer } of slow) expect(statuses(answer())).toEqual([408]);
  }, 60_000);

  test("by more headers than 16 kB is answered 431 and closed", async () => {
    // No longer than one read of the server: what it leaves unread resets the connection, and the answer with it.
    const { closed, answer } = await open(
      "GET /categories HTTP/1.1",
      "host: a",
      `x-long: ${"a".repeat(17_000)}`,
      "",
      "",
    );
    await closed;
    expect(statuses(answer())).toEqual([431]);
  });

  const hidden = ["0", "", "GET /health/version HTTP/1.1", "host: a", "", ""];
  test.each([
    ["two lengths", ["content-length: 5", "content-length: 6"]],
    ["a length and chunks", ["content-length: 4", "transfer-encoding: chunked"]],
    ["chunks that are not the last encoding", ["transfer-encoding: chunked, identity"]],
    ["chunks, written strangely", ["transfer-encoding : chunked"]],
    ["a length that is no number", ["content-length: +5"]],
    ["a header folded over two lines", ["x-folded: a", " transfer-encoding: chunked"]],
  ])("by %s is answered 400 and closed, and what follows is no request", async (_what, headers) => {
    const { closed, answer } = await open("POST /orders HTTP/1.1", "host: a", ...headers, "", ...hidden);
    await closed;
    expect(statuses(answer())).toEqual([400]);
  });

  test("by nothing at all costs no more than the connection: 500 of them, and others are answered", async () => {
    const idle = await Promise.all(Array.from({ length: 500 }, () => open("")));
    expect((await call(`${api.url}/categories`)).status).toBe(200);
    for (const { socket } of idle) socket.destroy();
    await Promise.all(idle.map(({ closed }) => closed));
  });
});
