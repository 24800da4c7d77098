import type { IncomingMessage } from "node:http";
import { BadRequestError, TooLargeError, ValidationError } from "../errors.ts";
import { noList, noObject } from "./violations.ts";

/** Largest JSON body, in bytes (wire contract 1.8). */
const largestBody = 1024 * 1024;
/** No request needs more; deeper ones are made to exhaust a stack. */
const deepest = 40;

/** All of a body that is not looked into yet; throws when it is too large, or cut off. */
export async function receiveBytes(req: IncomingMessage): Promise<Buffer> {
  if (Number(req.headers["content-length"] ?? 0) > largestBody) throw tooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of req.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > largestBody) throw tooLarge();
      chunks.push(chunk);
    }
  } catch (error) {
    // The caller's connection has failed, which looks like one of ours to a database.
    throw error === req.errored ? new BadRequestError("The request was cut off") : error;
  }
  return Buffer.concat(chunks);
}

/**
 * Reads a JSON body; undefined when there is none. Throws on other kinds of body (422, as wire contract 1.8), on what
 * is no JSON (422), and on what only an attacker sends: duplicate keys, deep nesting, bytes that are no UTF-8 (400).
 */
export async function receiveJson(req: IncomingMessage, expected: "list" | "object" = "object"): Promise<unknown> {
  const bytes = await receiveBytes(req);
  if (bytes.length === 0) return undefined;
  const text = decode(bytes);
  if (!isJson(req)) throw wrongKind(text, expected, req.headers["content-type"]);
  const value = parse(text);
  checkStructure(text);
  return value;
}

/** True when the caller says that the body is JSON. */
export function isJson(req: IncomingMessage) {
  return /^application\/([\w.+-]+\+)?json\b/i.test(req.headers["content-type"] ?? "");
}

function decode(bytes: Buffer) {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new BadRequestError("The request body is not valid UTF-8");
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : "";
    const offset = Number(/at position (\d+)/.exec(reason)?.[1] ?? text.length);
    const msg = "JSON decode error";
    throw new ValidationError([
      { type: "json_invalid", loc: ["body", offset], msg, input: {}, ctx: { error: reason.slice(0, 200) } },
    ]);
  }
}

/** Strings, and the marks that open, close and name; of a text that is JSON already. */
const tokens = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]:]/g;

function checkStructure(text: string) {
  const open: Set<string>[] = [];
  let last = "";
  for (const [token] of text.matchAll(tokens)) {
    if (token === "{" || token === "[") open.push(new Set());
    else if (token === "}" || token === "]") open.pop();
    else if (token === ":") nameKey(open.at(-1), last);
    if (open.length > deepest) throw new BadRequestError(`The request body is nested deeper than ${deepest} levels`);
    last = token;
  }
}

function nameKey(keys: Set<string> | undefined, token: string) {
  const key = JSON.parse(token) as string;
  if (keys?.has(key)) throw new BadRequestError(`The key '${key.slice(0, 60)}' comes twice in one object`);
  keys?.add(key);
}

function wrongKind(text: string, expected: "list" | "object", sentAs = "") {
  const { type, msg } = expected === "list" ? noList : noObject;
  const advice = `the body came as '${sentAs.slice(0, 60)}', send it as 'application/json'`;
  const input = text.slice(0, 200);
  return new ValidationError([{ type, loc: ["body"], msg: `${msg}; ${advice}`, input }]);
}

function tooLarge() {
  return new TooLargeError("The request body is larger than 1 MB");
}
