import type { DataSource, EntityManager } from "typeorm";
import { v7 as uuidv7 } from "uuid";
import { forceIndexScan, prepare, runPrepared, withoutDurableCommit } from "../platform/postgres/prepared.ts";
import { errorKeyOf } from "./classify-error.ts";
import type { AnyJob, PayloadOf } from "./define-job.ts";
import type { Dispatch, Outbox, PromisedJob, Publish } from "./dispatch.ts";
import { takeFairShare } from "./fair-dispatch.ts";
import type { OutboxStats } from "./scaling/autoscaler.ts";
import { contextOf } from "./transaction.ts";

export interface EnqueueOptions {
  /** Overrides the priority of the definition. */
  priority?: number;
  /** The parent job, of whose work this one is a part. */
  parentId?: string;
  /** Delays the job by this many milliseconds, by the clock of Postgres. */
  delayMs?: number;
}

/**
 * SQL that adds the rows of a preceding CTE to the outbox and returns them; they need the columns id, queue, kind, gen,
 * priority, max_failures, run_at and group_key.
 */
export const dispatchSql = (rows: string) => `
  INSERT INTO job_outbox (job_id, queue, kind, gen, priority, max_failures, run_at, group_key)
  SELECT id, queue, kind, gen, priority, max_failures, run_at, group_key FROM ${rows}
  ON CONFLICT (job_id) DO UPDATE SET gen = excluded.gen, run_at = excluded.run_at
  RETURNING job_id AS "jobId", queue, kind, gen, priority, max_failures AS "maxFailures", group_key AS "groupKey",
            run_at <= now() AS "isDue"`;

/** Adds enqueued jobs to the transaction's context, so that they are published as soon as it has committed. */
export function recordPromised(tx: EntityManager, rows: readonly PromisedJob[]) {
  contextOf(tx).promised.push(...rows);
}

const promising = (wanted: string) =>
  prepare(`
  WITH promised AS (
    INSERT INTO job (id, payload, dedupe_key, entity_type, entity_id, group_key,
                     queue, kind, payload_v, priority, max_failures, actor_id, trace_id, parent_id, run_at)
    SELECT id, payload, dedupe_key, entity_type, entity_id, group_key,
           $7, $8, $9, $10, $11, $12, $13, $14, now() + $15 * interval '1 millisecond'
    FROM ${wanted} AS wanted (id, payload, dedupe_key, entity_type, entity_id, group_key)
    ON CONFLICT (dedupe_key) WHERE dedupe_key IS NOT NULL DO NOTHING
    RETURNING id, queue, kind, gen, priority, max_failures, run_at, group_key
  )
  ${dispatchSql("promised")}`);
const promiseOne = promising("(VALUES ($1::uuid, $2::jsonb, $3::text, $4::text, $5::text, $6::text))");
const promiseMany = promising("unnest($1::uuid[], $2::jsonb[], $3::text[], $4::text[], $5::text[], $6::text[])");

/**
 * Enqueues a job inside the caller's transaction: it will run if, and only if, that transaction commits.
 * Returns the id of its ledger row; a second call with the same key changes nothing and returns the first id.
 */
export async function enqueue<J extends AnyJob>(
  tx: EntityManager,
  job: J,
  payload: PayloadOf<J>,
  options: EnqueueOptions = {},
): Promise<string> {
  const [id] = await enqueueAll(tx, job, [payload], options);
  return String(id);
}

/** As `enqueue`, for many jobs of one kind in one statement; ids come in the order of `payloads`. */
export async function enqueueAll<J extends AnyJob>(
  tx: EntityManager,
  job: J,
  payloads: readonly PayloadOf<J>[],
  { priority = job.priority, parentId, delayMs = 0 }: EnqueueOptions = {},
): Promise<string[]> {
  const wanted = payloads.map((payload) => {
    const data = job.payload.parse(payload) as PayloadOf<J>;
    const entity = job.entity(data);
    return { id: uuidv7(), data, key: `${job.name}:${job.key(data)}`, entity, group: job.group?.(data) ?? null };
  });
  const { actorId, traceId } = contextOf(tx);
  const columns = [
    wanted.map(({ id }) => id),
    wanted.map(({ data }) => JSON.stringify(data)),
    wanted.map(({ key }) => key),
    wanted.map(({ entity }) => entity.type),
    wanted.map(({ entity }) => entity.id),
    wanted.map(({ group }) => group),
  ];
  const isOne = wanted.length === 1;
  const rows = await runPrepared<PromisedJob>(tx, isOne ? promiseOne : promiseMany, [
    ...(isOne ? columns.flat() : columns),
    job.queue,
    job.name,
    job.version,
    priority,
    job.retry.attempts,
    actorId,
    traceId,
    parentId ?? null,
    delayMs,
  ]);
  recordPromised(tx, rows);
  const promised = new Set(rows.map(({ jobId }) => jobId));
  const others = wanted.filter(({ id }) => !promised.has(id)).map(({ key }) => key);
  const first = others.length > 0 ? await idsOf(tx, others) : new Map<string, string>();
  return wanted.map(({ id, key }) => {
    const known = promised.has(id) ? id : first.get(key);
    if (!known) throw new Error(`Job '${key}' was neither enqueued nor found`);
    return known;
  });
}

async function idsOf(tx: EntityManager, keys: string[]) {
  const rows: { id: string; key: string }[] = await tx.query(
    "SELECT id, dedupe_key AS key FROM job WHERE dedupe_key = ANY($1)",
    [keys],
  );
  return new Map(rows.map(({ key, id }) => [key, id]));
}

const takeSql = `
  WITH due AS (
    SELECT job_id FROM job_outbox
    WHERE group_key IS NULL AND run_at <= now() - $3 * interval '1 millisecond' AND queue = ANY($1)
    ORDER BY priority, run_at LIMIT $2
    FOR UPDATE SKIP LOCKED
  ), taken AS (
    DELETE FROM job_outbox USING due WHERE job_outbox.job_id = due.job_id RETURNING job_outbox.*
  )
  SELECT job_id AS "jobId", queue, kind, gen, priority, max_failures AS "maxFailures"
  FROM taken ORDER BY priority, run_at`;

/** The outbox, for a relay that serves these queues. */
export function createOutbox(db: DataSource, queues: readonly string[]): Outbox {
  return {
    take: (size, olderThanMs, publish) =>
      publishing(db, publish, (tx) => tx.query(takeSql, [queues, size, olderThanMs])),
    async takeFairShare(publish) {
      // In the order of its index, or the planner reads the table, with all rows deleted since the last vacuum.
      const [waits] = await db.query(
        `SELECT 1 FROM job_outbox WHERE group_key IS NOT NULL AND run_at <= now()
         ORDER BY queue, group_key, priority, run_at LIMIT 1`,
      );
      return waits ? publishing(db, publish, (tx) => takeFairShare(tx, queues)) : 0;
    },
    async remove(jobs) {
      await db.query(
        `DELETE FROM job_outbox USING unnest($1::uuid[], $2::int[]) AS sent (job_id, gen)
         WHERE ${withoutDurableCommit} AND job_outbox.job_id = sent.job_id AND job_outbox.gen = sent.gen`,
        [jobs.map(({ jobId }) => jobId), jobs.map(({ gen }) => gen)],
      );
    },
  };
}

async function publishing(db: DataSource, publish: Publish, take: (tx: EntityManager) => Promise<Dispatch[]>) {
  return db.transaction(async (tx) => {
    // A lost commit only publishes the same ids again, and Redis may be slow while the rows are locked.
    await tx.query(
      `SET LOCAL synchronous_commit = off; SET LOCAL idle_in_transaction_session_timeout = '5s'; ${forceIndexScan}`,
    );
    const jobs = await take(tx);
    if (jobs.length === 0) return 0;
    for (const { job, reason } of await publish(jobs)) await failUnpublishable(tx, job, reason);
    return jobs.length;
  });
}

async function failUnpublishable(tx: EntityManager, { jobId }: Dispatch, reason: string) {
  const error = { name: "UnpublishableError", message: `It cannot be put into its queue: ${reason}` };
  await tx.query(
    `UPDATE job SET state = 'failed', finished_at = now(), error_key = $3,
       last_error = $2::jsonb || jsonb_build_object('at', now())
     WHERE id = $1 AND finished_at IS NULL`,
    [jobId, JSON.stringify(error), errorKeyOf(error)],
  );
}

/**
 * By queue: jobs on the outbox that have been due for a second, how many seconds the oldest has been, and the oldest
 * that does not wait for its group's share; also the queues that people have paused.
 */
export async function readOutboxStats(tx: EntityManager): Promise<OutboxStats> {
  // Younger rows are being published, or are in Redis already and not removed yet.
  const promised: OutboxStats["promised"] = await tx.query(
    `SELECT queue, count(*)::int AS jobs, extract(epoch FROM now() - min(run_at))::float8 AS "oldestSeconds",
       coalesce(extract(epoch FROM now() - min(run_at) FILTER (WHERE group_key IS NULL)), 0)::float8 AS "lagSeconds"
     FROM job_outbox WHERE run_at <= now() - interval '1 second' GROUP BY queue ORDER BY queue`,
  );
  const paused: { queue: string }[] = await tx.query("SELECT queue FROM queue_pause ORDER BY queue");
  return { promised, paused: paused.map(({ queue }) => queue) };
}
