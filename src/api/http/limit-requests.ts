import type { Request, RequestHandler, Response } from "express";
import {
  type AppError,
  ForbiddenError,
  ForgedLinkError,
  TooManyRequestsError,
  UnauthorizedError,
} from "../../errors.ts";
import type { RateLimitStatus } from "../../platform/rate-limits.ts";
import { mailboxOf } from "../../services/mail/mailbox.ts";
import { clientOf } from "./networks.ts";
import type { Access, Actor, ApiContext } from "./types.ts";

/**
 * Runs the check of a credential from this address. A right one is always accepted, whatever others have sent; a wrong
 * one is counted, an expired one apart from those, and throws 429 instead when the address has sent too many.
 */
export async function throttleFailedLogins<T>(
  { limits, isExempt }: ApiContext,
  address: string | undefined,
  check: () => Promise<T>,
): Promise<T> {
  try {
    return await check();
  } catch (error) {
    const fault = error instanceof UnauthorizedError || error instanceof ForgedLinkError ? error.fault : "missing";
    if (fault === "missing" || isExempt(address)) throw error;
    const name = fault === "expired" ? "expired" : "credentials";
    const status = await limits.countEverywhere(name, clientOf(address));
    if (status?.isExceeded) throw tooMany(`Too many ${fault} credentials from this address`, status.resetSeconds);
    throw error;
  }
}

/** Counts a request against the limit of its caller and reports it in the headers; throws 429 above the limit. */
export function limitRequest(
  context: ApiContext,
  req: Request,
  res: Response,
  access: Access,
  actor: Actor | undefined,
) {
  if (context.isExempt(req.ip)) return;
  const isProgram = access === "api-key" || access === "webhook";
  const name = actor ? "user" : isProgram ? "api-key" : "anonymous";
  const status = context.limits.countHere(name, actor?.id ?? clientOf(req.ip));
  if (!status) return;
  const [, policy, , state] = rateLimitHeaders(status);
  res.set({ "ratelimit-policy": policy, ratelimit: state });
  refuseExceeded(status, "Too many requests");
}

/** Counts a request that `error` refuses: against its address, while the caller is unknown. */
export function countRefusal(context: ApiContext, req: Request, res: Response, error: unknown) {
  const isRefusal = error instanceof UnauthorizedError || error instanceof ForbiddenError;
  if (isRefusal) limitRequest(context, req, res, "public", undefined);
}

/** Counts a request against its address, whatever token it has, unless it was counted: for paths without a route. */
export function limitByAddress(context: ApiContext): RequestHandler {
  return (req, res, next) => {
    if (!res.hasHeader("ratelimit")) limitRequest(context, req, res, "public", undefined);
    next();
  };
}

/** As `limitRequest` for a caller without a token, but only returns the status. */
export function countAnonymous({ isExempt, limits }: ApiContext, address: string): RateLimitStatus | undefined {
  return isExempt(address) ? undefined : limits.countHere("anonymous", clientOf(address));
}

/**
 * Counts requests with a stricter limit, by user, or by the address of a guest. A front end sends for all guests from
 * one address: for those `limitRecipient` counts by the recipient in the body.
 */
export async function limitAction(
  context: ApiContext,
  req: Request,
  name: "orders" | "uploads",
  actor: Actor | undefined,
) {
  if (!actor && context.isExempt(req.ip)) return;
  refuseExceeded(await context.limits.countEverywhere(name, actor?.id ?? clientOf(req.ip)), `Too many ${name}`);
}

/** Counts the requests of a front end for guests by the mailbox in the body. */
export async function limitRecipient({ limits, isExempt }: ApiContext, req: Request, name: "orders", body: unknown) {
  const { email } = body as { email?: unknown };
  if (!isExempt(req.ip) || typeof email !== "string") return;
  refuseExceeded(await limits.countEverywhere(name, `to:${mailboxOf(email)}`), `Too many ${name} for this recipient`);
}

/** Alternating names and values (draft-ietf-httpapi-ratelimit-headers-10). */
export function rateLimitHeaders(status: RateLimitStatus | undefined): string[] {
  if (!status) return [];
  const { name, points, seconds, remaining, resetSeconds } = status;
  return [
    "ratelimit-policy",
    `"${name}";q=${points};w=${seconds}`,
    "ratelimit",
    `"${name}";r=${remaining};t=${resetSeconds}`,
  ];
}

function refuseExceeded(status: RateLimitStatus | undefined, what: string) {
  if (!status?.isExceeded) return;
  const { points, seconds, resetSeconds } = status;
  throw tooMany(`${what}: ${points} in ${seconds} s are allowed`, resetSeconds);
}

function tooMany(what: string, seconds: number): AppError {
  return new TooManyRequestsError(`${what}; try again in ${seconds} s`, seconds);
}
