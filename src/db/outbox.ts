import type { DataSource, EntityManager } from "typeorm";
import { v7 as uuidv7 } from "uuid";
import type { AnyJob, PayloadOf } from "../jobs/define-job.ts";
import type { Dispatch } from "../jobs/dispatch.ts";
import { noteOf } from "./transaction.ts";

export interface PromiseOptions {
  /** Overrides the priority of the definition. */
  priority?: number;
}

const promiseSql = `
  WITH promised AS (
    INSERT INTO job (id, queue, kind, payload, payload_v, dedupe_key, entity_type, entity_id, priority,
                     max_failures, actor_id, trace_id)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
    ON CONFLICT (dedupe_key) WHERE dedupe_key IS NOT NULL DO NOTHING
    RETURNING id, queue, kind, gen, priority, max_failures, run_at
  ), outboxed AS (
    INSERT INTO job_outbox (job_id, queue, kind, gen, priority, max_failures, run_at)
    SELECT id, queue, kind, gen, priority, max_failures, run_at FROM promised
  )
  SELECT id FROM promised`;

/**
 * Promises a job inside the caller's transaction: it will run if, and only if, that transaction commits.
 * Returns the id of its ledger row; a second promise under the same key changes nothing and returns the first id.
 */
export async function enqueue<J extends AnyJob>(
  tx: EntityManager,
  job: J,
  payload: PayloadOf<J>,
  options: PromiseOptions = {},
): Promise<string> {
  const data = job.payload.parse(payload) as PayloadOf<J>;
  const dedupeKey = `${job.name}:${job.key(data)}`;
  const { type, id } = job.entity(data);
  const note = noteOf(tx);
  const rows: { id: string }[] = await tx.query(promiseSql, [
    uuidv7(),
    job.queue,
    job.name,
    JSON.stringify(data),
    job.version,
    dedupeKey,
    type,
    id,
    options.priority ?? job.priority,
    job.retry.attempts,
    note.actorId,
    note.traceId,
  ]);
  note.promised = true;
  if (rows[0]) return rows[0].id;
  const [first]: { id: string }[] = await tx.query("SELECT id FROM job WHERE dedupe_key = $1", [dedupeKey]);
  if (!first) throw new Error(`Job '${dedupeKey}' was neither promised nor found`);
  return first.id;
}

const takeSql = `
  WITH due AS (
    SELECT job_id FROM job_outbox
    WHERE run_at <= now() AND queue = ANY($1)
    ORDER BY priority, run_at LIMIT $2
    FOR UPDATE SKIP LOCKED
  ), taken AS (
    DELETE FROM job_outbox USING due WHERE job_outbox.job_id = due.job_id
    RETURNING job_outbox.*
  ), marked AS (
    UPDATE job SET dispatched_at = now() FROM taken WHERE job.id = taken.job_id AND job.finished_at IS NULL
  )
  SELECT job_id AS "jobId", queue, kind, gen, priority, max_failures AS "maxFailures"
  FROM taken ORDER BY priority, run_at`;

/**
 * Hands due jobs to `publish` and takes them off the outbox when it resolves; returns how many there were.
 * Any number of processes may do so at once. A crash half-way publishes some jobs again, under the same id.
 */
export async function relayBatch(
  db: DataSource,
  queues: readonly string[],
  size: number,
  publish: (jobs: Dispatch[]) => Promise<void>,
): Promise<number> {
  return db.transaction(async (tx) => {
    // A lost commit only publishes the same ids again, and Redis may keep us waiting with the rows locked.
    await tx.query("SET LOCAL synchronous_commit = off; SET LOCAL idle_in_transaction_session_timeout = '5s'");
    const jobs: Dispatch[] = await tx.query(takeSql, [queues, size]);
    if (jobs.length > 0) await publish(jobs);
    return jobs.length;
  });
}

/** `relayBatch` for a relay that serves these queues. */
export function takeFrom(db: DataSource, queues: readonly string[]) {
  return (size: number, publish: (jobs: Dispatch[]) => Promise<void>) => relayBatch(db, queues, size, publish);
}
