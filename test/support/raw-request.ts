import { once } from "node:events";
import { connect } from "node:net";

export interface RawAnswer {
  status: number;
  headers: string;
  body: string;
}

/** Sends a request as it is written, byte by byte, and reads what comes until the server closes. */
export async function sendRaw(url: string, requestLine: string, headers: readonly string[] = []): Promise<RawAnswer> {
  const { hostname, port, host } = new URL(url);
  const hosts = headers.some((line) => /^host:/i.test(line)) ? [] : [`host: ${host}`];
  const socket = connect(Number(port), hostname);
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.on("error", () => undefined);
  socket.write(Buffer.from([requestLine, ...hosts, ...headers, "connection: close", "", ""].join("\r\n"), "latin1"));
  await once(socket, "close");
  const text = Buffer.concat(chunks).toString("latin1");
  const end = text.indexOf("\r\n\r\n");
  const head = text.slice(0, end);
  return { status: Number(head.split(" ", 2)[1]), headers: head.toLowerCase(), body: text.slice(end + 4) };
}
