import { redPng } from "../images.ts";
import type { Described, Schema } from "../open-api-document.ts";
import { bodySchema, parametersOf, sampleOf, samplePath, typeOf } from "../sample-request.ts";
import type { Hostile } from "./hostile-values.ts";

type Follow = (schema: Schema) => Schema;

/** One place of an operation where a value goes in. */
export interface Field {
  place: "path" | "query" | "header" | "body";
  /** Keys and indexes from the top of the body, or the name of the parameter. */
  path: (string | number)[];
}

export interface HostileRequest {
  path: string;
  headers: Record<string, string>;
  body?: string | FormData | Uint8Array<ArrayBuffer>;
}

/** Node refuses heads of more than 16 kB before the API sees them, and a byte may need three letters. */
const longestInHead = 2_000;
const mark = "@@hostile@@";

/** Every place of an operation where a value goes in, those inside objects and lists of the body too. */
export function fieldsOf(operation: Described, follow: Follow): Field[] {
  const parameters = (["path", "query", "header"] as const).flatMap((place) =>
    parametersOf(operation, place).map(({ name }) => ({ place, path: [name] })),
  );
  const body = bodySchema(operation, "json") ?? bodySchema(operation, "form");
  const places = body ? placesIn(body, follow, []) : [];
  return [...parameters, ...places.map((path) => ({ place: "body" as const, path }))];
}

function placesIn(given: Schema, follow: Follow, path: (string | number)[]): Field["path"][] {
  const schema = follow(given);
  const choice = (schema.anyOf ?? schema.oneOf)?.map(follow).find((one) => typeOf(one) !== undefined);
  if (choice) return placesIn(choice, follow, path);
  const own = path.length > 0 && schema.format !== "binary" ? [path] : [];
  if (path.length > 6) return own;
  const inner = Object.entries(schema.properties ?? {}).flatMap(([key, one]) => placesIn(one, follow, [...path, key]));
  const items = schema.items ? placesIn(schema.items, follow, [...path, 0]) : [];
  return [...own, ...inner, ...items];
}

/** The usual request of an operation with one value replaced; undefined when it cannot be sent. */
export async function requestWith(
  operation: Described,
  follow: Follow,
  field: Field,
  hostile: Hostile,
): Promise<HostileRequest | undefined> {
  const [name = ""] = field.path.map(String);
  const value = hostile.text.slice(0, longestInHead);
  if (field.place === "path") {
    const path = samplePath(operation, follow, { [name]: mark }).replace(mark.replaceAll("@", "%40"), inPath(value));
    return { path, ...(await usualBody(operation, follow)) };
  }
  const path = samplePath(operation, follow);
  if (field.place === "query") {
    return { path: `${path}?${usualQuery(operation, follow, name, value)}`, ...(await usualBody(operation, follow)) };
  }
  if (field.place === "body")
    return { path: withQuery(operation, follow, path), ...(await bodyWith(operation, follow, field, hostile)) };
  if (!isHeaderValue(value)) return undefined;
  const usual = await usualBody(operation, follow);
  return { ...usual, path: withQuery(operation, follow, path), headers: { ...usual.headers, [name]: value } };
}

/** The usual path of an operation, with the parameters that it cannot do without. */
export function usualPath(operation: Described, follow: Follow) {
  return withQuery(operation, follow, samplePath(operation, follow));
}

function withQuery(operation: Described, follow: Follow, path: string) {
  const query = usualQuery(operation, follow);
  return query ? `${path}?${query}` : path;
}

function usualQuery(operation: Described, follow: Follow, changed?: string, value = "") {
  const wanted = parametersOf(operation, "query").filter(({ name, required }) => required && name !== changed);
  const pairs = wanted.map(({ name, schema }): [string, string] => [name, String(sampleOf(schema, follow, name))]);
  return new URLSearchParams(changed === undefined ? pairs : [...pairs, [changed, value]]).toString();
}

type Sent = Pick<HostileRequest, "headers" | "body">;
const json = { "content-type": "application/json" };

async function usualBody(operation: Described, follow: Follow): Promise<Sent> {
  const schema = bodySchema(operation, "json");
  if (schema) return { headers: json, body: JSON.stringify(sampleOf(schema, follow)) };
  return bodySchema(operation, "form") ? { headers: {}, body: await usualForm(operation, follow) } : { headers: {} };
}

/** The usual form of an operation, its picture included unless said otherwise. */
export async function usualForm(operation: Described, follow: Follow, withPicture = true) {
  const form = new FormData();
  const schema = follow(bodySchema(operation, "form") ?? {});
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    if (property.format !== "binary") form.set(key, String(sampleOf(property, follow, key)));
    else if (withPicture) form.set(key, new Blob([new Uint8Array(await redPng())]), "photo.png");
  }
  return form;
}

async function bodyWith(operation: Described, follow: Follow, { path }: Field, hostile: Hostile): Promise<Sent> {
  const schema = bodySchema(operation, "json");
  if (schema) {
    const marked = JSON.stringify(replaced(sampleOf(schema, follow), path, mark));
    return { headers: json, body: marked.replace(`"${mark}"`, () => hostile.json) };
  }
  // A picture costs as much as twenty texts; every third value takes one as far as the service.
  const form = await usualForm(operation, follow, hostile.what.length % 3 === 0);
  form.set(String(path[0]), hostile.text);
  return { headers: {}, body: form };
}

function replaced(whole: unknown, [key, ...rest]: Field["path"], value: unknown): unknown {
  if (key === undefined) return value;
  const inner = replaced((whole as Record<string, unknown>)?.[key], rest, value);
  return Array.isArray(whole) ? whole.with(Number(key), inner) : { ...(whole as object), [key]: inner };
}

/** Percent-encoded byte by byte, since half a surrogate pair has no encoding of its own. */
function inPath(value: string) {
  return [...Buffer.from(value)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
}

/** What a client can send at all; fetch refuses the rest. */
function isHeaderValue(value: string) {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(value);
}
