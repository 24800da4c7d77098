import type { Request } from "express";
import { type Role, roles } from "../../db/entities/accounts/user.ts";
import { ForbiddenError, UnauthorizedError } from "../../errors.ts";
import { findRank, requireRank } from "../../services/operations/job-rights.ts";
import { requireRole } from "./authenticate.ts";
import type { Access, Actor, ApiContext, Route } from "./types.ts";

/**
 * Authenticates the caller where the route allows it, or throws 401; throws 403 to a deactivated user. `checkRole`
 * checks the role. Changes nothing.
 */
export async function authenticateCaller(
  access: Access,
  context: ApiContext,
  req: Request,
): Promise<Actor | undefined> {
  switch (access) {
    case "public":
      return undefined;
    case "optional":
      return req.headers.authorization === undefined ? undefined : context.authenticate(req.headers.authorization);
    case "api-key":
      return checkApiKey(context, req.headers["api-key"]);
    case "webhook":
      return checkWebhookSecret(context, req.headers["x-better-auth-secret"]);
    case "print":
      return context.isPrinter(req.ip) ? undefined : context.authenticate(req.headers.authorization);
    default:
      return context.authenticate(req.headers.authorization);
  }
}

/**
 * Throws 403 unless the caller's role suffices; separate from `authenticateCaller`, because refused attempts of staff
 * are audited too.
 */
export function checkRole(access: Access, actor: Actor | undefined) {
  if (actor === undefined) return;
  if (access === "print") requireRole(actor, "EMPLOYEE");
  else if (isRole(access)) requireRole(actor, access);
}

/** Throws 403 unless the caller may do what the route does by the table of rights to jobs. */
export async function checkAct({ act }: Route, { db, operators }: ApiContext, actor: Actor | undefined) {
  if (!act || !actor) return;
  requireRank(act.act, act.kind ?? "", await findRank(db.manager, actor, operators));
}

/** True for staff. */
export function isStaff(actor: Actor | undefined): actor is Actor {
  return actor !== undefined && actor.role !== "USER";
}

const isRole = (access: Access): access is Role => (roles as readonly string[]).includes(access);

/** Customers see their own, staff sees everything; throws 403 to a customer who asks for another user's. */
export function checkOwn(actor: Actor, ownerId: string) {
  if (actor.role !== "USER" || actor.id === ownerId) return;
  throw new ForbiddenError(`Access denied: role ${actor.role} is not allowed.`);
}

function checkWebhookSecret({ secrets }: ApiContext, given: string | string[] | undefined) {
  if (secrets.isWebhookSecret(String(given ?? ""))) return undefined;
  throw new UnauthorizedError("Invalid webhook secret", "Webhook", given === undefined ? "missing" : "wrong");
}

function checkApiKey({ secrets }: ApiContext, given: string | string[] | undefined) {
  if (given === undefined || given === "") throw new UnauthorizedError("Not authenticated", "APIKey", "missing");
  if (!secrets.isApiKey(String(given))) throw new UnauthorizedError("Invalid credentials");
  return undefined;
}
