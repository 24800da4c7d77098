import { type Answer, call, type TestApi } from "./api.ts";

export interface Question {
  /** Whose token is sent; the employee's unless said otherwise, none for `anonymous`. */
  as?: keyof TestApi["tokens"] | "anonymous" | { token: string };
  /** Sent as JSON. */
  body?: unknown;
  headers?: Record<string, string>;
}

/** Sends JSON requests to this API, each as `method path`; the type is what the test expects the answer to be. */
export function asker(api: TestApi) {
  return async <T = Answer["body"]>(request: string, { as = "employee", body, headers }: Question = {}) => {
    const [method = "", path = ""] = request.split(/ (.*)/s, 2);
    const token = typeof as === "object" ? as.token : as === "anonymous" ? "" : api.tokens[as];
    const answer = await call(api.url + path, {
      method,
      headers: {
        ...(token && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { "content-type": "application/json" }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { ...answer, body: answer.body as T };
  };
}
