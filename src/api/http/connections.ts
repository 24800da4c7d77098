import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { clientAddress, clientOf } from "./networks.ts";

export interface ConnectionRules {
  /** Maximum number of connections, and of concurrent requests, of one client; 0 means no limit. */
  perClient: number;
  /** An answer of which the client reads nothing for this long, once or twice in a row, is aborted. */
  unreadMs: number;
}

interface Clients {
  /** Proxies in front that are trusted about the address of a client. */
  proxies: number;
  isExempt: (address: string | undefined) => boolean;
}

/** False for a request above its client's limit; called once, when it starts. */
export type AdmitRequest = (req: IncomingMessage, res: ServerResponse) => boolean;

export const retrySeconds = 5;
const sentence = "You have too many connections open; close some of them";
const refusal = JSON.stringify({ detail: sentence, message: sentence, code: "too_many_requests" });
const refusedConnection = [
  "HTTP/1.1 429 Too Many Requests",
  "content-type: application/json",
  `content-length: ${refusal.length}`,
  `retry-after: ${retrySeconds}`,
  "connection: close",
  "",
  refusal,
].join("\r\n");

/**
 * Closes connections whose answers are not read, and limits each client. Without proxies the limit is on its open
 * connections, and on as many concurrent requests. Behind proxies connections are theirs and never refused: only the
 * concurrent requests of the client that they name count; a client that they do not name does not count, since it may
 * be a proxy itself.
 */
export function boundConnections(
  server: Server,
  { perClient, unreadMs }: ConnectionRules,
  { proxies, isExempt }: Clients,
): AdmitRequest {
  server.setTimeout(unreadMs, (socket) => {
    // Another time-out is that of an idle connection. An unfinished answer waits for the server, not for its reader.
    if (socket.timeout !== unreadMs || socket.writableLength > 0) socket.destroy();
  });
  if (perClient === 0) return () => true;

  if (proxies > 0) {
    const admits = boundByClient(perClient, isExempt);
    return (req, res) => {
      const address = clientAddress(req, proxies);
      return address === req.socket.remoteAddress || admits(address, res);
    };
  }
  const accepts = boundByClient(perClient, isExempt);
  server.on("connection", (socket) => {
    if (accepts(socket.remoteAddress, socket)) return;
    // Closed as soon as the refusal is sent.
    socket.end(refusedConnection, () => socket.destroy());
  });
  // One connection may bring a thousand requests at once. The first of them counts as its connection; Node gives the
  // others no socket before the answers to those before them are sent.
  const admitsQueued = boundByClient(perClient - 1, isExempt);
  return (req, res) => res.socket !== null || admitsQueued(req.socket.remoteAddress, res);
}

/** Counts one for a client until it closes; false above the limit. */
function boundByClient(perClient: number, isExempt: Clients["isExempt"]) {
  const held = new Map<string, number>();
  return (address: string | undefined, until: Socket | ServerResponse) => {
    if (isExempt(address)) return true;
    const client = clientOf(address);
    const count = held.get(client) ?? 0;
    if (count >= perClient) return false;
    held.set(client, count + 1);
    until.once("close", () => {
      const left = (held.get(client) ?? 1) - 1;
      if (left > 0) held.set(client, left);
      else held.delete(client);
    });
    return true;
  };
}
