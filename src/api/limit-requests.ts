import type { Request, Response } from "express";
import { type AppError, TooManyRequestsError, UnauthorizedError } from "../errors.ts";
import type { Standing } from "../platform/rate-limits.ts";
import type { Access } from "./access.ts";
import type { Actor, ApiContext } from "./context.ts";
import { clientOf } from "./networks.ts";

/** What is counted, and for whom: see `docs/operations.md`. */
export const limitNames = ["anonymous", "user", "api-key", "credentials", "orders", "uploads"] as const;
export type LimitName = (typeof limitNames)[number];

/** Those that have to hold over all processes together. */
export const sharedLimits = ["credentials", "orders", "uploads"] as const satisfies LimitName[];

/** Admits a caller by `letIn`; an address with too many refused tokens or keys is not heard for a while. */
export async function guardCredentials<T>({ limits, isExempt }: ApiContext, req: Request, letIn: () => Promise<T>) {
  const sent = req.headers.authorization ?? req.headers["api-key"] ?? req.headers["x-better-auth-secret"];
  if (sent === undefined || isExempt(req.ip)) return letIn();
  const client = clientOf(req.ip);
  const blocked = await limits.blockedSeconds("credentials", client);
  if (blocked > 0) throw tooMany("Too many wrong credentials from this address", blocked);
  try {
    return await letIn();
  } catch (error) {
    if (error instanceof UnauthorizedError) await limits.count("credentials", client);
    throw error;
  }
}

/** Counts a request against the limit of its caller and says so in the headers; throws 429 when there are too many. */
export async function limitRequests(
  context: ApiContext,
  req: Request,
  res: Response,
  access: Access,
  actor: Actor | undefined,
) {
  if (context.isExempt(req.ip)) return;
  const isProgram = access === "api-key" || access === "webhook";
  const name: LimitName = actor ? "user" : isProgram ? "api-key" : "anonymous";
  const standing = await context.limits.count(name, actor?.id ?? clientOf(req.ip));
  if (!standing) return;
  describe(res, standing);
  refuseExceeded(standing, "Too many requests");
}

/** Counts what is limited more strictly than other requests: guests' orders by address, uploads by user. */
export async function limitAction(
  context: ApiContext,
  req: Request,
  name: "orders" | "uploads",
  actor: Actor | undefined,
) {
  if (context.isExempt(req.ip)) return;
  const standing = await context.limits.count(name, actor?.id ?? clientOf(req.ip));
  if (standing) refuseExceeded(standing, `Too many ${name}`);
}

/** draft-ietf-httpapi-ratelimit-headers-10 */
function describe(res: Response, { name, points, seconds, remaining, resetSeconds }: Standing) {
  res.setHeader("ratelimit-policy", `"${name}";q=${points};w=${seconds}`);
  res.setHeader("ratelimit", `"${name}";r=${remaining};t=${resetSeconds}`);
}

function refuseExceeded({ isExceeded, points, seconds, resetSeconds }: Standing, what: string) {
  if (isExceeded) throw tooMany(`${what}: ${points} in ${seconds} s are allowed`, resetSeconds);
}

function tooMany(what: string, seconds: number): AppError {
  return new TooManyRequestsError(`${what}; try again in ${seconds} s`, seconds);
}
