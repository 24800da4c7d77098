import { z } from "zod";
import type { Access, FileResponse, Route } from "./types.ts";

type Shape = z.ZodObject;
type Nothing = z.ZodObject<Record<never, never>>;
type NoBody = z.ZodUndefined;

/** Ties a route's handler to what it declares; `mount` and the OpenAPI document read the declaration. */
export function defineRoute<
  const A extends Access,
  P extends Shape = Nothing,
  Q extends Shape = Nothing,
  B extends z.ZodType = NoBody,
>(route: Route<A, P, Q, B>): Route {
  const waits = route.waits ?? route.image !== undefined;
  return { ...route, waits } as unknown as Route;
}

/** True for a response that is described by a schema. */
export function isSchema(response: z.ZodType | FileResponse): response is z.ZodType {
  return response instanceof z.ZodType;
}
