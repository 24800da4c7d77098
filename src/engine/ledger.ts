import type { DataSource, EntityManager } from "typeorm";
import { type KeyedPool, type Prepared, prepare, withoutDurableCommit } from "../platform/postgres/prepared.ts";
import type { PromisedJob } from "./dispatch.ts";
import {
  type Cancellation,
  Job,
  type JobAttempt,
  type JobError,
  type JobProgress,
  type JobState,
} from "./job-entity.ts";
import { dispatchSql, recordPromised } from "./outbox.ts";

/** A job that this process holds, and the fencing token that proves it. */
export interface Claim {
  id: string;
  epoch: number;
  /** Name of the worker and number of its claim: tells apart two claims that have the same epoch after a crash. */
  claimedBy: string;
  kind: string;
  payload: unknown;
  payloadVersion: number;
  failures: number;
  maxFailures: number;
  crashes: number;
  maxCrashes: number;
  groupKey: string | null;
  actorId: string | null;
  traceId: string | null;
  parentId: string | null;
}

/** What proves that a claim holds. */
export type HeldClaim = Pick<Claim, "id" | "epoch" | "claimedBy">;

export type ClaimResult =
  | { outcome: "claimed"; claim: Claim }
  /** Over already, or deleted (`job` is null then). */
  | { outcome: "finished"; job: Job | null }
  /** Another worker holds it for this many more milliseconds. */
  | { outcome: "held"; waitMs: number };

/** Thrown when another worker has claimed the job: what this one has not committed must not happen. */
export class FencedError extends Error {
  override readonly name = "FencedError";
}

/** Thrown into a run whose job was cancelled. */
export class CancelledError extends Error {
  override readonly name = "CancelledError";
}

/** How many unsuccessful runs a row remembers. */
const keptAttempts = 20;

/** SQL of `attempts` with one more entry; the oldest is dropped when there are too many. */
const withAttempt = (entry: string) =>
  `(CASE WHEN jsonb_array_length(attempts) >= ${keptAttempts} THEN attempts - 0 ELSE attempts END) || ${entry}`;

const iso = (column: string) => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

const crashedAttempt = `jsonb_build_object('epoch', epoch, 'worker', claimed_by, 'started_at', ${iso("claimed_at")},
  'ended_at', ${iso("now()")}, 'outcome', 'crashed', 'error', NULL)`;

let claimNumber = 0;

/**
 * Postgres may lose a claim in a crash: another worker then claims the job, and the first claim is fenced by its name.
 * Any later commit of a run makes its claim durable as well. See docs/decisions/0013.
 */
const claimSql = `
  UPDATE job SET
    state = 'running', epoch = epoch + 1, claimed_by = $2, claimed_at = now(),
    lease_until = now() + $3 * interval '1 millisecond',
    crashes = crashes + CASE WHEN state = 'running' THEN 1 ELSE 0 END,
    attempts = CASE WHEN state = 'running' THEN ${withAttempt(crashedAttempt)} ELSE attempts END,
    started_at = coalesce(started_at, now())
  WHERE ${withoutDurableCommit} AND id = ANY($1) AND cancellation IS NULL AND (state = 'open' OR (state = 'running' AND lease_until < now()))
  RETURNING id, epoch, claimed_by AS "claimedBy", kind, payload, payload_v AS "payloadVersion", failures, max_failures AS "maxFailures",
            crashes, max_crashes AS "maxCrashes", group_key AS "groupKey", actor_id AS "actorId", trace_id AS "traceId",
            parent_id AS "parentId"`;

const claimStatement = prepare(claimSql);

/**
 * Claims jobs for `leaseMs`, in one statement; at most one caller gets each. To claim the job of a worker that died
 * counts as a crash. Results are in the order of `ids`; a duplicate id is claimed once.
 */
export async function claimJobs(
  db: DataSource,
  pool: KeyedPool,
  ids: readonly string[],
  worker: string,
  leaseMs: number,
): Promise<ClaimResult[]> {
  const rows = await pool.run<Claim>(claimStatement, [ids, `${worker} ${++claimNumber}`, leaseMs]);
  const claims = new Map(rows.map((claim) => [claim.id, claim]));
  const results: ClaimResult[] = [];
  for (const id of ids) {
    const claim = claims.get(id);
    claims.delete(id);
    results.push(claim ? { outcome: "claimed", claim } : await refusedClaim(db, id));
  }
  return results;
}

async function refusedClaim(db: DataSource, id: string): Promise<ClaimResult> {
  const job = await findJob(db.manager, id);
  if (!job || job.finishedAt || job.state === "waiting") return { outcome: "finished", job };
  const [held]: { waitMs: number | null }[] = await db.query(
    'SELECT ceil(extract(epoch FROM lease_until - now()) * 1000)::int AS "waitMs" FROM job WHERE id = $1',
    [id],
  );
  return { outcome: "held", waitMs: Math.max(0, held?.waitMs ?? 0) };
}

const held = "unnest($1::uuid[], $2::int[], $3::text[]) AS held (id, epoch, claimed_by)";
/** SQL: the claim in the row of `held` holds the row of `job`. */
export const claimHolds =
  "job.id = held.id AND job.epoch = held.epoch AND job.claimed_by = held.claimed_by AND job.state = 'running'";

/** Claims as the parameters `$1::uuid[]`, `$2::int[]` and `$3::text[]`: ids, epochs, names. */
export function columnsOf(claims: readonly HeldClaim[]) {
  return [
    claims.map(({ id }) => id),
    claims.map(({ epoch }) => epoch),
    claims.map(({ claimedBy }) => claimedBy),
  ] as const;
}

/** The state of a claim: it holds, another worker has the job, or the job is cancelled. */
export type ClaimState = "held" | "lost" | "cancelled";

/** Renews leases in one statement, and returns the state of each claim, in their order. */
export async function renewLeases(
  db: DataSource,
  claims: readonly HeldClaim[],
  leaseMs: number,
): Promise<ClaimState[]> {
  const [rows]: [ClaimRow[], number] = await db.query(
    `UPDATE job SET lease_until = now() + $4 * interval '1 millisecond'
     FROM ${held} WHERE ${claimHolds}
     RETURNING job.id, job.epoch, job.cancellation IS NOT NULL AS cancelled`,
    [...columnsOf(claims), leaseMs],
  );
  return statesOf(claims, rows);
}

/** The state of each claim, in their order, without renewing the leases. */
export async function checkClaims(db: DataSource, claims: readonly HeldClaim[]): Promise<ClaimState[]> {
  const rows: ClaimRow[] = await db.query(
    `SELECT job.id, job.epoch, job.cancellation IS NOT NULL AS cancelled
     FROM job, ${held} WHERE ${claimHolds}`,
    columnsOf(claims),
  );
  return statesOf(claims, rows);
}

interface ClaimRow {
  id: string;
  epoch: number;
  cancelled: boolean;
}

/** One process may hold an old claim and a new one on the same job. */
export const claimKey = ({ id, epoch }: Pick<Claim, "id" | "epoch">) => `${id} ${epoch}`;

function statesOf(claims: readonly HeldClaim[], rows: ClaimRow[]): ClaimState[] {
  const found = new Map(rows.map((row) => [claimKey(row), row.cancelled]));
  return claims.map((claim) => {
    const cancelled = found.get(claimKey(claim));
    if (cancelled === undefined) return "lost";
    return cancelled ? "cancelled" : "held";
  });
}

/** Records the progress of jobs, in one statement; ignores claims that are lost. */
export async function recordProgress(
  db: DataSource,
  steps: readonly (HeldClaim & { progress: JobProgress })[],
): Promise<void> {
  await db.query(
    `UPDATE job SET progress = held.progress
     FROM unnest($1::uuid[], $2::int[], $3::jsonb[]) AS held (id, epoch, progress)
     WHERE job.id = held.id AND job.epoch = held.epoch AND job.state = 'running'`,
    [steps.map(({ id }) => id), steps.map(({ epoch }) => epoch), steps.map(({ progress }) => JSON.stringify(progress))],
  );
}

/** The state of a job whose own work is done: it has succeeded, or waits for its children. */
export type DoneState = Extract<JobState, "succeeded" | "waiting">;

/** SQL: ends the work of jobs whose claim is in `held`. */
const endWell = (changes = "") => `
  UPDATE job SET state = CASE WHEN children.are_left THEN 'waiting' ELSE 'succeeded' END,
    finished_at = CASE WHEN children.are_left THEN NULL ELSE now() END, lease_until = NULL${changes}
  FROM ${held} CROSS JOIN LATERAL (
    SELECT EXISTS (SELECT FROM job child WHERE child.parent_id = held.id AND child.finished_at IS NULL) AS are_left
  ) children
  WHERE job.id = ANY($1) AND ${claimHolds}
  RETURNING job.id, job.epoch, job.state`;

const completeSql = endWell(", result = $4, progress = coalesce($5, progress)");

/**
 * Marks a claimed job as succeeded, or as waiting for its children, in the transaction that holds its effect, and
 * returns which of them; throws `FencedError` when the claim is lost, which rolls that effect back. The row stays
 * locked until the transaction ends.
 */
export async function completeJob(
  tx: EntityManager,
  claim: HeldClaim,
  result: unknown,
  progress?: JobProgress,
): Promise<DoneState> {
  const [[done]]: [Done[], number] = await tx.query(completeSql, [
    ...columnsOf([claim]),
    result === undefined ? null : JSON.stringify(result),
    progress ?? null,
  ]);
  if (!done) throw fenced(claim.id);
  return done.state;
}

/**
 * Marks claimed jobs without an effect in Postgres as succeeded, or as waiting for their children, in one statement;
 * returns the new state of each, in their order, and undefined where the claim was lost.
 */
export async function finishJobs(pool: KeyedPool, claims: readonly HeldClaim[]): Promise<(DoneState | undefined)[]> {
  const done = await finishBy(finishStatement, pool, claims);
  const left = claims.filter((claim) => !done.has(claimKey(claim)));
  const others = left.length > 0 ? await finishBy(finishParentsStatement, pool, left) : undefined;
  return claims.map((claim) => done.get(claimKey(claim)) ?? others?.get(claimKey(claim)));
}

async function finishBy(statement: Prepared, pool: KeyedPool, claims: readonly HeldClaim[]) {
  const rows = await pool.run<Done>(statement, columnsOf(claims));
  return new Map(rows.map((row) => [claimKey(row), row.state]));
}

/** Most jobs have no children, and a condition costs them less than `endWell` does: 10 µs of 250 instead of 25. */
const finishStatement = prepare(
  `UPDATE job SET state = 'succeeded', finished_at = now(), lease_until = NULL
   FROM ${held} WHERE job.id = ANY($1) AND ${claimHolds}
     AND NOT EXISTS (SELECT FROM job child WHERE child.parent_id = held.id AND child.finished_at IS NULL)
   RETURNING job.id, job.epoch, job.state`,
);
const finishParentsStatement = prepare(endWell());

interface Done extends Pick<Claim, "id" | "epoch"> {
  state: DoneState;
}

/**
 * Makes sure, until the transaction ends, that the claim holds and the job is not cancelled; throws `FencedError`
 * or `CancelledError`.
 */
export async function lockClaim(tx: EntityManager, { id, epoch, claimedBy }: HeldClaim): Promise<void> {
  const [row]: { cancelled: boolean }[] = await tx.query(
    `SELECT cancellation IS NOT NULL AS cancelled FROM job
     WHERE id = $1 AND epoch = $2 AND claimed_by = $3 AND state = 'running' FOR UPDATE`,
    [id, epoch, claimedBy],
  );
  if (!row) throw fenced(id);
  if (row.cancelled) throw cancelledError(id);
}

/** The claim on a job is lost. */
export const fenced = (id: string) => new FencedError(`Job '${id}' is held by another worker now`);

/** A job was cancelled. */
export const cancelledError = (id: string) => new CancelledError(`Job '${id}' is cancelled`);

/**
 * Attempts that a failure costs: `none` for outages and shutdowns, `one` for a failure of the work, `all` for a failure
 * that no retry can repair.
 */
export type FailureCost = "none" | "one" | "all";

/** The end of an unsuccessful run. */
export interface Release {
  /** `cancelled` and `unknown` end the job; so do `failed` runs that have used up its attempts. */
  outcome: Exclude<JobAttempt["outcome"], "crashed">;
  cost: FailureCost;
  error: JobError | null;
  /** The common key of failures with one cause. */
  errorKey: string | null;
}

/**
 * Releases a claimed job after an unsuccessful run; returns its new state: `open` means that it will be retried.
 * Returns undefined when the claim is lost, and changes nothing then.
 */
export async function releaseJob(
  db: DataSource,
  { id, epoch, claimedBy }: HeldClaim,
  { outcome, cost, error, errorKey }: Release,
): Promise<JobState | undefined> {
  const attempt = `jsonb_build_object('epoch', epoch, 'worker', claimed_by, 'started_at', ${iso("claimed_at")},
    'ended_at', ${iso("now()")}, 'outcome', $6::text, 'error', $4::jsonb - 'at')`;
  const next = `CASE WHEN cancellation IS NOT NULL AND $6::text <> 'unknown' THEN 'cancelled'
    WHEN $6::text IN ('cancelled', 'unknown') THEN $6::text
    WHEN $3 = 'all' OR ($3 = 'one' AND failures + 1 >= max_failures) THEN 'failed' ELSE 'open' END`;
  const [rows]: [{ state: JobState }[], number] = await db.query(
    `UPDATE job SET
       failures = failures + CASE WHEN $3 = 'none' THEN 0 ELSE 1 END,
       state = ${next},
       finished_at = CASE WHEN ${next} <> 'open' THEN now() END,
       lease_until = NULL, last_error = coalesce($4::jsonb, last_error), error_key = coalesce($5::text, error_key),
       attempts = ${withAttempt(attempt)}
     WHERE id = $1 AND epoch = $2 AND claimed_by = $7 AND state = 'running'
     RETURNING state`,
    [id, epoch, cost, error && JSON.stringify(error), errorKey, outcome, claimedBy],
  );
  return rows[0]?.state;
}

/**
 * Snoozes a claimed job: it is enqueued again under the next generation, which costs no attempt. Throws `FencedError`
 * or `CancelledError`.
 */
export async function snoozeJob(tx: EntityManager, claim: HeldClaim, delayMs: number): Promise<void> {
  await lockClaim(tx, claim);
  const rows: PromisedJob[] = await tx.query(
    `WITH snoozed AS (
       UPDATE job SET state = 'open', gen = gen + 1, lease_until = NULL, run_at = now() + $2 * interval '1 millisecond'
       WHERE id = $1
       RETURNING id, queue, kind, gen, priority, max_failures, run_at, group_key
     )
     ${dispatchSql("snoozed")}`,
    [claim.id, delayMs],
  );
  recordPromised(tx, rows);
}

/**
 * Cancels jobs and all that are parts of them, in the caller's transaction: open ones at once, running ones by a mark
 * that their workers see. Leaves finished jobs alone.
 */
export async function cancelJobs(tx: EntityManager, ids: readonly string[], cancellation: Cancellation): Promise<void> {
  const mark = JSON.stringify(cancellation);
  const reached: string[] = [];
  // Parents before their parts: a transaction that enqueues a page of children holds its parent.
  for (let column = "id", level = ids; level.length > 0; column = "parent_id") {
    const [rows]: [{ id: string }[], number] = await tx.query(
      `UPDATE job SET ${cancelled} WHERE ${column} = ANY($1) AND finished_at IS NULL RETURNING id`,
      [level, mark],
    );
    level = rows.map(({ id }) => id);
    reached.push(...level);
  }
  if (reached.length === 0) return;
  await tx.query(
    `DELETE FROM job_outbox USING job
     WHERE job_outbox.job_id = ANY($1) AND job.id = job_outbox.job_id AND job.state = 'cancelled'`,
    [reached],
  );
}

const cancelled = `
  cancellation = coalesce(cancellation, $2::jsonb),
  finished_at = CASE WHEN state = 'running' THEN NULL ELSE now() END,
  state = CASE WHEN state = 'running' THEN state ELSE 'cancelled' END`;

/**
 * Reopens a failed, cancelled or unknown job with all its attempts and enqueues it under the next generation; returns
 * false, and changes nothing, when it is in another state. The parts that were cancelled with it are reopened as well:
 * the run only finds them, since they have their keys. Parts that ended in another way stay as they are.
 */
export async function reopenJob(tx: EntityManager, id: string): Promise<boolean> {
  return (await reopenJobs(tx, [id])).length > 0;
}

/** As `reopenJob`, for many in one statement; returns those of `ids` that are open again. */
export async function reopenJobs(tx: EntityManager, ids: readonly string[]): Promise<string[]> {
  const rows: PromisedJob[] = await tx.query(
    `WITH RECURSIVE reached AS (
       SELECT id, cancellation FROM job WHERE id = ANY($1) AND ended_badly
       UNION
       SELECT part.id, part.cancellation FROM reached JOIN job part ON part.parent_id = reached.id
       WHERE part.state = 'cancelled' AND part.cancellation = reached.cancellation
     ), reopened AS (
       UPDATE job SET state = 'open', gen = gen + 1, failures = 0, crashes = 0, finished_at = NULL, run_at = now(),
         cancellation = NULL, progress = NULL
       FROM reached WHERE job.id = reached.id AND ended_badly
       RETURNING job.id, queue, kind, gen, priority, max_failures, run_at, group_key
     )
     ${dispatchSql("reopened")}`,
    [ids],
  );
  recordPromised(tx, rows);
  const reopened = new Set(rows.map(({ jobId }) => jobId));
  return ids.filter((id) => reopened.has(id));
}

/** The ledger row of a job, or null. */
export function findJob(tx: EntityManager, id: string) {
  return tx.findOneBy(Job, { id });
}
