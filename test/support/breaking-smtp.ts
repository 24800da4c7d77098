import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer, type Socket } from "node:net";

/** When the connection breaks: at RCPT, in the middle of the message, or when all of it has arrived. */
export type BreakingPoint = "rcpt" | "middle" | "end";

/** An SMTP server that takes a mail up to a point and then hangs up, or, `silent`, says nothing any more. */
export async function startBreakingSmtp(point: BreakingPoint, { silent = false } = {}) {
  const sockets = new Set<Socket>();
  const state = { arrived: 0, connections: 0 };
  const stop = (socket: Socket) => (silent ? socket.pause() : socket.destroy());

  const server = createServer((socket) => {
    state.connections++;
    sockets.add(socket);
    socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
    socket.write("220 ready\r\n");
    let message: string | undefined;
    socket.setEncoding("latin1").on("data", (data) => {
      if (message === undefined) return converse(String(data));
      message += data;
      if (point === "middle" && message.length > 50_000) stop(socket);
      if (!message.endsWith("\r\n.\r\n")) return;
      state.arrived++;
      stop(socket);
    });

    function converse(line: string) {
      const command = line.slice(0, 4).toUpperCase();
      if (command === "RCPT" && point === "rcpt") return stop(socket);
      if (command === "DATA") {
        message = "";
        return void socket.write("354 go on\r\n");
      }
      socket.write("250 fine\r\n");
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    state,
    port: (server.address() as AddressInfo).port,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
