import type { EntityManager } from "typeorm";
import { users } from "../../db/dao/accounts/users.ts";
import type { Role } from "../../db/entities/accounts/user.ts";
import { jobQueries } from "../../engine/index.ts";
import { ForbiddenError, ReasonNeededError } from "../../errors.ts";
import type { JobName } from "../../jobs/index.ts";

/** The rank of a person, from lowest to highest: operators are employees whom the configuration names. */
export const ranks = ["customer", "employee", "operator", "admin"] as const;
export type Rank = (typeof ranks)[number];

/** The requirements of an act. */
export interface Right {
  minRank: Rank;
  /** It affects many jobs or cannot be undone, so others must be able to read why. */
  needsReason: boolean;
}

const takes = (minRank: Rank): Right => ({ minRank, needsReason: false });
const takesReason = (minRank: Rank): Right => ({ minRank, needsReason: true });

/** Not allowed, not even for admins. */
const forbidden = null;

/** Kinds of job for which only the owner matters. A new kind is listed here, or gets its own lines in the table. */
export const ordinaryKinds = [
  "check-card-payments",
  "collect-garbage",
  "deliver-webhook",
  "digest-low-stock",
  "process-image",
  "prune-ledger",
  "publish-feed",
  "publish-price-list",
  "remake-image",
  // Also an export of personal data: its requester may cancel it, and a person who retries it does not see it.
  "render-document",
  "send-mail",
] as const satisfies readonly JobName[];

type Special = Exclude<JobName, (typeof ordinaryKinds)[number]>;

/** Rights to one act: that for the kind of job, else that for the caller's own jobs, else that for all others. */
type Row = { readonly [Kind in Special | "own" | "others"]?: Right | null };

/** Right to an act on any job: it covers every special kind. */
type FullRow = Row & { readonly [Kind in Special]: Right | null };

/**
 * The one table of rights to jobs, which REST, Bull Board and `tcf` check. An act without a line is forbidden. A child
 * job requires what its parent requires, if that is more.
 */
export const rights = {
  /** To start it by hand; the order, picture or schedule starts its own jobs. */
  start: {
    "erase-person": takesReason("admin"),
    "send-newsletter": takes("admin"),
    "reprocess-images": takes("admin"),
  },
  /** To pause and resume it. */
  pause: { "send-newsletter": takes("admin") },
  resume: { "send-newsletter": takes("admin") },
  cancel: {
    own: takes("customer"),
    others: takesReason("operator"),
    // The account is disabled by then, and half of the person's data would stay, with the marks that lead to them.
    "erase-person": forbidden,
    "replay-jobs": takesReason("operator"),
    "reprocess-images": takesReason("admin"),
    "send-newsletter": takesReason("admin"),
    // The money would stay where the books no longer have it.
    "settle-payment": forbidden,
  },
  /** To retry one unsuccessful job. A replay may contain any job that its author may replay. */
  retry: {
    own: takes("employee"),
    others: takes("operator"),
    "erase-person": takes("admin"),
    "replay-jobs": takesReason("admin"),
    "reprocess-images": takesReason("admin"),
    "send-newsletter": takesReason("admin"),
    "settle-payment": takes("operator"),
  },
  /** To send one mail to its recipient again, at a customer's request. */
  resend: { others: takesReason("employee"), "send-newsletter": takesReason("admin") },
  /** To run a delayed job now. */
  promote: { others: takes("operator") },
  /** To retry many unsuccessful jobs. */
  replay: {
    others: takesReason("operator"),
    "erase-person": takesReason("admin"),
    "replay-jobs": takesReason("admin"),
    "reprocess-images": takesReason("admin"),
    "send-newsletter": takesReason("admin"),
    "settle-payment": takesReason("operator"),
  },
  /** To cancel or remove all jobs of a queue. */
  clear: {
    others: takesReason("admin"),
    "erase-person": forbidden,
    "replay-jobs": takesReason("admin"),
    "reprocess-images": takesReason("admin"),
    "send-newsletter": takesReason("admin"),
    "settle-payment": forbidden,
  },
  "pause-queue": { others: takesReason("operator") },
  "resume-queue": { others: takes("operator") },
  /** To change the rate of a queue, and the shares of its groups. */
  "tune-queue": { others: takes("admin") },
  /** To lift such a limit for now. */
  "release-queue": { others: takes("operator") },
} as const satisfies Record<"cancel" | "retry" | "replay" | "clear", FullRow> & Record<string, Row>;

export type Act = keyof typeof rights;

/** Who controls jobs, and why. */
export interface Operator {
  /** A user. */
  id: string;
  rank: Rank;
  reason: string | null;
}

/** What an act on a job of this kind requires; undefined where it is forbidden. */
export function rightTo(act: Act, kind: string, isOwn: boolean): Right | undefined {
  const row: Row = rights[act];
  if (Object.hasOwn(row, kind)) return row[kind as Special] ?? undefined;
  return (isOwn ? row.own : undefined) ?? row.others ?? undefined;
}

/** True for this rank or a higher one. */
export function isAtLeast(rank: Rank, minRank: Rank) {
  return ranks.indexOf(rank) >= ranks.indexOf(minRank);
}

/** Admins are admins; employees are operators when their addresses, in lower case, are listed. */
export function rankOf({ role, email }: { role: Role; email: string | null }, operators: readonly string[]): Rank {
  if (role !== "EMPLOYEE") return role === "ADMIN" ? "admin" : "customer";
  return email !== null && operators.includes(email.toLowerCase()) ? "operator" : "employee";
}

/** As `rankOf`, for a user whose address is unknown; reads the user only where the address decides. */
export async function findRank(
  tx: EntityManager,
  { id, role, isEmailUnproved = false }: { id: string; role: Role; isEmailUnproved?: boolean },
  operators: readonly string[],
): Promise<Rank> {
  const decides = role === "EMPLOYEE" && operators.length > 0 && !isEmailUnproved;
  const user = decides ? await users.findById(tx, id) : null;
  return rankOf({ role, email: user && user.emailVerified !== false ? user.email : null }, operators);
}

/**
 * Throws `ForbiddenError` unless this person may do this to a job of this kind, and `ReasonNeededError` when a reason
 * is needed and none was given.
 */
export function requireRight(act: Act, kind: string, operator: Operator, isOwn = false): void {
  demand(act, rightTo(act, kind, isOwn), operator);
}

/** As `requireRight`, before the reason is known. */
export function requireRank(act: Act, kind: string, rank: Rank): void {
  demand(act, rightTo(act, kind, false), { id: "", rank, reason: "not asked yet" });
}

/** As `requireRight`, for each of these jobs and all their parents. */
export async function requireRightTo(tx: EntityManager, act: Act, ids: readonly string[], operator: Operator) {
  demand(act, strictest(act, await jobQueries.lines(tx, ids, operator.id)), operator);
}

/** What an act on a job and all its parents requires; undefined where it is forbidden. */
export async function rightToJob(tx: EntityManager, act: Act, id: string, person: string): Promise<Right | undefined> {
  return strictest(act, await jobQueries.lines(tx, [id], person));
}

/** What an act on all of these requires. */
export function strictest(act: Act, lines: readonly { kind: string; isOwn: boolean }[]): Right | undefined {
  const all = lines.map(({ kind, isOwn }) => rightTo(act, kind, isOwn));
  if (all.length === 0) return rightTo(act, "", false);
  return all.reduce((one, other) => {
    if (!one || !other) return undefined;
    const minRank = isAtLeast(one.minRank, other.minRank) ? one.minRank : other.minRank;
    return { minRank, needsReason: one.needsReason || other.needsReason };
  });
}

/** Throws `ForbiddenError` and `ReasonNeededError`. */
export function demand(act: Act, right: Right | undefined, { rank, reason }: Operator): void {
  if (!right)
    throw new ForbiddenError(`Access denied: '${act}' is not allowed here; a job of this kind has to finish.`);
  if (!isAtLeast(rank, right.minRank))
    throw new ForbiddenError(`Access denied: '${act}' requires the rank ${right.minRank} here; yours is ${rank}.`);
  if (right.needsReason && !reason?.trim()) throw new ReasonNeededError(act);
}
