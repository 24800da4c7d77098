import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer, type Server, type Socket } from "node:net";

/** What becomes of the next COMMITs: cut off before the server hears of them, or before the client hears of their end. */
export type Fault = "before commit" | "after commit";

/** A simple query of Postgres' protocol that says COMMIT. */
const commit = Buffer.from("Q\0\0\0\x0bCOMMIT\0");

/**
 * Stands between a client and Postgres; cuts the connection at so many COMMITs, or holds back what a connection is
 * answered beyond so many bytes until it is released.
 */
export async function startPostgresProxy(url: string) {
  const target = new URL(url);
  const proxy = { url: "", fault: undefined as Fault | undefined, left: 0, cuts: 0, stop: async () => {} };
  const hold = { afterBytes: Number.POSITIVE_INFINITY, held: new Set<Socket>() };
  const sockets = new Set<Socket>();
  const server: Server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    const cut = () => {
      proxy.cuts++;
      client.destroy();
      upstream.destroy();
    };
    let isCommitted = false;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on("data", (chunk: Buffer) => {
      if (proxy.fault && proxy.left > 0 && chunk.includes(commit)) {
        proxy.left--;
        if (proxy.fault === "before commit") return cut();
        isCommitted = true;
      }
      upstream.write(chunk);
    });
    // The server answers when the transaction is stored.
    let answered = 0;
    upstream.on("data", (chunk: Buffer) => {
      if (isCommitted) return cut();
      client.write(chunk);
      answered += chunk.length;
      if (answered < hold.afterBytes) return;
      upstream.pause();
      hold.held.add(upstream);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const own = new URL(url);
  own.hostname = "127.0.0.1";
  own.port = String((server.address() as AddressInfo).port);
  proxy.url = own.href;
  proxy.stop = async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, "close");
  };
  /** Connections that are answered no more, of those that got so many bytes. */
  const heldAfter = (bytes: number) => {
    hold.afterBytes = bytes;
    return hold.held;
  };
  const letGo = () => {
    hold.afterBytes = Number.POSITIVE_INFINITY;
    for (const upstream of hold.held) upstream.resume();
    hold.held.clear();
  };
  return Object.assign(proxy, { heldAfter, letGo });
}
