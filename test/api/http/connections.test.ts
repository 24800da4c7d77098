import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { boundConnections } from "../../../src/api/http/connections.ts";
import { call, useApi } from "../../support/api.ts";

const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

/** A connection that has sent this; `isOpen` says whether the API has left it open. */
async function open(api: { url: string }, text = "") {
  const socket = connect(Number(new URL(api.url).port), "127.0.0.1");
  sockets.push(socket);
  let answer = "";
  const state = { isOpen: true, socket, answer: () => answer };
  socket
    .on("error", () => undefined)
    .once("close", () => {
      state.isOpen = false;
    });
  await once(socket, "connect");
  socket.write(text);
  return Object.assign(state, {
    read() {
      socket.setEncoding("utf8").on("data", (chunk: string) => {
        answer += chunk;
      });
    },
  });
}

describe("connections of one client", () => {
  const direct = useApi({ relay: false, connections: { perClient: 4, unreadMs: 30_000 } });

  test("are bounded, and another may be opened when one is closed", async () => {
    const held = await Promise.all(Array.from({ length: 4 }, () => open(direct)));
    const late = await open(direct);
    late.read();
    await vi.waitFor(() => expect(late.isOpen).toBe(false));
    expect(late.answer()).toContain("HTTP/1.1 429 ");
    expect(late.answer()).toContain("retry-after: 5");
    expect(JSON.parse(late.answer().split("\r\n\r\n")[1] ?? "")).toMatchObject({ code: "too_many_requests" });
    expect(held.map(({ isOpen }) => isOpen)).toEqual([true, true, true, true]);
    held[0]?.socket.destroy();
    const headers = { connection: "close" };
    await vi.waitFor(async () => expect((await call(`${direct.url}/categories`, { headers })).status).toBe(200));
  });

  const exempt = useApi({ relay: false, connections: { perClient: 1, unreadMs: 30_000 }, exempt: ["127.0.0.0/8"] });
  test("are not bounded from a network that is exempt", async () => {
    const held = await Promise.all(Array.from({ length: 20 }, () => open(exempt)));
    expect((await call(`${exempt.url}/categories`)).status).toBe(200);
    expect(held.every(({ isOpen }) => isOpen)).toBe(true);
  });
});

describe("requests that one connection brings at once", () => {
  const direct = useApi({ relay: false, connections: { perClient: 4, unreadMs: 30_000 } });
  const proxied = useApi({ relay: false, trustProxy: 1, connections: { perClient: 4, unreadMs: 30_000 } });
  const exempt = useApi({ relay: false, connections: { perClient: 4, unreadMs: 30_000 }, exempt: ["127.0.0.0/8"] });

  test.each([
    ["of a client", direct, 4],
    ["that a proxy passes on", proxied, 4],
    ["from a network that is exempt", exempt, 20],
  ])("%s are bounded as if each had one of its own", async (_name, api, admitted) => {
    const ask = `GET /orders/${randomUUID()} HTTP/1.1\r\nhost: a\r\nx-forwarded-for: 192.0.2.9\r\n\r\n`;
    const connection = await open(api, ask.repeat(20));
    connection.read();
    const statuses = () => [...connection.answer().matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => status);
    await vi.waitFor(() => expect(statuses()).toHaveLength(20), 10_000);
    const expected = Array.from({ length: 20 }, (_, n) => (n < admitted ? "404" : "429"));
    expect(statuses()).toEqual(expected);
    connection.socket.write(ask);
    await vi.waitFor(() => expect(statuses().slice(20)).toEqual(["404"]), 10_000);
  });
});

describe("behind a proxy", () => {
  const api = useApi({ relay: false, trustProxy: 1, connections: { perClient: 3, unreadMs: 30_000 } });
  const from = (address: string) => ({ "x-forwarded-for": address });
  /** A request whose body never comes, of this client. */
  const begin = (address: string) =>
    open(
      api,
      `POST /offers/by-ids HTTP/1.1\r\nhost: a\r\nx-forwarded-for: ${address}\r\n` +
        "content-type: application/json\r\ncontent-length: 9\r\n\r\n",
    );

  test("requests under way are counted by the client that it names, and its own connections are not", async () => {
    const idle = await Promise.all(Array.from({ length: 50 }, () => open(api)));
    const begun = await Promise.all(Array.from({ length: 3 }, () => begin("192.0.2.1")));
    const statusOf = async (headers: Record<string, string>) =>
      (await call(`${api.url}/categories`, { headers })).status;
    await vi.waitFor(async () => expect(await statusOf(from("192.0.2.1"))).toBe(429));
    expect(await statusOf(from("192.0.2.2"))).toBe(200);
    expect(await statusOf(from("198.51.100.1, 192.0.2.2"))).toBe(200);
    expect(await statusOf({})).toBe(200);
    expect(idle.every(({ isOpen }) => isOpen)).toBe(true);
    for (const { socket } of begun) socket.destroy();
    await vi.waitFor(async () => expect(await statusOf(from("192.0.2.1"))).toBe(200));
  });

  test("no number of requests without a client locks the proxy out", async () => {
    const head =
      "POST /offers/by-ids HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n";
    await Promise.all(Array.from({ length: 20 }, () => open(api, head)));
    expect((await call(`${api.url}/categories`)).status).toBe(200);
  });
});

describe("a connection whose answer is not read", () => {
  const answer = Buffer.alloc(30 * 1024 * 1024, "a");
  const server = createServer(async (req, res) => {
    if (req.url === "/late") await sleep(1_000);
    res.end(req.url === "/late" ? "late" : answer);
  });
  const served = { url: "" };
  beforeAll(async () => {
    boundConnections(server, { perClient: 0, unreadMs: 200 }, { proxies: 0, isExempt: () => false });
    await once(server.listen(0, "127.0.0.1"), "listening");
    served.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  const count = promisify(server.getConnections.bind(server));

  test("is closed, one request or many at once", async () => {
    const ask = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
    await Promise.all([open(served, ask), open(served, ask.repeat(20)), open(served, ask)]);
    await vi.waitFor(async () => expect(await count()).toBe(0), 15_000);
  });

  test("is not closed for an answer that takes us longer to make", async () => {
    expect(await (await fetch(`${served.url}/late`)).text()).toBe("late");
  });
});
