import type { Request } from "express";
import type { ApiContext, Result, Route } from "./types.ts";

/**
 * The GET of the entity in a 201 of this route: one of the collection, the path above this one, or one of another
 * collection with the same view. Undefined where no route shows it.
 */
export function showingRoute(route: Route, routes: readonly Route[]): Route | undefined {
  const view = route.responses[201];
  if (view === undefined) return undefined;
  const reading = routes.filter(({ method }) => method === "get");
  const same = reading.filter(({ responses }) => responses[200] === view);
  return (
    reading.find(({ path }) => oneOfMany.test(path) && path.startsWith(`${route.path}/{`)) ??
    same.find(({ path }) => route.path.startsWith(`${path}/`)) ??
    same.find(({ path }) => oneOfMany.test(path))
  );
}

const oneOfMany = /^\/[\w-]+\/\{\w+_id\}$/;

/** The answer; a 201 with its `Location` in the caller's profile, which is the same for a repetition. */
export function withLocation({ publicUrl }: ApiContext, req: Request, showing: Route | undefined, result: Result) {
  if (!showing || result.status !== 201) return result;
  const { id } = result.body as { id: string };
  // A path that ends with an id ends with that of the answer: a return has another one than its delivery.
  const own = showing.path.replace(/\{\w+\}$/, id);
  const path = own.replaceAll(/\{(\w+)\}/g, (_, name: string) => String(req.params[name] ?? id));
  return { ...result, headers: { ...result.headers, location: `${publicUrl}${req.baseUrl}${path}` } };
}
