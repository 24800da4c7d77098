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
