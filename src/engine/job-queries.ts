import type { EntityManager } from "typeorm";
import { Job, type JobState } from "./job-entity.ts";

/** A filter of jobs; an absent condition matches all. */
export interface JobFilter {
  state?: JobState | undefined;
  /** Finds jobs of those kinds whose newest one is in this queue. */
  queue?: string | undefined;
  kind?: string | undefined;
  entity?: { type: string; id: string } | undefined;
  parentId?: string | undefined;
  /** The common key of failures with one cause, as `GET /jobs/failures` returns it. */
  errorKey?: string | undefined;
  /** ISO times: jobs that ended at or after the first, and before the second. */
  endedSince?: string | undefined;
  endedUntil?: string | undefined;
}

export interface Failures {
  kind: string;
  errorKey: string | null;
  count: number;
  firstAt: Date;
  lastAt: Date;
  exampleId: string;
  message: string | null;
}

/** The state of a job, and its last dispatch generation. */
export type JobStatus = Pick<Job, "id" | "state" | "gen">;

/** A kind of the given jobs or of their parents, and whether the given jobs belong to the caller. */
export interface JobLine {
  kind: string;
  isOwn: boolean;
}

/** `$1` is the caller. Thousands of parts of one job make one line. */
const linesFrom = (where: string) => `
  WITH RECURSIVE line AS (
    SELECT DISTINCT kind, parent_id, coalesce(actor_id = $1, false) AS is_own FROM job WHERE ${where}
    UNION
    SELECT job.kind, job.parent_id, line.is_own FROM line JOIN job ON job.id = line.parent_id
  )
  SELECT DISTINCT kind, is_own AS "isOwn" FROM line`;

const unsuccessfulStates: readonly JobState[] = ["failed", "unknown", "cancelled"];
const unfinished: readonly JobState[] = ["open", "running", "waiting"];
const every = "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF";

/** Rows of the ledger for people; hot statements are in `ledger.ts`. */
export const jobQueries = {
  /**
   * Jobs older than `before`, the newest first; ids are in the order of time. Costs the same for a million rows: each
   * kind has an index in that order, and so have unfinished jobs and unsuccessful ones.
   */
  async list(tx: EntityManager, filter: JobFilter, before: string | undefined, limit: number): Promise<Job[]> {
    const { conditions, values } = conditionsOf(filter);
    values.push(before ?? every, limit);
    const [beforeAt, limitAt] = [`$${values.length - 1}`, `$${values.length}`];
    const isNarrow = filter.entity || filter.parentId || filter.kind || unfinished.includes(filter.state as JobState);
    // Kinds of other queues have no match, and a million rows of them would be read to find that out.
    if (!isNarrow) values.push(filter.queue ?? null);
    const rest = `${conditions.join(" AND ") || "true"} AND id < ${beforeAt} ORDER BY id DESC LIMIT ${limitAt}`;
    const sql = isNarrow
      ? `SELECT id FROM job WHERE ${rest}`
      : `${allKinds} SELECT found.id FROM kinds CROSS JOIN LATERAL (
             SELECT id FROM job WHERE kind = kinds.kind AND ${rest}) found
           WHERE $${values.length}::text IS NULL OR kinds.queue = $${values.length} ORDER BY found.id DESC LIMIT ${limitAt}`;
    const ids: { id: string }[] = await tx.query(sql, values);
    if (ids.length === 0) return [];
    return tx
      .createQueryBuilder(Job, "job")
      .whereInIds(ids.map(({ id }) => id))
      .orderBy("job.id", "DESC")
      .getMany();
  },

  /** The number of a job's children, by state. */
  async children(tx: EntityManager, parentId: string): Promise<Partial<Record<JobState, number>>> {
    const rows: { state: JobState; jobs: number }[] = await tx.query(
      "SELECT state, count(*)::int AS jobs FROM job WHERE parent_id = $1 GROUP BY state",
      [parentId],
    );
    return Object.fromEntries(rows.map(({ state, jobs }) => [state, jobs]));
  },

  /** Failures since then by kind and cause, the most frequent first; at most 100 causes. */
  failures: (tx: EntityManager, since: Date): Promise<Failures[]> =>
    tx.query(
      `SELECT kind, error_key AS "errorKey", count(*)::int AS count, min(finished_at) AS "firstAt",
         max(finished_at) AS "lastAt", max(id::text) AS "exampleId",
         (array_agg(last_error->>'message' ORDER BY id DESC))[1] AS message
       FROM job WHERE ended_badly AND state <> 'cancelled' AND finished_at >= $1
       GROUP BY kind, error_key ORDER BY count DESC, kind, error_key LIMIT 100`,
      [since],
    ),

  /** Unsuccessful jobs that ended before then, the oldest first, and their number; locked rows are left out. */
  async unsuccessful(tx: EntityManager, filter: JobFilter, before: Date, limit: number) {
    const { conditions, values } = conditionsOf(filter);
    values.push(before);
    const sql = `FROM job WHERE ${["ended_badly", ...conditions].join(" AND ")} AND finished_at < $${values.length}`;
    const [row]: { count: number }[] = await tx.query(`SELECT count(*)::int AS count ${sql}`, values);
    const ids: { id: string }[] = await tx.query(
      `SELECT id ${sql} ORDER BY id LIMIT ${Math.trunc(limit)} FOR UPDATE SKIP LOCKED`,
      values,
    );
    return { ids: ids.map(({ id }) => id), count: row?.count ?? 0 };
  },

  /** The kinds of these jobs and of all their parents, and whether the jobs belong to this person. */
  lines: (tx: EntityManager, ids: readonly string[], person: string): Promise<JobLine[]> =>
    tx.query(linesFrom("id = ANY($2)"), [person, ids]),

  /** As `lines`, of all unsuccessful jobs that ended before then. */
  linesOfUnsuccessful(tx: EntityManager, filter: JobFilter, before: Date, person: string): Promise<JobLine[]> {
    const { conditions, values } = conditionsOf(filter, [person]);
    values.push(before);
    const where = ["ended_badly", ...conditions, `finished_at < $${values.length}`];
    return tx.query(linesFrom(where.join(" AND ")), values);
  },

  /** The average run of the last fifty jobs of a kind that succeeded, in seconds; undefined when there is none. */
  async typicalSeconds(tx: EntityManager, kind: string): Promise<number | undefined> {
    const [row]: { seconds: number | null }[] = await tx.query(
      `SELECT avg(extract(epoch FROM finished_at - claimed_at))::float8 AS seconds
       FROM (SELECT claimed_at, finished_at FROM job WHERE kind = $1 AND state = 'succeeded' ORDER BY id DESC LIMIT 50) last`,
      [kind],
    );
    return row?.seconds ?? undefined;
  },

  /** State and dispatch generation of those of these jobs that exist. */
  statuses: (tx: EntityManager, ids: readonly string[]): Promise<JobStatus[]> =>
    tx.query("SELECT id, state, gen FROM job WHERE id = ANY($1)", [ids]),

  /**
   * Jobs that wait in a queue or on the outbox for it, with ids between these two, in the order of ids; jobs that are
   * due later are not among them.
   */
  waiting: (tx: EntityManager, queue: string, after: string, before: string, limit: number): Promise<JobStatus[]> =>
    tx.query(
      `SELECT id, state, gen FROM job
       WHERE finished_at IS NULL AND id > $2 AND id < $3 AND queue = $1 AND state = 'open' AND run_at <= now()
       ORDER BY id LIMIT $4`,
      [queue, after, before, limit],
    ),

  /** How many unfinished jobs each queue has, by state. */
  unfinishedByQueue: (tx: EntityManager): Promise<{ queue: string; state: JobState; jobs: number }[]> =>
    tx.query("SELECT queue, state, count(*)::int AS jobs FROM job WHERE finished_at IS NULL GROUP BY queue, state"),

  /** An unfinished job of this kind whose payload has this part. */
  async unfinishedLike(tx: EntityManager, kind: string, part: object): Promise<string | undefined> {
    const [row]: { id: string }[] = await tx.query(
      "SELECT id FROM job WHERE finished_at IS NULL AND kind = $1 AND payload @> $2::jsonb LIMIT 1",
      [kind, JSON.stringify(part)],
    );
    return row?.id;
  },
};

/** All kinds in the ledger, also those unknown to the code, and the queue of each, by jumping through their index. */
const allKinds = `
  WITH RECURSIVE kinds AS (
    (SELECT kind, queue FROM job ORDER BY kind, id DESC LIMIT 1)
    UNION ALL
    SELECT next.kind, next.queue FROM kinds CROSS JOIN LATERAL (
      SELECT kind, queue FROM job WHERE job.kind > kinds.kind ORDER BY kind, id DESC LIMIT 1) next
  )`;

function conditionsOf(
  { state, queue, kind, entity, parentId, errorKey, endedSince, endedUntil }: JobFilter,
  values: unknown[] = [],
) {
  const conditions: string[] = [];
  const add = (sql: (at: string) => string, value: unknown) => {
    values.push(value);
    conditions.push(sql(`$${values.length}`));
  };
  if (state !== undefined) {
    add((at) => `state = ${at}`, state);
    if (unsuccessfulStates.includes(state)) conditions.push("ended_badly");
    else conditions.push(unfinished.includes(state) ? "finished_at IS NULL" : "finished_at IS NOT NULL");
  }
  if (queue !== undefined) add((at) => `queue = ${at}`, queue);
  if (kind !== undefined) add((at) => `kind = ${at}`, kind);
  if (entity !== undefined) {
    add((at) => `entity_type = ${at}`, entity.type);
    add((at) => `entity_id = ${at}`, entity.id);
  }
  if (parentId !== undefined) add((at) => `parent_id = ${at}`, parentId);
  if (errorKey !== undefined) {
    add((at) => `error_key = ${at}`, errorKey);
    conditions.push("ended_badly");
  }
  if (endedSince !== undefined) add((at) => `finished_at >= ${at}`, endedSince);
  if (endedUntil !== undefined) add((at) => `finished_at < ${at}`, endedUntil);
  return { conditions, values };
}
