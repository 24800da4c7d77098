import { known } from "./business.ts";
import { redPng } from "./images.ts";
import type { Described, Parameter, Schema } from "./open-api-document.ts";

type Follow = (schema: Schema) => Schema;

/** An id of nothing that is there. */
export const unknownId = "00000000-0000-4000-8000-000000000000";

/** What people would write into a field of this name, where the schema cannot say it. */
const usual: Record<string, unknown> = {
  ...known,
  email: "buyer@test.example",
  recipient: "buyer@test.example",
  phone: "+79780000000",
  first_name: "Иван",
  last_name: "Петров",
  search_term: "Колодка",
  brand: "ACME",
  manufacturer_number: "AC-100",
  prefer: "respond-async",
};

const byFormat: Record<string, string> = {
  uuid: unknownId,
  "date-time": "2026-01-15T09:30:00.123Z",
  date: "2026-01-15",
  email: "buyer@test.example",
  uri: "https://storage.test/a.webp",
};

/** A value that the schema should take; optional keys are all there. `name` is that of its field. */
export function sampleOf(given: Schema, follow: Follow, name = ""): unknown {
  const schema = follow(given);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return sampleOf(choices.find(({ type }) => type !== "null") ?? {}, follow, name);
  if (schema.allOf) return Object.assign({}, ...schema.allOf.map((part) => sampleOf(part, follow, name)));
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum[0];
  switch (typeOf(schema)) {
    case "object":
      return mapValues(schema.properties ?? {}, (property, key) => sampleOf(property, follow, key));
    case "array":
      return [sampleOf(schema.items ?? {}, follow, name.replace(/s$/, ""))];
    case "integer":
    case "number":
      return sampleNumber(schema);
    case "boolean":
      return true;
    default:
      return sampleText(schema, name);
  }
}

/** The type of a schema that says it in any of its ways, null aside. */
export function typeOf({ type, properties }: Schema) {
  const types = [type].flat().filter((one) => one !== "null");
  return types[0] ?? (properties ? "object" : undefined);
}

function sampleNumber({ default: usually, minimum = 0, exclusiveMinimum = -1, maximum = 1 }: Schema) {
  if (typeof usually === "number") return usually;
  return Math.min(maximum, Math.max(1, minimum, exclusiveMinimum + 1));
}

function sampleText({ format = "", minLength = 1, default: usually }: Schema, name: string) {
  const told = usual[name] ?? (typeof usually === "string" ? usually : undefined);
  return told ?? byFormat[format] ?? "Тест".padEnd(minLength, "т");
}

/** The path of the operation with these values, or the usual ones, for its parameters. */
export function samplePath(operation: Described, follow: Follow, values: Record<string, string> = {}) {
  const parameters = new Map(parametersOf(operation, "path").map((one) => [one.name, one]));
  return operation.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const schema = parameters.get(name)?.schema ?? {};
    const told = values[name] ?? known[knownName(operation.path, name) as keyof typeof known];
    return encodeURIComponent(told ?? String(sampleOf(schema, follow, name)));
  });
}

/** `/orders/{id}` means `order_id`, and `/categories/slug/{slug}` means `category_slug`. */
function knownName(path: string, name: string) {
  if (!["id", "slug"].includes(name)) return name;
  const thing = path.split("/")[1]?.replace(/ies$/, "y").replace(/s$/, "").replaceAll("-", "_");
  return `${thing}_${name}`;
}

/** The declared parameters of one place. */
export function parametersOf({ parameters = [] }: Described, place: Parameter["in"]) {
  return parameters.filter((one) => one.in === place);
}

/** The schema of the body when it is sent as JSON or as a form; undefined when it cannot be sent so. */
export function bodySchema({ requestBody }: Described, kind: "json" | "form") {
  const content = requestBody?.content ?? {};
  const types = kind === "json" ? ["application/json"] : ["multipart/form-data", "application/x-www-form-urlencoded"];
  return types.map((type) => content[type]?.schema).find(Boolean);
}

function mapValues<T, R>(record: Record<string, T>, change: (value: T, key: string) => R): Record<string, R> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value, key)]));
}

interface SampleBody {
  body?: string | FormData;
  headers?: Record<string, string>;
}

/** A body that the operation should take, as JSON when it takes that; none when it wants none. */
export async function sampleBody(operation: Described, follow: Follow): Promise<SampleBody> {
  const json = bodySchema(operation, "json");
  if (json) {
    return { body: JSON.stringify(sampleOf(json, follow)), headers: { "content-type": "application/json" } };
  }
  const form = bodySchema(operation, "form");
  if (!form) return {};
  const body = new FormData();
  for (const [key, schema] of Object.entries(follow(form).properties ?? {})) {
    if (schema.format === "binary") body.set(key, new Blob([new Uint8Array(await redPng())]), "photo.png");
    else body.set(key, String(sampleOf(schema, follow, key)));
  }
  return { body };
}
