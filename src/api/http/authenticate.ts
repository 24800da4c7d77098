import { decodeJwt, decodeProtectedHeader, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from "jose";
import type { DataSource } from "typeorm";
import { z } from "zod";
import { type Role, roles } from "../../db/entities/accounts/user.ts";
import { ForbiddenError, UnauthorizedError } from "../../errors.ts";
import { userOfToken } from "../../services/accounts/users.ts";
import { email, givenName, provedBy } from "./fields.ts";
import { trustedKeys } from "./trusted-keys.ts";
import type { Actor, ApiContext } from "./types.ts";

/** A party whose tokens are accepted, as the configuration lists it. */
export interface TokenIssuer {
  issuer: string;
  jwksUrl: string;
  algorithms: string[];
  audiences: string[];
  authorizedParties: string[];
  userKey: "id" | "clerk_id";
}

interface Trusted extends TokenIssuer {
  keys: JWTVerifyGetKey;
}

/** Maximum difference of clocks. */
const clockToleranceSeconds = 30;

/** Checks bearer tokens against the trusted issuers and finds their user; texts and order as contract 2.1. */
export function createAuthenticate(db: DataSource, issuers: readonly TokenIssuer[]): ApiContext["authenticate"] {
  const trusted = issuers.map((issuer) => ({ ...issuer, keys: trustedKeys(issuer.jwksUrl) }));
  return async (authorization): Promise<Actor> => {
    if (!authorization?.startsWith("Bearer ")) throw notABearer(authorization);
    const { issuer, claims } = await verify(authorization.slice("Bearer ".length), trusted);
    const subject = subjectOf(issuer, claims);
    const user = await userOfToken(db.manager, subject);
    if (!user) throw new UnauthorizedError("User not found");
    if (!user.isActive) throw new ForbiddenError("Access denied: this account is deactivated.");
    const isEmailUnproved = subject.emailVerified === false;
    return { id: user.id, role: user.role, expiresAt: endOf(claims), ...(isEmailUnproved && { isEmailUnproved }) };
  };
}

/** A token that is accepted although it has expired, because clocks differ, ends when the tolerance does. */
function endOf({ exp = 0 }: JWTPayload) {
  const end = exp * 1_000;
  return end > Date.now() ? end : end + clockToleranceSeconds * 1_000;
}

const notABearer = (authorization: string | undefined) =>
  new UnauthorizedError("Missing Authorization header", "Bearer", authorization === undefined ? "missing" : "wrong");

/** Throws unless the actor has at least the role. */
export function requireRole(actor: Actor, least: Role) {
  if (roles.indexOf(actor.role) >= roles.indexOf(least)) return;
  throw new ForbiddenError(`Access denied: role ${actor.role} is not allowed.`);
}

async function verify(token: string, trusted: Trusted[]) {
  const { kid, issuerName } = readUnverified(token);
  if (typeof kid !== "string" || kid === "") throw new UnauthorizedError("Missing kid in JWT");
  const named = trusted.find(({ issuer }) => issuer === issuerName);
  // A token of an unknown issuer is checked all the same: a wrong signature is the more useful answer.
  const issuer = named ?? (trusted[0] as Trusted);
  const claims = await checkSignature(token, issuer);
  if (!named) throw new UnauthorizedError("Invalid issuer");
  if (!matches(issuer.audiences, claims.aud) || !matches(issuer.authorizedParties, claims.azp))
    throw new UnauthorizedError("Invalid audience");
  return { issuer, claims };
}

function readUnverified(token: string) {
  try {
    const { kid } = decodeProtectedHeader(token);
    return { kid, issuerName: decodeJwt(token).iss };
  } catch {
    throw new UnauthorizedError("Malformed JWT header");
  }
}

async function checkSignature(token: string, { keys, algorithms }: Trusted): Promise<JWTPayload> {
  try {
    const requiredClaims = ["sub", "iat", "exp"];
    const options = { algorithms, clockTolerance: clockToleranceSeconds, requiredClaims };
    const { payload } = await jwtVerify(token, keys, options);
    if (Number(payload.iat) > Date.now() / 1_000 + clockToleranceSeconds) throw new errors.JWTInvalid("not issued yet");
    return payload;
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey) throw new UnauthorizedError("Unknown signing key");
    if (error instanceof errors.JWTExpired) throw new UnauthorizedError("Token expired", "Bearer", "expired");
    if (error instanceof errors.JOSEError || error instanceof TypeError) throw new UnauthorizedError("Invalid JWT");
    throw error;
  }
}

function matches(allowed: string[], given: unknown) {
  if (allowed.length === 0) return true;
  return [given].flat().some((one) => typeof one === "string" && allowed.includes(one));
}

const name = givenName.catch("");
const Names = z.object({ email: email.nullable().catch(null), first_name: name, last_name: name });
const ClerkId = z.string().regex(/^[\x21-\x7e]{1,255}$/);

function subjectOf({ userKey }: TokenIssuer, claims: JWTPayload) {
  const { data: value } =
    userKey === "id" ? z.guid().safeParse(claims.sub) : ClerkId.safeParse(claims.clerk_id ?? claims.sub);
  if (value === undefined) throw new UnauthorizedError("Invalid JWT");
  const { email, first_name, last_name } = Names.parse(claims);
  // A row with an id that is not a valid UUID would make whole lists unreadable for the clients.
  const isProper = z.uuid().safeParse(value).success;
  const emailVerified = provedBy(claims);
  return {
    key: userKey,
    value,
    email: isProper ? email : null,
    emailVerified,
    firstName: first_name,
    lastName: last_name,
  };
}
