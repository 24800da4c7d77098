import type { EntityManager } from "typeorm";
import { firstIdSince } from "../platform/postgres/uuid-time.ts";

export interface JobsToPrune {
  /** Days that succeeded jobs are kept, and unsuccessful ones. */
  days: number;
  failedDays: number;
  /** Rows of one transaction. */
  size: number;
  /** The cursor of the page: "", or what the page before returned. */
  after: string;
}

export interface PrunedJobs {
  removed: number;
  /** The cursor of the next page; null: there is none. */
  next: string | null;
}

/** Greater than all ids. */
const highestId = "ffffffff-ffff-ffff-ffff-ffffffffffff";

const expired = (job: string) =>
  `(${job}.finished_at < now() - CASE WHEN ${job}.ended_badly THEN $4::int ELSE $3::int END * interval '1 day')`;

/**
 * Removes old jobs among the `size` that come before `after`, newest first, so that children go before their parents. A
 * child stays as long as its parent may run again and would enqueue it again; a parent as long as it has children,
 * often until the next night. Foreign keys do not cascade, since a cascade has no batches. Ids begin with the time, so
 * that jobs of the last weeks are not even read.
 */
export async function pruneJobs(
  tx: EntityManager,
  { days, failedDays, size, after }: JobsToPrune,
): Promise<PrunedJobs> {
  const [page]: { removed: number; looked: number; next: string }[] = await tx.query(
    `WITH page AS (
       SELECT id FROM job
       WHERE id < least($1::uuid, ${firstIdSince("least($3::int, $4::int)")}) ORDER BY id DESC LIMIT $2
     ), old AS (
       SELECT job.id FROM page JOIN job ON job.id = page.id LEFT JOIN job parent ON parent.id = job.parent_id
       WHERE ${expired("job")} AND (parent.id IS NULL OR ${expired("parent")})
         AND NOT EXISTS (SELECT 1 FROM job child WHERE child.parent_id = job.id)
       FOR UPDATE OF job SKIP LOCKED
     ), gone AS (
       DELETE FROM job USING old WHERE job.id = old.id RETURNING job.id
     )
     SELECT (SELECT count(*)::int FROM gone) AS removed, count(*)::int AS looked, min(id::text) AS next FROM page`,
    [after || highestId, size, days, failedDays],
  );
  if (!page) throw new Error("Postgres did not return what was removed");
  return { removed: page.removed, next: page.looked < size ? null : page.next };
}
