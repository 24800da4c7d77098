import { z } from "zod";

/** What a front end does with an answer; `unchecked` and `status` are read without a schema. */
export type AnswerShape = "one" | "array" | "page" | "unchecked" | "status";

/** One call of a front end (contract 4.1 and 4.2). */
export interface ClientCall<S extends z.ZodType = z.ZodType> {
  method: "GET" | "POST" | "PATCH" | "DELETE";
  /** Below the base URL of the client, with its query; `{name}` stands for what the client fills in. */
  path: string;
  shape: AnswerShape;
  /** Of the whole answer, so a page for `page`. */
  schema: S;
}

/** The page envelope that both front ends demand (contract 1.6). */
export const pageOf = <S extends z.ZodType>(item: S) =>
  z.object({
    items: z.array(item),
    total: z.int().nonnegative(),
    page: z.int().positive(),
    size: z.int().positive(),
    pages: z.int().nonnegative(),
  });

type Method = ClientCall["method"];

/** A call whose answer is one object. */
export const one = <S extends z.ZodType>(method: Method, path: string, schema: S): ClientCall<S> => ({
  method,
  path,
  shape: "one",
  schema,
});

/** A GET whose answer is a page of items. */
export const page = <S extends z.ZodType>(path: string, item: S, method: Method = "GET") => ({
  ...one(method, path, pageOf(item)),
  shape: "page" as const,
});

/** A GET whose answer is a bare array of items. */
export const array = <S extends z.ZodType>(path: string, item: S) => ({
  ...one("GET", path, z.array(item)),
  shape: "array" as const,
});

/** A call whose answer is used as it comes, without a schema. */
export const unchecked = (method: Method, path: string): ClientCall => ({
  ...one(method, path, z.unknown()),
  shape: "unchecked",
});

/** A call of which only the status is looked at. */
export const status = (method: Method, path: string): ClientCall => ({
  ...one(method, path, z.unknown()),
  shape: "status",
});

/** The path of a call with its placeholders filled in, encoded; throws when a value is not given. */
export function pathOf({ path }: ClientCall, values: Record<string, string> = {}) {
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`The path '${path}' needs a value for '${name}'`);
    return encodeURIComponent(value);
  });
}

/** The answer as the front end reads it, unknown keys dropped; throws where the front end would break, naming the keys. */
export function readAs<S extends z.ZodType>({ method, path, schema }: ClientCall<S>, body: unknown): z.output<S> {
  const { success, data, error } = schema.safeParse(body);
  if (success) return data;
  throw new Error(`The front end cannot read the answer to ${method} ${path}:\n${z.prettifyError(error)}`);
}
