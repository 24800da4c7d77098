import type { DataSource, EntityManager } from "typeorm";
import { Job, type JobError, type JobState } from "./entities/job.ts";

/** A job that this process holds, and the fencing token that proves it. */
export interface Claim {
  id: string;
  epoch: number;
  kind: string;
  payload: unknown;
  payloadVersion: number;
  failures: number;
  maxFailures: number;
  crashes: number;
  maxCrashes: number;
  traceId: string | null;
}

export type ClaimResult =
  | { outcome: "claimed"; claim: Claim }
  /** Over already, or gone (`job` is null then). */
  | { outcome: "finished"; job: Job | null }
  /** Another worker holds it for so many more milliseconds. */
  | { outcome: "held"; waitMs: number };

/** Thrown when another worker has claimed the job since: whatever this one has not committed must not happen. */
export class FencedError extends Error {
  override readonly name = "FencedError";
}

const claimSql = `
  UPDATE job SET
    state = 'running', epoch = epoch + 1, claimed_by = $2, lease_until = now() + $3 * interval '1 millisecond',
    crashes = crashes + CASE WHEN state = 'running' THEN 1 ELSE 0 END, started_at = coalesce(started_at, now())
  WHERE id = $1 AND (state = 'open' OR (state = 'running' AND lease_until < now()))
  RETURNING id, epoch, kind, payload, payload_v AS "payloadVersion", failures, max_failures AS "maxFailures",
            crashes, max_crashes AS "maxCrashes", trace_id AS "traceId"`;

/** Takes a job for `leaseMs`; at most one caller gets it. Taking over from a worker that died counts as a crash. */
export async function claimJob(db: DataSource, id: string, worker: string, leaseMs: number): Promise<ClaimResult> {
  const [rows]: [Claim[], number] = await db.query(claimSql, [id, worker, leaseMs]);
  if (rows[0]) return { outcome: "claimed", claim: rows[0] };
  const job = await findJob(db.manager, id);
  if (!job || job.finishedAt) return { outcome: "finished", job };
  const [held]: { waitMs: number }[] = await db.query(
    'SELECT greatest(0, ceil(extract(epoch FROM lease_until - now()) * 1000))::int AS "waitMs" FROM job WHERE id = $1',
    [id],
  );
  return { outcome: "held", waitMs: held?.waitMs ?? 0 };
}

/** Prolongs the lease of a claim; false when somebody else holds the job now. */
export async function renewLease(db: DataSource, { id, epoch }: Claim, leaseMs: number): Promise<boolean> {
  const [, affected]: [unknown, number] = await db.query(
    "UPDATE job SET lease_until = now() + $3 * interval '1 millisecond' WHERE id = $1 AND epoch = $2 AND state = 'running'",
    [id, epoch, leaseMs],
  );
  return affected === 1;
}

/**
 * Marks a claimed job as succeeded, in the transaction that holds its effect; throws `FencedError` when the claim is
 * lost, which rolls that effect back. The row stays locked until the transaction ends.
 */
export async function completeJob(tx: EntityManager, { id, epoch }: Claim, result: unknown): Promise<void> {
  const [, affected]: [unknown, number] = await tx.query(
    `UPDATE job SET state = 'succeeded', result = $3, finished_at = now(), lease_until = NULL
     WHERE id = $1 AND epoch = $2 AND state = 'running'`,
    [id, epoch, result === undefined ? null : JSON.stringify(result)],
  );
  if (affected !== 1) throw new FencedError(`Job '${id}' is held by another worker since`);
}

/** Makes sure, until the transaction ends, that the claim holds; throws `FencedError` when it is lost. */
export async function holdJob(tx: EntityManager, { id, epoch }: Claim): Promise<void> {
  const rows = await tx.query("SELECT 1 FROM job WHERE id = $1 AND epoch = $2 AND state = 'running' FOR UPDATE", [
    id,
    epoch,
  ]);
  if (rows.length !== 1) throw new FencedError(`Job '${id}' is held by another worker since`);
}

/** What a failure costs: `none` is for outages and shutdowns, `all` for what no repetition can mend. */
export type FailureCost = "none" | "one" | "all";

/**
 * Gives a claimed job back after a failure; returns its state then: `open` (will be tried again) or `failed`.
 * Returns undefined when the claim is lost, and changes nothing then.
 */
export async function releaseJob(
  db: DataSource,
  { id, epoch }: Claim,
  cost: FailureCost,
  error: JobError | null,
): Promise<JobState | undefined> {
  const [rows]: [{ state: JobState }[], number] = await db.query(
    `UPDATE job SET
       failures = failures + CASE WHEN $3 = 'none' THEN 0 ELSE 1 END,
       state = CASE WHEN $3 = 'all' OR ($3 = 'one' AND failures + 1 >= max_failures) THEN 'failed' ELSE 'open' END,
       finished_at = CASE WHEN $3 = 'all' OR ($3 = 'one' AND failures + 1 >= max_failures) THEN now() END,
       lease_until = NULL, last_error = coalesce($4, last_error)
     WHERE id = $1 AND epoch = $2 AND finished_at IS NULL
     RETURNING state`,
    [id, epoch, cost, error && JSON.stringify(error)],
  );
  return rows[0]?.state;
}

/** The ledger row of a job, or null. */
export function findJob(tx: EntityManager, id: string) {
  return tx.findOneBy(Job, { id });
}
