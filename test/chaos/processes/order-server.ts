import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import type { ChaosKind } from "./kinds.ts";

/** A job that the harness wants done; it asks again, with the same key, until it is promised. */
export interface Order {
  key: string;
  kind: ChaosKind;
  payload: { ref: string } & Record<string, unknown>;
}

/** Takes orders by HTTP on this port: 202 with what `take` returned, 503 for an outage, 500 for anything else. */
export async function serveOrders(
  port: number,
  take: (order: Order) => Promise<string>,
  isOutage: (error: unknown) => boolean,
) {
  const server = createServer((request, response) => {
    receive(request)
      .then(take)
      .then(
        (id) => response.writeHead(202).end(id),
        (error: unknown) => response.writeHead(isOutage(error) ? 503 : 500).end(String(error)),
      );
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return server;
}

const receive = async (request: IncomingMessage) => JSON.parse(await text(request)) as Order;
