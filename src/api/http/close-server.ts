import { once } from "node:events";
import type { Server } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

export interface Closing {
  /** How long it still accepts connections, until proxies have noticed the end. */
  noticeMs: number;
  /** After that, running requests are cut after so long. */
  drainMs: number;
}

/**
 * Ends a server without losing an answer: from now on each answer ends its connection and says so, or a caller who
 * never pauses would have the next request cut. Resolves when the last connection is gone.
 */
export async function closeServer(server: Server, { noticeMs, drainMs }: Closing): Promise<void> {
  server.prependListener("request", (_req, res) => {
    res.setHeader("connection", "close");
  });
  await sleep(noticeMs);
  const closed = once(server, "close");
  server.close();
  // An answer that had begun before says nothing of the end; its connection idles after that.
  const timer = setInterval(() => server.closeIdleConnections(), 50);
  await Promise.race([closed, sleep(drainMs, undefined, { ref: false })]);
  clearInterval(timer);
  server.closeAllConnections();
}
