import { call, type TestApi } from "./api.ts";
import type { Shown } from "./send.ts";

export interface FormSending {
  fields?: Record<string, string>;
  image?: Buffer;
  /** An employee's, unless said otherwise; none when it is empty. */
  token?: string;
  headers?: Record<string, string>;
}

/** Sends a multipart form as a browser does, its picture as `image_blob`, and parses the answer. */
export async function sendForm<T = Shown>(
  api: TestApi,
  method: "POST" | "PATCH",
  path: string,
  { fields = {}, image, token = api.tokens.employee, headers = {} }: FormSending = {},
) {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.set(name, value);
  if (image) body.set("image_blob", new Blob([new Uint8Array(image)]), "photo.png");
  const authorization: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
  const sent = await call(api.url + path, { method, body, headers: { ...authorization, ...headers } });
  return { ...sent, body: sent.body as unknown as T };
}
