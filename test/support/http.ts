import { once } from "node:events";
import { connect } from "node:net";

/** Sends the beginning of a request and hangs up; resolves when the connection is gone. */
export async function hangUpAfter(url: string, head: string, body: Buffer) {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, "connect");
  socket.write(head);
  await new Promise((resolve) => socket.write(body, resolve));
  socket.resetAndDestroy();
  await once(socket, "close");
}

/** Sends only the head of a request; resolves with the status of the answer. */
export async function sendHead(url: string, head: string) {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.write(head);
  const [data] = (await once(socket, "data")) as [Buffer];
  socket.destroy();
  return { status: statusOf(data), body: { detail: null } };
}

/** Sends a chunked body until the server hangs up or `most` bytes are out; says what it answered and what it took. */
export async function sendUntilClosed(url: string, head: string, most: number) {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let status = 0;
  socket.on("data", (data: Buffer) => {
    status ||= statusOf(data);
  });
  socket.on("error", () => undefined);
  const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
  socket.write(head);
  const chunk = Buffer.concat([Buffer.from("10000\r\n"), Buffer.alloc(65_536), Buffer.from("\r\n")]);
  let sent = 0;
  while (sent < most && !socket.destroyed) {
    sent += chunk.length;
    if (!socket.write(chunk)) await Promise.race([new Promise((resolve) => socket.once("drain", resolve)), closed]);
  }
  socket.destroy();
  return { status, sent };
}

function statusOf(answer: Buffer) {
  return Number(answer.toString("latin1").split(" ", 2)[1]);
}

export interface Part {
  name: string;
  fileName?: string;
  content: Buffer | string;
}

/** A multipart body written by hand, for what no well-behaved client sends. */
export function multipart(parts: Part[], boundary = "boundary-of-this-test") {
  const chunks = parts.flatMap(({ name, fileName, content }) => [
    `--${boundary}\r\ncontent-disposition: form-data; name="${name}"`,
    fileName === undefined ? "" : `; filename="${fileName}"`,
    "\r\n\r\n",
    content,
    "\r\n",
  ]);
  const body = Buffer.concat([...chunks, `--${boundary}--\r\n`].map((part) => Buffer.from(part)));
  return { body, headers: { "content-type": `multipart/form-data; boundary=${boundary}` } };
}
