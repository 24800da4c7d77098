import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { multipart, type Part } from "./http.ts";
import type { Described } from "./open-api-document.ts";
import { parametersOf, sampleBody, sampleOf, samplePath } from "./sample-request.ts";

type Follow = Parameters<typeof sampleBody>[1];

/** A request as bytes, and where it may be cut: at the end of each header, part and head of a part. */
export interface RawRequest {
  bytes: Buffer;
  /** Length of the head, with the empty line. */
  head: number;
  boundaries: number[];
}

/** How a connection ends: it is reset, its sending half is closed, or nothing more comes. */
export const endings = ["reset", "half-closed", "stalled"] as const;
export type Ending = (typeof endings)[number];

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
export function seeded(seed: number) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A file in a field that no route knows. */
const unwanted: Part = { name: "nobody_wants_this", fileName: "x.bin", content: Buffer.alloc(3_000, 7) };

/**
 * The operation's request as it should be, and with files that it does not expect: a further one, a second one in each
 * field of a file, and a form where JSON is wanted.
 */
export async function requestsOf(operation: Described, follow: Follow, profile: string, headers: string[]) {
  const query = new URLSearchParams();
  for (const { name, schema, required } of parametersOf(operation, "query"))
    if (required) query.set(name, String(sampleOf(schema, follow, name)));
  const path = `${profile}${samplePath(operation, follow)}${query.size > 0 ? `?${query}` : ""}`;
  const { body, headers: told = {} } = await sampleBody(operation, follow);
  const line = `${operation.method} ${path} HTTP/1.1`;
  const raw = (content: Buffer, more: Record<string, string>) => toRaw(line, { ...more }, headers, content);
  if (body === undefined && operation.method === "GET") return [raw(Buffer.alloc(0), {})];
  const form = (parts: Part[]) => {
    const { body: content, headers: kind } = multipart(parts);
    return raw(content, kind);
  };
  if (!(body instanceof FormData)) return [raw(Buffer.from(body ?? ""), told), form([unwanted])];
  const parts = await Promise.all(
    [...body].map(async ([name, value]): Promise<Part> => {
      if (typeof value === "string") return { name, content: value };
      return { name, fileName: value.name, content: Buffer.from(await value.arrayBuffer()) };
    }),
  );
  const files = parts.filter(({ fileName }) => fileName !== undefined);
  return [form(parts), form([...parts, unwanted]), form([unwanted, ...files, ...parts, ...files])];
}

function toRaw(line: string, kind: Record<string, string>, headers: string[], content: Buffer): RawRequest {
  const length = content.length > 0 ? [`content-length: ${content.length}`] : [];
  const told = Object.entries(kind).map(([name, value]) => `${name}: ${value}`);
  const lines = [line, "host: walk.test", "connection: close", "prefer: wait=1", ...headers, ...told, ...length];
  const head = Buffer.from(`${lines.join("\r\n")}\r\n\r\n`);
  const bytes = Buffer.concat([head, content]);
  const text = bytes.toString("latin1");
  const marks = text.startsWith("\r\n--", head.length - 2) ? /\r\n\r\n|\r\n--/g : /\r\n/g;
  const boundaries = [...text.slice(0, head.length).matchAll(/\r\n/g), ...text.matchAll(marks)].flatMap((found) => [
    found.index,
    found.index + found[0].length,
  ]);
  return { bytes, head: head.length, boundaries: [...new Set(boundaries)].filter((at) => at < bytes.length) };
}

/** Connections that have stalled, until they are given up. */
export function stalledConnections() {
  const open: Socket[] = [];
  return {
    add(socket: Socket) {
      open.push(socket);
      // So many at once; the oldest are reset and ended in turn.
      if (open.length > 100) end(open.shift());
    },
    giveUp() {
      for (const socket of open.splice(0)) end(socket);
    },
  };
}

let turns = 0;
function end(socket: Socket | undefined) {
  if (turns++ % 2 === 0) socket?.resetAndDestroy();
  else socket?.destroy();
}

/** Sends the first `length` bytes and ends like this, or waits for the answer; resolves with the status of the answer, 0 when none came. */
export async function sendCut(
  port: number,
  { bytes }: RawRequest,
  { length, ending, pauseMs }: { length: number; ending: Ending | "open"; pauseMs: number },
  stalled: ReturnType<typeof stalledConnections>,
): Promise<number> {
  const socket = connect(port, "127.0.0.1");
  let status = 0;
  socket.on("error", () => undefined);
  socket.on("data", (data: Buffer) => {
    status ||= Number(/^HTTP\/1\.1 (\d{3})/.exec(data.toString("latin1"))?.[1] ?? 0);
  });
  const closed = new Promise((resolve) => socket.once("close", resolve));
  await new Promise<void>((resolve) => {
    socket.write(bytes.subarray(0, length), () => resolve());
    socket.once("close", () => resolve());
  });
  if (ending === "half-closed" || ending === "open") {
    if (ending === "half-closed") socket.end();
    // An answer that has no end is left after a while.
    await Promise.race([closed, sleep(1_500, undefined, { ref: false })]);
    socket.destroy();
    return status;
  }
  // Bytes that have not been read when a connection is reset are never seen.
  await sleep(pauseMs);
  if (ending === "reset") socket.resetAndDestroy();
  else stalled.add(socket);
  return status;
}
