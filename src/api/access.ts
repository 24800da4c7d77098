import type { Request } from "express";
import type { Role } from "../db/entities/user.ts";
import { UnauthorizedError } from "../errors.ts";
import { requireRole } from "./authenticate.ts";
import type { Actor, ApiContext } from "./context.ts";

/**
 * Who may call a route. `public`: anybody, no token is looked at; `optional`: anybody, and a token that is sent has to
 * be good; a role: that one or a higher one; `api-key`: programs that have the key; `webhook`: the identity provider;
 * `print`: EMPLOYEE, or anybody from the networks that the configuration names.
 */
export type Access = "public" | "optional" | Role | "api-key" | "webhook" | "print";

/** The caller as the handler of a route sees it. */
export type ActorOf<A extends Access> = A extends Role
  ? Actor
  : A extends "optional" | "print"
    ? Actor | undefined
    : undefined;

/** Lets the caller in or throws 401 or 403; returns who it is, when that is known. Changes nothing. */
export async function admit(access: Access, context: ApiContext, req: Request): Promise<Actor | undefined> {
  switch (access) {
    case "public":
      return undefined;
    case "optional":
      return req.headers.authorization === undefined ? undefined : context.authenticate(req.headers.authorization);
    case "api-key":
      return checkApiKey(context, req.headers["api-key"]);
    case "webhook":
      if (context.secrets.isWebhookSecret(String(req.headers["x-better-auth-secret"] ?? ""))) return undefined;
      throw new UnauthorizedError("Invalid webhook secret", "Webhook");
    case "print":
      if (context.isPrinter(req.ip)) return undefined;
      return atLeast("EMPLOYEE", context, req);
    default:
      return atLeast(access, context, req);
  }
}

async function atLeast(role: Role, context: ApiContext, req: Request) {
  const actor = await context.authenticate(req.headers.authorization);
  requireRole(actor, role);
  return actor;
}

function checkApiKey({ secrets }: ApiContext, given: string | string[] | undefined) {
  if (given === undefined || given === "") throw new UnauthorizedError("Not authenticated", "APIKey");
  if (!secrets.isApiKey(String(given))) throw new UnauthorizedError("Invalid credentials");
  return undefined;
}
