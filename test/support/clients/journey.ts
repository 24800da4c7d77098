import { call, type TestApi } from "../api.ts";
import { type ClientCall, pathOf, readAs } from "./client-call.ts";

/** What a front end sends with a call. */
export interface Sent {
  /** Values for the placeholders of the path. */
  values?: Record<string, string>;
  token?: string;
  json?: unknown;
  form?: Record<string, string | Blob>;
  /** Only JSON's content type and nothing in it, as the warehouse sends it. */
  empty?: boolean;
}

// biome-ignore lint/suspicious/noExplicitAny: what a front end reads is known by the call, not by its type
type Read = any;

/** Makes the calls of one front end and remembers which ones were made. */
export function journeyOf<Calls extends Record<string, ClientCall>>(api: TestApi, base: string, calls: Calls) {
  const made = new Set<keyof Calls>();
  return {
    made,
    /** Sends a call as the front end does, and reads the answer with the front end's own schema. */
    async make(name: keyof Calls & string, sent: Sent = {}): Promise<Read> {
      const one = calls[name];
      if (!one) throw new Error(`There is no call '${name}'`);
      made.add(name);
      const { status, text, body } = await call(api.url + base + pathOf(one, sent.values), {
        method: one.method,
        headers: headersOf(sent),
        ...bodyOf(sent),
      });
      if (status >= 300) throw new Error(`${name} ${one.method} ${one.path} answered ${status}: ${text}`);
      return one.shape === "status" ? { status } : readAs(one, text === "" ? undefined : body);
    },
  };
}

function headersOf({ token, json, empty }: Sent): Record<string, string> {
  return {
    accept: "application/json",
    ...(token && { authorization: `Bearer ${token}` }),
    ...((json !== undefined || empty) && { "content-type": "application/json" }),
  };
}

function bodyOf({ json, form }: Sent): { body?: string | FormData } {
  if (json !== undefined) return { body: JSON.stringify(json) };
  if (!form) return {};
  const body = new FormData();
  for (const [name, value] of Object.entries(form)) {
    if (typeof value === "string") body.set(name, value);
    else body.set(name, value, "photo.png");
  }
  return { body };
}
