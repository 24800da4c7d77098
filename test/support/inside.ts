import { subscribe } from "node:diagnostics_channel";
import { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/**
 * Loaded into a process of the product by `--import`, for what cannot be seen from outside: counts request bodies that
 * are read, tells what the process holds, and fails in it as a mistake of ours would. Asked by messages over IPC.
 */
export interface Inside {
  pid: number;
  /** Bytes of the heap that are in use after a collection. */
  heap: number;
  /** Bytes outside the heap that buffers hold. */
  buffers: number;
  /** Connections that this process has accepted and that are open. */
  sockets: number;
  /** Request bodies that were read, and how many bytes of them. */
  bodies: number;
  bytes: number;
}

export type InsideQuestion = "tell" | "throw" | "reject";

let sockets = 0;
subscribe("net.server.socket", (message) => {
  sockets++;
  (message as { socket: Socket }).socket.once("close", () => sockets--);
});

const read = { bodies: 0, bytes: 0 };
const iterator = IncomingMessage.prototype.iterator;
// Everything that takes a body reads it by this.
IncomingMessage.prototype.iterator = function counted(this: IncomingMessage, options) {
  let isFirst = true;
  this.on("data", (chunk: Buffer) => {
    if (isFirst) read.bodies++;
    isFirst = false;
    read.bytes += chunk.length;
  });
  // A listener of data sets the stream flowing; the iterator decides when it flows.
  this.pause();
  return iterator.call(this, options);
};

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

process.on("message", (question: InsideQuestion) => {
  if (question === "throw") setImmediate(() => raise());
  else if (question === "reject") void Promise.reject(new Error("a mistake of ours"));
  else {
    collect();
    const { heapUsed: heap, external: buffers } = process.memoryUsage();
    process.send?.({ pid: process.pid, heap, buffers, sockets, ...read } satisfies Inside);
  }
});
process.channel?.unref();

function raise() {
  throw new Error("a mistake of ours");
}
