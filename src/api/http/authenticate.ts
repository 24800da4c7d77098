import {
  decodeJwt,
  decodeProtectedHeader,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  jwtVerify,
} from "jose";
import type { DataSource } from "typeorm";
import { z } from "zod";
import { type Role, roles } from "../../db/entities/accounts/user.ts";
import { ForbiddenError, UnauthorizedError } from "../../errors.ts";
import type { Log } from "../../platform/logger.ts";
import { userOfToken } from "../../services/accounts/users.ts";
import { email, givenName, provedBy } from "./fields.ts";
import { type TrustedKeys, trustedKeys } from "./trusted-keys.ts";
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
  keys: TrustedKeys;
  logMisfit: LogMisfit;
}

/** Logs a claim of a token that names another party than us. */
type LogMisfit = (claim: "iss" | "aud" | "azp", expected: string[], given: unknown) => void;

/** Maximum difference of clocks. */
const clockToleranceSeconds = 30;

/** One token for another program is a mistake, and thousands of them are one mistake. */
const logEveryMs = 60_000;

/**
 * Checks bearer tokens against the trusted issuers and finds their user; texts and order as contract 2.1. Answers never
 * say what was expected: the log does, once a minute for each issuer and claim.
 */
export function createAuthenticate(
  db: DataSource,
  issuers: readonly TokenIssuer[],
  log: Log,
): ApiContext["authenticate"] {
  const trusted = issuers.map((issuer) => ({
    ...issuer,
    keys: trustedKeys(issuer.jwksUrl, log),
    logMisfit: misfitLog(issuer.issuer, log),
  }));
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
  // Its key ids are not worth asking for.
  const claims = await checkSignature(token, issuer, named ? issuer.keys.find : issuer.keys.findKnown);
  if (!named) {
    const names = trusted.map((one) => one.issuer);
    issuer.logMisfit("iss", names, claims.iss);
    throw new UnauthorizedError("Invalid issuer");
  }
  const { audiences, authorizedParties } = issuer;
  const isForUs = matches(audiences, claims.aud);
  if (isForUs && matches(authorizedParties, claims.azp)) return { issuer, claims };
  if (isForUs) issuer.logMisfit("azp", authorizedParties, claims.azp);
  else issuer.logMisfit("aud", audiences, claims.aud);
  throw new UnauthorizedError("Invalid audience");
}

/** A writer of at most one line a minute for each claim; each says how many tokens it stands for. */
function misfitLog(issuer: string, log: Log): LogMisfit {
  const lines = new Map<string, { at: number; tokens: number }>();
  return (claim, expected, given) => {
    const { at, tokens } = lines.get(claim) ?? { at: Number.NEGATIVE_INFINITY, tokens: 0 };
    const now = performance.now();
    if (now - at < logEveryMs) return void lines.set(claim, { at, tokens: tokens + 1 });
    lines.set(claim, { at: now, tokens: 0 });
    log.warn(
      { issuer, claim, expected, given: shorten(given), tokens: tokens + 1 },
      `Tokens are refused: their signature is good, but ${claim} is not one that this API accepts`,
    );
  };
}

/** Anything a token can say, as at most 200 characters. */
const shorten = (given: unknown) => (JSON.stringify(given) ?? "nothing").slice(0, 200);

function readUnverified(token: string) {
  try {
    const { kid } = decodeProtectedHeader(token);
    return { kid, issuerName: decodeJwt(token).iss };
  } catch {
    throw new UnauthorizedError("Malformed JWT header");
  }
}

async function checkSignature(token: string, { algorithms }: Trusted, find: JWTVerifyGetKey): Promise<JWTPayload> {
  try {
    const requiredClaims = ["sub", "iat", "exp"];
    const payload = await verifyWithAny(token, find, {
      algorithms,
      clockTolerance: clockToleranceSeconds,
      requiredClaims,
    });
    if (Number(payload.iat) > Date.now() / 1_000 + clockToleranceSeconds) throw new errors.JWTInvalid("not issued yet");
    return payload;
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey) throw new UnauthorizedError("Unknown signing key");
    if (error instanceof errors.JWTExpired) throw new UnauthorizedError("Token expired", "Bearer", "expired");
    if (error instanceof errors.JOSEError || error instanceof TypeError) throw new UnauthorizedError("Invalid JWT");
    throw error;
  }
}

/** Issuers have given a new key the id of an old one: then each of both is tried. */
async function verifyWithAny(token: string, find: JWTVerifyGetKey, options: JWTVerifyOptions): Promise<JWTPayload> {
  try {
    return (await jwtVerify(token, find, options)).payload;
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    for await (const key of error) {
      try {
        return (await jwtVerify(token, key, options)).payload;
      } catch (wrong) {
        if (!(wrong instanceof errors.JWSSignatureVerificationFailed)) throw wrong;
      }
    }
    throw new errors.JWSSignatureVerificationFailed();
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
