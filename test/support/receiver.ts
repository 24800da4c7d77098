import { once } from "node:events";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll } from "vitest";

/** A request as a receiver of webhooks got it. */
export interface Received {
  path: string;
  headers: Record<string, string>;
  body: string;
}

export type Answering = (res: ServerResponse, received: Received) => unknown;

/** A server on this machine that keeps what it receives and answers as the test says, 204 at first. */
export function useReceiver() {
  const receiver = {
    url: "",
    received: [] as Received[],
    answer: ((res) => res.writeHead(204).end()) as Answering,
  };
  const server = http.createServer(async (req: IncomingMessage, res) => {
    let body = "";
    for await (const chunk of req) body += chunk;
    const received = { path: String(req.url), headers: req.headers as Record<string, string>, body };
    receiver.received.push(received);
    receiver.answer(res, received);
  });
  beforeAll(async () => {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  return receiver;
}
