import type { EntityManager } from "typeorm";

/** How long rows are kept (durability 3.8); answers to requests with an Idempotency-Key say so themselves, 7 days. */
const keep = { succeeded: "30 days", endedBadly: "180 days", events: "30 days" };

const expired = (job: string) =>
  `(${job}.finished_at < now() - CASE WHEN ${job}.ended_badly THEN interval '${keep.endedBadly}'
     ELSE interval '${keep.succeeded}' END)`;

export interface PrunedPage {
  removed: number;
  /** Where the next page begins; null: there is none. */
  next: string | null;
}

/** Where the first page ends: after all ids. */
export const lastJobId = "ffffffff-ffff-ffff-ffff-ffffffffffff";

/**
 * Removes old jobs among the `size` that come before `before`, newest first, so that children go before their parents.
 * A child stays as long as its parent may be run again and would promise it anew; a parent as long as it has children,
 * often until the next night. Nothing is left to the cascade of foreign keys, which knows no batches. Ids begin with the time, so that jobs of the last weeks are not even looked at.
 */
export async function pruneJobs(tx: EntityManager, before: string, size: number): Promise<PrunedPage> {
  const [page]: { removed: number; looked: number; next: string }[] = await tx.query(
    `WITH page AS (
       SELECT id FROM job
       WHERE id < least($1::uuid, ${firstIdSince(keep.succeeded)}) ORDER BY id DESC LIMIT $2
     ), old AS (
       SELECT job.id FROM page JOIN job ON job.id = page.id LEFT JOIN job parent ON parent.id = job.parent_id
       WHERE ${expired("job")} AND (parent.id IS NULL OR ${expired("parent")})
         AND NOT EXISTS (SELECT 1 FROM job child WHERE child.parent_id = job.id)
       FOR UPDATE OF job SKIP LOCKED
     ), gone AS (
       DELETE FROM job USING old WHERE job.id = old.id RETURNING job.id
     )
     SELECT (SELECT count(*)::int FROM gone) AS removed, count(*)::int AS looked, min(id::text) AS next FROM page`,
    [before, size],
  );
  if (!page) throw new Error("Postgres did not say what was removed");
  return { removed: page.removed, next: page.looked < size ? null : page.next };
}

/** SQL of the first UUIDv7 of a moment so long ago: 48 bits of milliseconds, then zeros. */
function firstIdSince(age: string) {
  const ms = `lpad(to_hex(floor(extract(epoch FROM now() - interval '${age}') * 1000)::bigint), 12, '0')`;
  return `(${ms} || '70008000000000000000')::uuid`;
}

/** Removes up to `size` answers to requests that may not be repeated any more; returns how many. */
export function pruneIdempotencyKeys(tx: EntityManager, size: number): Promise<number> {
  return remove(
    tx,
    `DELETE FROM idempotency_key WHERE (scope, key) IN (
       SELECT scope, key FROM idempotency_key WHERE expires_at < now() ORDER BY expires_at LIMIT $1
       FOR UPDATE SKIP LOCKED)`,
    size,
  );
}

/** Removes up to `size` notes of messages that their senders do not repeat any more; returns how many. */
export function pruneReceivedEvents(tx: EntityManager, size: number): Promise<number> {
  return remove(
    tx,
    `DELETE FROM received_events WHERE (source, event_id) IN (
       SELECT source, event_id FROM received_events WHERE created_at < now() - interval '${keep.events}' LIMIT $1
       FOR UPDATE SKIP LOCKED)`,
    size,
  );
}

async function remove(tx: EntityManager, sql: string, size: number): Promise<number> {
  const [, removed]: [unknown, number] = await tx.query(sql, [size]);
  return removed;
}
