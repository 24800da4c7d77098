import { call, type TestApi } from "./api.ts";

/** Any JSON object that an answer may have; a test looks at what its request promises. */
export type Shown = Record<string, unknown> & { id: string; detail: unknown };

/** A page of such objects, a count, or an error. */
export interface Page<Item> {
  items: Item[];
  total: number;
  page: number;
  size: number;
  pages: number;
  count: number;
  detail: unknown;
}

export interface SendOptions {
  body?: unknown;
  /** An employee's, unless said otherwise; none when it is empty. */
  token?: string;
  headers?: Record<string, string>;
}

/** Sends a JSON request and parses the answer. */
export async function send<T = Shown>(
  api: TestApi,
  method: "GET" | "POST" | "PATCH" | "DELETE",
  path: string,
  { body, token = api.tokens.employee, headers = {} }: SendOptions = {},
) {
  const sent = await call(api.url + path, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body) }),
    headers: {
      "content-type": "application/json",
      ...(token && { authorization: `Bearer ${token}` }),
      ...headers,
    },
  });
  return { ...sent, body: sent.body as unknown as T };
}

/** Runs the tasks with so many at a time, in random order, and returns what they returned. */
export async function parallel<T>(tasks: readonly (() => Promise<T>)[], atOnce = tasks.length): Promise<T[]> {
  const waiting = tasks.map((task) => ({ task, rank: Math.random() })).sort((a, b) => a.rank - b.rank);
  const done: T[] = [];
  const work = async () => {
    for (let next = waiting.pop(); next; next = waiting.pop()) done.push(await next.task());
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return done;
}
