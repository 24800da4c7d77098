import type { EntityManager } from "typeorm";
import { users } from "../../db/dao/accounts/users.ts";
import type { Role } from "../../db/entities/accounts/user.ts";
import { jobQueries } from "../../engine/index.ts";
import { ForbiddenError, ReasonNeededError } from "../../errors.ts";
import type { JobName } from "../../jobs/index.ts";

/** What a person is to the jobs, from least to most: operators are employees whom the configuration names. */
export const standings = ["customer", "employee", "operator", "admin"] as const;
export type Standing = (typeof standings)[number];

/** What an act takes. */
export interface Right {
  least: Standing;
  /** It is done to many at once or cannot be taken back, so that others have to read why. */
  needsReason: boolean;
}

const takes = (least: Standing): Right => ({ least, needsReason: false });
const takesReason = (least: Standing): Right => ({ least, needsReason: true });

/** Nobody may, admins neither. */
const nobody = null;

/** Kinds of job of which only counts whose they are. A new kind stands here, or gets lines of its own in the table. */
export const ordinaryKinds = [
  "collect-garbage",
  "deliver-webhook",
  "digest-low-stock",
  "process-image",
  "prune-ledger",
  "publish-feed",
  "publish-price-list",
  "remake-image",
  // Also an export of what is stored about a person: whoever asked for it may cancel it, and who retries it does not see it.
  "render-document",
  "send-mail",
] as const satisfies readonly JobName[];

type Special = Exclude<JobName, (typeof ordinaryKinds)[number]>;

/** Rights to one act: that of the kind of job, else that to one's own jobs, else that to all others. */
type Row = { readonly [Kind in Special | "own" | "others"]?: Right | null };

/** To an act on whatever job there is: none that is special may be forgotten. */
type FullRow = Row & { readonly [Kind in Special]: Right | null };

/**
 * The one table of who may do what to jobs, which REST, Bull Board and `tcf` ask. What has no line is for nobody. A part
 * of a job takes what the whole takes, if that is more.
 */
export const rights = {
  /** To have it done by hand; what belongs to an order, a picture or a schedule is started with that. */
  start: {
    "erase-person": takesReason("admin"),
    "send-newsletter": takes("admin"),
    "reprocess-images": takes("admin"),
  },
  /** To hold it back, and to let it go on. */
  pause: { "send-newsletter": takes("admin") },
  resume: { "send-newsletter": takes("admin") },
  cancel: {
    own: takes("customer"),
    others: takesReason("operator"),
    // The account is locked out by then, and a half of the person would stay, with the marks that lead to the other half.
    "erase-person": nobody,
    "replay-jobs": takesReason("operator"),
    "reprocess-images": takesReason("admin"),
    "send-newsletter": takesReason("admin"),
  },
  /** To have one run again that ended badly. A replay may be about whatever its author might replay. */
  retry: {
    own: takes("employee"),
    others: takes("operator"),
    "erase-person": takes("admin"),
    "replay-jobs": takesReason("admin"),
    "reprocess-images": takesReason("admin"),
    "send-newsletter": takesReason("admin"),
  },
  /** To send one mail to its recipient again, as a customer asks for. */
  resend: { others: takesReason("employee"), "send-newsletter": takesReason("admin") },
  /** To have what waits for its time run now. */
  promote: { others: takes("operator") },
  /** To have many run again that ended badly. */
  replay: {
    others: takesReason("operator"),
    "erase-person": takesReason("admin"),
    "replay-jobs": takesReason("admin"),
    "reprocess-images": takesReason("admin"),
    "send-newsletter": takesReason("admin"),
  },
  /** To cancel or forget whatever there is in a queue. */
  clear: {
    others: takesReason("admin"),
    "erase-person": nobody,
    "replay-jobs": takesReason("admin"),
    "reprocess-images": takesReason("admin"),
    "send-newsletter": takesReason("admin"),
  },
  "pause-queue": { others: takesReason("operator") },
  "resume-queue": { others: takes("operator") },
  /** To change how fast a queue works, and for whom. */
  "tune-queue": { others: takes("admin") },
  /** To take back such a limit for the moment. */
  "release-queue": { others: takes("operator") },
} as const satisfies Record<"cancel" | "retry" | "replay" | "clear", FullRow> & Record<string, Row>;

export type Act = keyof typeof rights;

/** Who steers jobs, and why. */
export interface Operator {
  /** A user. */
  id: string;
  standing: Standing;
  reason: string | null;
}

/** What an act on a job of this kind takes; undefined where nobody may. */
export function rightTo(act: Act, kind: string, isOwn: boolean): Right | undefined {
  const row: Row = rights[act];
  if (Object.hasOwn(row, kind)) return row[kind as Special] ?? undefined;
  return (isOwn ? row.own : undefined) ?? row.others ?? undefined;
}

/** True for who stands there or above. */
export function isAtLeast(standing: Standing, least: Standing) {
  return standings.indexOf(standing) >= standings.indexOf(least);
}

/** Admins are admins; of employees those are operators whose addresses, in small letters, are listed. */
export function standingOf(
  { role, email }: { role: Role; email: string | null },
  operators: readonly string[],
): Standing {
  if (role !== "EMPLOYEE") return role === "ADMIN" ? "admin" : "customer";
  return email !== null && operators.includes(email.toLowerCase()) ? "operator" : "employee";
}

/** As `standingOf`, for somebody whose address is not known; one look at the user where it decides, else none. */
export async function findStanding(
  tx: EntityManager,
  { id, role, isEmailUnproved = false }: { id: string; role: Role; isEmailUnproved?: boolean },
  operators: readonly string[],
): Promise<Standing> {
  const decides = role === "EMPLOYEE" && operators.length > 0 && !isEmailUnproved;
  const user = decides ? await users.findById(tx, id) : null;
  return standingOf({ role, email: user && user.emailVerified !== false ? user.email : null }, operators);
}

/**
 * Throws `ForbiddenError` unless this person may do so to a job of this kind, and `ReasonNeededError` when no reason was
 * given for what needs one.
 */
export function requireRight(act: Act, kind: string, operator: Operator, isOwn = false): void {
  demand(act, rightTo(act, kind, isOwn), operator);
}

/** As `requireRight`, before it is known whether there is a reason. */
export function requireStanding(act: Act, kind: string, standing: Standing): void {
  demand(act, rightTo(act, kind, false), { id: "", standing, reason: "not asked yet" });
}

/** As `requireRight`, for each of these jobs and all that they are parts of. */
export async function requireRightTo(tx: EntityManager, act: Act, ids: readonly string[], operator: Operator) {
  demand(act, strictest(act, await jobQueries.lines(tx, ids, operator.id)), operator);
}

/** What an act on a job and all that it is a part of takes; undefined where nobody may. */
export async function rightToJob(tx: EntityManager, act: Act, id: string, person: string): Promise<Right | undefined> {
  return strictest(act, await jobQueries.lines(tx, [id], person));
}

/** What an act on all of these takes. */
export function strictest(act: Act, lines: readonly { kind: string; isOwn: boolean }[]): Right | undefined {
  const all = lines.map(({ kind, isOwn }) => rightTo(act, kind, isOwn));
  if (all.length === 0) return rightTo(act, "", false);
  return all.reduce((one, other) => {
    if (!one || !other) return undefined;
    const least = isAtLeast(one.least, other.least) ? one.least : other.least;
    return { least, needsReason: one.needsReason || other.needsReason };
  });
}

/** Throws `ForbiddenError` and `ReasonNeededError`. */
export function demand(act: Act, right: Right | undefined, { standing, reason }: Operator): void {
  if (!right)
    throw new ForbiddenError(`Access denied: '${act}' is not allowed here; what was begun has to come to its end.`);
  if (!isAtLeast(standing, right.least))
    throw new ForbiddenError(`Access denied: '${act}' takes the standing ${right.least} here; yours is ${standing}.`);
  if (right.needsReason && !reason?.trim()) throw new ReasonNeededError(act);
}
