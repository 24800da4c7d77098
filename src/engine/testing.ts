// The door for tests of an application: they need Postgres, and neither Redis nor a worker. docs/engine.md explains it.

import { isDeepStrictEqual } from "node:util";
import type { Job as BullJob } from "bullmq";
import { Registry } from "prom-client";
import type { DataSource, EntityManager } from "typeorm";
import { createLogger, type Log } from "../platform/logger.ts";
import { createClaims } from "./claims.ts";
import type { AnyJob, PayloadOf } from "./define-job.ts";
import type { QueuedData } from "./dispatch.ts";
import { Job, type JobState } from "./job-entity.ts";
import { createJobMetrics } from "./metrics.ts";
import { enqueue } from "./outbox.ts";
import type { Kinds, Processor } from "./processor.ts";
import { runJob } from "./run-job.ts";

/** Conditions for an enqueued job; an absent one matches anything. */
export interface Expected<J extends AnyJob> {
  /** These parts of its payload. */
  payload?: Partial<PayloadOf<J>>;
  priority?: number;
  parentId?: string;
  /** Exactly this many jobs; at least one when absent, and 0 for none. */
  count?: number;
}

/**
 * Throws unless the transaction sees unfinished jobs of this kind that match; returns them, the oldest first.
 *
 * ```ts
 * await assertEnqueued(db.manager, sendInvoice, { payload: { orderId }, count: 1 });
 * ```
 */
export async function assertEnqueued<J extends AnyJob>(
  tx: EntityManager,
  job: J,
  { payload, priority, parentId, count }: Expected<J> = {},
): Promise<Job[]> {
  const rows = await tx.find(Job, { where: { kind: job.name }, order: { id: "ASC" } });
  const open = rows.filter((row) => row.finishedAt === null);
  const found = open.filter(
    (row) =>
      hasParts(row.payload, payload ?? {}) &&
      (priority === undefined || row.priority === priority) &&
      (parentId === undefined || row.parentId === parentId),
  );
  if (count === undefined ? found.length > 0 : found.length === count) return found;
  const wanted = count === undefined ? "at least one" : String(count);
  const payloads = open.map((row) => JSON.stringify(row.payload)).join("\n  ") || "none";
  throw new Error(
    `${wanted} of '${job.name}' with ${JSON.stringify({ payload, priority, parentId })} should be enqueued, and ` +
      `${found.length} are. All that are enqueued of that kind:\n  ${payloads}`,
  );
}

function hasParts(value: unknown, parts: object) {
  return Object.entries(parts).every(([key, part]) =>
    isDeepStrictEqual((value as Record<string, unknown>)[key], JSON.parse(JSON.stringify(part))),
  );
}

/** The end of a run: the row of its job, and the error of an unsuccessful run. */
export interface Performed {
  job: Job;
  error: { name: string; message: string } | null;
}

/**
 * Enqueues a job and runs it once, as a worker would: claimed in the ledger, with its deadline, its payload checked and
 * its outcome recorded. Never throws the processor's error: `job.state` and `error` tell how the run ended.
 *
 * ```ts
 * const { job } = await performJob(db, sendInvoice, { orderId }, processor, context);
 * expect(job.state).toBe("succeeded");
 * ```
 */
export async function performJob<J extends AnyJob, Context>(
  db: DataSource,
  job: J,
  payload: PayloadOf<J>,
  processor: Processor<PayloadOf<J>, Context>,
  context: Context,
): Promise<Performed> {
  const id = await db.transaction((tx) => enqueue(tx, job, payload));
  const { epoch } = await db.manager.findOneByOrFail(Job, { id });
  if (epoch > 0) throw new Error(`The job of '${job.name}' with this key, '${id}', was enqueued before and has run`);
  const kinds = { jobs: { [job.name]: job }, processors: { [job.name]: processor } };
  await withRunner({ db, queue: job.queue, kinds, context }, (run) => run(id));
  const row = await db.manager.findOneByOrFail(Job, { id });
  return { job: row, error: row.state === "succeeded" ? null : row.lastError };
}

export interface DrainOptions<Context> {
  db: DataSource;
  queue: string;
  /** The jobs that can run; those of other kinds stay where they are. */
  kinds: Kinds<Context>;
  context: Context;
  log?: Log;
}

/**
 * Runs all due jobs of a queue one after the other, and the jobs that they enqueue there, each once; returns the number
 * of jobs in each state after that. A job that failed and has attempts left is `open`.
 */
export async function drainQueue<Context>(options: DrainOptions<Context>): Promise<Partial<Record<JobState, number>>> {
  const { db, queue, kinds } = options;
  const seen = new Set<string>();
  await withRunner(options, async (run) => {
    for (;;) {
      const due: { id: string }[] = await db.query(
        `SELECT id FROM job WHERE queue = $1 AND state = 'open' AND run_at <= now() AND kind = ANY($2)
         ORDER BY priority, id`,
        [queue, Object.keys(kinds.processors)],
      );
      const next = due.filter(({ id }) => !seen.has(id));
      if (next.length === 0) return;
      for (const { id } of next) {
        seen.add(id);
        await run(id);
      }
    }
  });
  const counts: { state: JobState; jobs: number }[] = await db.query(
    "SELECT state, count(*)::int AS jobs FROM job WHERE id = ANY($1) GROUP BY state",
    [[...seen]],
  );
  return Object.fromEntries(counts.map(({ state, jobs }) => [state, jobs]));
}

async function withRunner<Context>(
  { db, queue, kinds, context, log = createLogger("silent", "test") }: DrainOptions<Context>,
  work: (run: (id: string) => Promise<void>) => Promise<void>,
) {
  const lockMs = 60_000;
  const claims = createClaims({ db, worker: "test", leaseMs: lockMs, log });
  const consumer = {
    queue,
    lockMs,
    db,
    log,
    metrics: createJobMetrics(new Registry()),
    claims,
    cutOff: new AbortController().signal,
    context,
    relay: { offer: () => undefined, wake: () => undefined },
    kinds,
  };
  try {
    await work(async (id) => {
      // No relay runs here that would remove it.
      await db.query("DELETE FROM job_outbox WHERE job_id = $1", [id]);
      // A run's error only tells BullMQ when to retry; the ledger has the outcome.
      await runJob(consumer, handedOut(id), "test").catch(() => undefined);
    });
  } finally {
    await claims.close();
  }
}

/** The part of a BullMQ job that a run needs. */
function handedOut(id: string): BullJob<QueuedData> {
  const moves = { moveToDelayed: async () => undefined, moveToWait: async () => undefined };
  return { id, data: { id }, attemptsStarted: 1, timestamp: Date.now(), ...moves } as unknown as BullJob<QueuedData>;
}
