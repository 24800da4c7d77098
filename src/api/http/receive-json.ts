import type { IncomingMessage } from "node:http";
import { BadRequestError, TooLargeError, ValidationError } from "../../errors.ts";
import { noList, noObject } from "./violations.ts";

/** Largest JSON body, in bytes (contract 1.8). */
const maxBodyBytes = 1024 * 1024;
/** No request needs more; deeper ones try to exhaust the stack. */
const maxDepth = 40;
/** Names and values of a body. A whole order of 200 lines, as the warehouse sends it back, has about 12,000. */
const maxTokens = 100_000;

/** All bytes of a body, unparsed; throws when it is too large, or cut off. */
export async function receiveBytes(req: IncomingMessage): Promise<Buffer> {
  if (Number(req.headers["content-length"] ?? 0) > maxBodyBytes) throw tooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of req.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxBodyBytes) throw tooLarge();
      chunks.push(chunk);
    }
  } catch (error) {
    // The caller's connection has failed, which looks like a failed connection to a database.
    throw error === req.errored ? new BadRequestError("The request was cut off") : error;
  }
  return Buffer.concat(chunks);
}

/**
 * Reads a JSON body; undefined when there is none. Throws on other kinds of body (422, as contract 1.8), on what not
 * JSON (422), and on what only an attacker sends: duplicate keys, deep nesting, bytes that are not UTF-8 (400), more
 * names and values than any client needs (413).
 */
export async function receiveJson(req: IncomingMessage, expected: "list" | "object" = "object"): Promise<unknown> {
  const bytes = await receiveBytes(req);
  if (bytes.length === 0) return undefined;
  const text = decode(bytes);
  if (!isJson(req)) throw wrongKind(text, expected, req.headers["content-type"]);
  const names = countNames(text);
  const value = parse(text);
  if (names === keptNames(value)) return value;
  throw new BadRequestError(`The key '${repeatedName(text).slice(0, 60)}' comes twice in one object`);
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

const [quote, backslash, comma, colon] = [0x22, 0x5c, 0x2c, 0x3a];

/**
 * Counts the names in a JSON text before it is parsed, in one pass that allocates nothing. Throws when the text is
 * nested too deep or has too many names and values; for a text that is not JSON the count means nothing.
 */
function countNames(text: string) {
  let [depth, names, values] = [0, 0, 1];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) at = endOfString(text, at);
    else if (code === comma) values++;
    else if (code === colon) names++;
    else if (isOpening(code)) [depth, values] = [depth + 1, values + 1];
    else if (isClosing(code)) depth--;
    if (depth > maxDepth) throw new BadRequestError(`The request body is nested deeper than ${maxDepth} levels`);
    if (names + values > maxTokens) throw tooMany();
  }
  return names;
}

const isOpening = (code: number) => code === 0x5b || code === 0x7b;
const isClosing = (code: number) => code === 0x5d || code === 0x7d;

/** The place of the quote that ends the string which begins at `start`; the end of the text when there is none. */
function endOfString(text: string, start: number) {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let before = end - 1;
    while (text.charCodeAt(before) === backslash) before--;
    // After an odd number of backslashes a quote belongs to the text.
    if ((end - before) % 2 === 1) return end;
  }
  return text.length;
}

/** How many names the objects of a parsed text have: a name that comes twice in one object counts once. */
function keptNames(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  let names = 0;
  if (Array.isArray(value)) for (const part of value) names += keptNames(part);
  // For-in makes no list of the names; objects of JSON.parse inherit none.
  else for (const name in value) names += 1 + keptNames((value as Record<string, unknown>)[name]);
  return names;
}

/** The first name of a JSON text that comes twice in one object. */
function repeatedName(text: string) {
  const open: Set<string>[] = [];
  let last = "";
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) {
      const end = endOfString(text, at);
      last = text.slice(at, end + 1);
      at = end;
    } else if (isOpening(code)) open.push(new Set());
    else if (isClosing(code)) open.pop();
    else if (code === colon) {
      const name = last.includes("\\") ? (JSON.parse(last) as string) : last.slice(1, -1);
      if (open.at(-1)?.has(name)) return name;
      open.at(-1)?.add(name);
    }
  }
  return "";
}

function wrongKind(text: string, expected: "list" | "object", sentAs = "") {
  const { type, msg } = expected === "list" ? noList : noObject;
  const advice = `the body came as '${sentAs.slice(0, 60)}', send it as 'application/json'`;
  const input = text.slice(0, 200);
  return new ValidationError([{ type, loc: ["body"], msg: `${msg}; ${advice}`, input }]);
}

function tooMany() {
  return new TooLargeError(`The request body has more than ${maxTokens.toLocaleString("en")} names and values`);
}

function tooLarge() {
  return new TooLargeError("The request body is larger than 1 MB");
}
