import { once } from "node:events";
import type { Server } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

export interface Closing {
  /** How long it still accepts connections, until proxies have noticed the end. */
  noticeMs: number;
  /** After that, running requests are cut off after this long. */
  drainMs: number;
}

/**
 * Closes a server without losing an answer: from now on each answer closes its connection and says so, or the next
 * request of a caller who never pauses would be cut off. Resolves when the last connection is closed.
 */
export async function closeServer(server: Server, { noticeMs, drainMs }: Closing): Promise<void> {
  server.prependListener("request", (_req, res) => {
    res.setHeader("connection", "close");
  });
  await sleep(noticeMs);
  const closed = once(server, "close");
  server.close();
  // An answer that had started before does not announce the end; its connection is idle after that.
  const timer = setInterval(() => server.closeIdleConnections(), 50);
  await Promise.race([closed, sleep(drainMs, undefined, { ref: false })]);
  clearInterval(timer);
  server.closeAllConnections();
}
